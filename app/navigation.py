"""Every run of the app: the pages, what was just stored, then the page that was asked for."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.session import acknowledge, demonstration, settings, shown_errors
from app.words import as_text

st.set_page_config(page_title="Forecast Ledger", page_icon="🎯", layout="wide")

st.html(Path(__file__).with_name("style.css"))
page = st.navigation(
    [
        st.Page("app_pages/today.py", title="Today", default=True),
        st.Page("app_pages/questions.py", title="Questions"),
        st.Page("app_pages/articles.py", title="Articles"),
        st.Page("app_pages/track_record.py", title="Track record"),
        st.Page("app_pages/compare.py", title="Compare"),
        st.Page("app_pages/resolve.py", title="Resolve"),
        st.Page("app_pages/question.py", title="Question", visibility="hidden"),
    ],
    position="top",
)
acknowledge()
body = st.container()
# Before the page runs, which may stop the run; it stands below the page all the same.
st.caption(f"You forecast as {as_text(settings().member)}. All times are UTC.")
with body, shown_errors():
    if demonstration():
        st.caption(
            "Demonstration: the articles and the outcomes are real, the forecasters and the "
            "tournament are simulated, and whatever you try here is gone when it is built anew."
        )
    page.run()
