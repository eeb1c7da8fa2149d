"""The command line: each command parses, calls one verb and prints.

Rules live in the verbs.
"""
