"""Questions: registration, wordings, current state, finality, search.

Forecasts on a question are in ``updates``, its outcome is decided in ``resolution``.
"""
