"""The HTTP API: each handler reads the request, calls one verb, and writes its answer as JSON.

Rules are in the verbs. FastAPI is an extra, so nothing below imports this package.
"""
