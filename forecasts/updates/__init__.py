"""Forecasts and their evidence: reading a value, checking it, appending it.

How it scores lives in `scores`.
"""
