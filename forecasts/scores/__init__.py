"""Scores of resolved questions: computing, storing and reading them, and the frames behind them.

The ledger as data frames and the attribution of points to updates and evidence live here. The
arithmetic of scoring lives in `scoring`, and confirming an outcome in `forecasts.resolution`.
"""
