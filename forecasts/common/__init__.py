"""What every package uses: errors, settings, times, limits, cleaned text, the web.

Nothing here knows the ledger.
"""
