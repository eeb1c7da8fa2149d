"""From a page's bytes to clean articles: decoding, layout, heads, dates, bylines, boilerplate.

Nothing here is stored.
"""
