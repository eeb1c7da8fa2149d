"""Terms: every word of reports and comparisons, each with an example."""

from __future__ import annotations

import streamlit as st

from app.markdown_text import as_text
from forecasts.reports.glossary import TERMS

st.title("Terms", anchor=False)
for term in TERMS.values():
    st.markdown(f"**{as_text(term.title)}**: {as_text(term.meaning)}")
