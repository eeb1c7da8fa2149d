"""Who someone is, and what they may do and see: members, teams, roles, visibility, tokens.

The verbs of the other packages ask here; no question or forecast is written here.
"""
