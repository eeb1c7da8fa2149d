"""Requests that do not reach a page, and checks before one: middleware, identity, calendar feed.

Pages do not import it; ``session`` and the sign-in form do.
"""
