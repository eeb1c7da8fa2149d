"""Requests that do not reach a page, and the checks before one: middleware, API, other routes."""
