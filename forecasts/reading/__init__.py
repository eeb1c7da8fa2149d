"""Reading an article: from a page's bytes to its text, and to the questions that it suggests.

Nothing here reads the ledger, and nothing is stored.
"""
