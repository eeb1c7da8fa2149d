"""Exports of a member's view: a ledger folder, another platform's format, or files."""
