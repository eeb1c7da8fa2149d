"""Questions: registration, wordings, current standing, search.

Forecasts on them live in `updates`, outcomes in `resolution`.
"""
