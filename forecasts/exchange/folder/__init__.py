"""The ledger folder: reading and writing its plain files.

Loading them into a database lives one package up.
"""
