"""The pages, one file each; Streamlit runs a page's file from top to bottom at every visit."""
