"""The app's server: ``streamlit run app/streamlit_app.py``, or ``forecasts app``.

What runs for each visit stands in ``navigation.py``; routes and middleware have their place here.
"""

from __future__ import annotations

import streamlit as st

from app.session import went_wrong

app = st.App("navigation.py", on_script_error=went_wrong)
