"""The scheduled run: claim the due questions, ask their resolvers, decide, and record the result.

The resolver kinds themselves live in `resolvers`, confirming and proposing in `resolution`.
"""
