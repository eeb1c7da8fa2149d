"""Every run of the app: sign-in, the list of pages, the last act's message, then the page."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from app.components.scripts import apply_theme, keyboard
from app.forms.first_steps import sample_banner
from app.forms.sign_in import enter, way_out
from app.markdown_text import as_text
from app.session import acknowledge, count_needs, engine, memory, name_window, shown_outages
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
        st.Page("app_pages/news.py", title="News"),
        st.Page("app_pages/articles.py", title="Articles"),
        st.Page("app_pages/question.py", title="Question", visibility="hidden"),
        st.Page("app_pages/terms.py", title="Terms", visibility="hidden"),
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
ICONS = ("today", "help", "newspaper", "article", "query_stats", "groups")
BAR = 4  # of the first places


def bar() -> None:
    """Show the places as a bar: at the bottom of a narrow screen, and on no other."""
    first, *lists = places.items()
    with st.container(key="bar", horizontal=True, gap=None):
        for icon, one in zip(ICONS, first[1][:BAR], strict=False):
            st.page_link(one, icon=f":material/{icon}:")
        for icon, (name, pages) in zip(ICONS[BAR:], lists, strict=True):
            kind: Any = "secondary" if page in pages else "tertiary"
            # Its key is new on each page, which closes it.
            key = f"bar-{icon}-{page.url_path}"
            with st.popover(name, icon=f":material/{icon}:", type=kind, key=key, wrap=True):
                for one in pages:
                    st.page_link(one)


# Set even before sign-in, so that the address keeps the requested page.
page = st.navigation(places, position="top" if entered else "hidden")
if not entered:
    st.stop()
name_window(page.title)
memory().page = page.title
bar()
acknowledge()
keyboard()
place = "questions" if page.url_path == "question" else page.url_path
apply_theme(page.url_path, place, [one.url_path for pages in places.values() for one in pages])
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
