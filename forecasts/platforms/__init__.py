"""Records of other platforms: one module a format, each from files to a ``PlatformRecord``.

Nothing here touches the ledger: ``importing.record`` compares a record and imports it.
"""
