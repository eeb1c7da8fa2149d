"""Every run of the app: the pages, what was just stored, then the page that was asked for."""

from __future__ import annotations

import streamlit as st

from app.session import acknowledge, settings, shown_errors
from app.words import as_text

st.set_page_config(page_title="Forecast Ledger", page_icon="🎯", layout="wide")

page = st.navigation(
    [
        st.Page("app_pages/today.py", title="Today", icon="☀️", default=True),
        st.Page("app_pages/questions.py", title="Questions", icon="❓"),
        st.Page("app_pages/articles.py", title="Articles", icon="📰"),
        st.Page("app_pages/track_record.py", title="Track record", icon="🎯"),
        st.Page("app_pages/resolve.py", title="Resolve", icon="⚖️"),
        st.Page("app_pages/question.py", title="Question", icon="❔", visibility="hidden"),
    ],
    position="top",
)
acknowledge()
with shown_errors():
    page.run()
st.space("small")
st.caption(f"You forecast as {as_text(settings().member)}. All times are UTC.")
