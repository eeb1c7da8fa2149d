"""Reports and comparisons as documents: their words, tables and charts, and one writer a format.

Nothing here computes a statistic; the data come from ``reports.build`` and ``reports.comparison``.
"""
