"""The scheduled run: claim due questions, look them up, decide, record.

What can be looked up lives in `resolvers`.
"""
