"""How questions get their outcomes: proposals, confirmations, disputes and assigned resolvers.

Scheduled runs live in `runs`, resolver kinds in `resolvers`.
"""
