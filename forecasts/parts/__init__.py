"""Ledgers of any size, in parts: files that each hold whole questions, scored apart."""
