"""From bytes to clean articles: decoding, layout, headlines, dates, bylines and boilerplate.

Nothing here is stored.
"""
