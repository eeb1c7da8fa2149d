"""The files of other platforms: a module a format reads them, and writes them if they are written.

To add a format, declare the columns of its CSV (``reading.Column``) or the fields of its JSON
(``reading.Field``), write ``read``, which hands questions and forecasts with their places to a
``Reading``, and add a line to ``formats``, with the names by which its files are recognised.
Nothing here touches the ledger: ``importing.record`` compares a record and imports it.
"""
