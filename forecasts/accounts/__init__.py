"""Records fetched from an account on another platform, with its token: ``forecasts pull``.

``client`` asks a platform's API, ``paging`` goes through its lists, ``kept`` holds the answers
until they are imported. One module a platform knows its addresses and shapes, and turns the
answers into a ``PlatformRecord``, by the reader of the platform's files.
"""
