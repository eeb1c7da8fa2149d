"""Streamlit components of our own: the few lines of script that pages need."""
