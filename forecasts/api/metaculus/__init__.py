"""The façade: the paths and shapes of Metaculus's API, so that existing bots forecast here.

A post is a question, and both have its number; a group, or the branches of a conditional for yes
and for no, is a post of its own beside those of its questions. A tournament is a tag. docs/bots.md
lists the fields that a ledger has no place for.
"""
