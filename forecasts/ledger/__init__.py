"""The database: tables, transactions, appended rows, the chain of hashes, migrations.

Rules about questions and forecasts belong to the packages above.
"""
