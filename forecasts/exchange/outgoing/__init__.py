"""Exports in other platforms' formats: one module each, from the ledger's frames to files.

Nothing here touches the ledger: ``exchange.export.exported`` returns the part of it that a member
may see.
"""
