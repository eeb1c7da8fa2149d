"""Import into the database: what a folder or a record has that the ledger lacks, then its rows.

Reading the files is in ``folder``, ``platforms`` and ``accounts``.
"""
