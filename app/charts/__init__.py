"""Charts as Vega-Lite specifications, from frames and reports.

Scores and statistics are not computed here, but in reports and scores.
"""
