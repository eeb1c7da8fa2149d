"""Updates: a forecast's value and its evidence, appended as a new row.

How forecasts score is in ``scores``.
"""
