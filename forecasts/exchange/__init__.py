"""The ledger folder, and the ways between it, the database and other platforms' exports."""
