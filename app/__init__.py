"""The Streamlit pages: each reads one verb, shows it, submits one verb."""
