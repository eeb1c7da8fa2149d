"""The files of other platforms: a module a format reads them, ``*_export`` writes them.

To add a format, declare the columns of its CSV (``reading.Column``) or the fields of its JSON
(``entries.Field``), write ``recognises`` and ``read``, which hands questions and forecasts with
their places to a ``Reading``, and add a line to ``formats``. Nothing here touches the ledger:
``importing.record`` compares a record and imports it.
"""
