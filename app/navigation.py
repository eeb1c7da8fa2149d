"""Every run of the app: who is in, the pages, what was just stored, then what was asked for."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.forms.sign_in import enter, way_out
from app.session import acknowledge, demonstration, shown_outages

st.set_page_config(page_title="Forecast Ledger", page_icon="🎯", layout="wide")

st.html(Path(__file__).with_name("style.css"))
pages = [
    st.Page("app_pages/today.py", title="Today", default=True),
    st.Page("app_pages/questions.py", title="Questions"),
    st.Page("app_pages/articles.py", title="Articles"),
    st.Page("app_pages/track_record.py", title="Track record"),
    st.Page("app_pages/compare.py", title="Compare"),
    st.Page("app_pages/resolve.py", title="Resolve"),
    st.Page("app_pages/practice.py", title="Practice"),
    st.Page("app_pages/team.py", title="Team"),
    st.Page("app_pages/exchange.py", title="Import and export"),
    st.Page("app_pages/question.py", title="Question", visibility="hidden"),
]
entered = False
with shown_outages():
    entered = enter()
# Known before anybody is in, so that the page in the address stays the one that was asked for.
page = st.navigation(pages, position="top" if entered else "hidden")
if not entered:
    st.stop()
acknowledge()
body = st.container()
# Before the page runs, which may stop the run; it stands below the page all the same.
way_out()
with body, shown_outages():
    if demonstration():
        st.caption(
            "Demonstration: the articles and the outcomes are real, the forecasters and the "
            "tournament are simulated, and whatever you try here is gone when it is built anew."
        )
    page.run()
