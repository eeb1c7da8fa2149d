"""Reading an article: from a page's bytes to its text, and to the questions that it suggests.

Nothing here is stored, or reads the ledger.
"""
