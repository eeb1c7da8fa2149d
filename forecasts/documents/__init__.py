"""Documents, tables and charts, and one writer per format: everything made for people to read.

A document is data. ``as_text``, ``as_markdown``, ``as_html`` and ``as_pdf`` write any of them;
``as_csv`` and ``as_json`` write the rows and the data that a document is made of. ``vega_lite``
draws a chart on a page, ``svg`` in a file. Nothing here knows a ledger.
"""
