"""The ledger folder: reading and writing its plain files.

Importing them into a database is in ``importing``.
"""
