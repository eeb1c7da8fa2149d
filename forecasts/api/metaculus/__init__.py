"""The façade: the paths and shapes of Metaculus's API, so that existing bots forecast here.

A post is a question, and both have its number. A tournament is a tag. A group is a family whose
questions differ in their titles only. docs/bots.md lists the fields that a ledger has no place for.
"""
