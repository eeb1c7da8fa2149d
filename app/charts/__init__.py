"""Charts as Vega-Lite specifications, made from frames.

Nothing is computed here that a report has not computed.
"""
