"""Every run of the app: sign-in, the list of pages, the last act's message, then the page."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from app.components.scripts import apply_theme, keyboard
from app.forms.first_steps import sample_banner
from app.forms.sign_in import enter, way_out
from app.markdown_text import as_text
from app.session import acknowledge, count_needs, engine, name_window, shown_outages
from forecasts.common.errors import LedgerError
from forecasts.ledger import database
from forecasts.ledger.moved import moved_to
from forecasts.samples.demonstration import is_demonstration

st.set_page_config(page_title="Forecast Ledger", page_icon="🎯", layout="wide")

st.html(Path(__file__).with_name("style.css"))
entered = False
with shown_outages():
    entered = enter()
count = ""
if entered:
    with suppress(LedgerError):  # the page says so
        address = st.context.url
        on_today = address is not None and urlsplit(address).path in ("", "/", "/today")
        count = f" {waiting:,}" if (waiting := count_needs(on_today=on_today)) else ""
places = {
    "": [
        st.Page("app_pages/today.py", title="Today" + count, default=True),
        st.Page("app_pages/questions.py", title="Questions"),
        st.Page("app_pages/articles.py", title="Articles"),
        st.Page("app_pages/question.py", title="Question", visibility="hidden"),
    ],
    "Record": [
        st.Page("app_pages/my_scores.py", title="My scores"),
        st.Page("app_pages/track_record.py", title="Track record"),
        st.Page("app_pages/compare.py", title="Compare"),
        st.Page("app_pages/arena.py", title="Arena"),
        st.Page("app_pages/practice.py", title="Practice"),
    ],
    "Team and settings": [
        st.Page("app_pages/team.py", title="Team"),
        st.Page("app_pages/resolve.py", title="Resolve"),
        st.Page("app_pages/exchange.py", title="Import and export"),
        st.Page("app_pages/settings.py", title="Settings"),
    ],
}
# Set even before sign-in, so that the address keeps the requested page.
page = st.navigation(places, position="top" if entered else "hidden")
if not entered:
    st.stop()
name_window(page.title)
acknowledge()
keyboard()
apply_theme(page.url_path, [one.url_path for pages in places.values() for one in pages])
body = st.container()
# Called before the page, which may stop the run; shown below it all the same.
way_out()
with body, shown_outages():
    with database.reading(engine()) as ledger:
        demonstration = is_demonstration(ledger)
    if demonstration:
        sample_banner()
    if there := moved_to(engine()):
        st.warning(f"This ledger was moved to {as_text(there)}. Nothing more is stored here.")
    page.run()
