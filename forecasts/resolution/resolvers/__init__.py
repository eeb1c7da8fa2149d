"""Resolver kinds, one module a kind, and the protocol they share.

When they are asked is decided in `runs`.
"""
