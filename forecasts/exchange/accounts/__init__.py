"""Records fetched from an account on another platform, with its token: ``forecasts pull``.

``client`` asks a platform's API, ``paging`` goes through its lists, ``kept`` holds what was
fetched until it is imported. One module a platform knows its addresses and shapes, and turns what
came back into a ``PlatformRecord``, by the reader of the platform's files.
"""
