"""The basics that every package uses: errors, settings, times, limits, clean text, fetching.

Nothing here knows the ledger, a database or a page.
"""
