"""Access: members, teams, roles, visibility, sign-in and tokens.

Every verb asks here what a member may do and see. No question or forecast is written here.
"""
