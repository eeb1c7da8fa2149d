"""Import and export: ledger folders, the database, and other platforms' formats.

Sample contents are here too; stored rows and their rules are in the packages below.
"""
