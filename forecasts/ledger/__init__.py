"""The tables, the transactions, the one way to append rows, the chain of hashes, the migrations.

No rule about a question or a forecast lives here.
"""
