"""Exports: what a member may see, as a ledger folder, in another platform's format, or as files."""
