"""The command line: each command parses, calls one verb and prints.

Rules are in the verbs.
"""
