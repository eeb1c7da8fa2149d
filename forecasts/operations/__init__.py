"""Operating a whole ledger: backup, health checks, transfer, privacy, and run schedules.

Members' daily work lives in the other packages.
"""
