"""Backup, health, moving, privacy, schedules: what an operator does to a whole ledger.

Daily work lives elsewhere.
"""
