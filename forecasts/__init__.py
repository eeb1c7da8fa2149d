"""The ledger: everything that is stored, in the order of the journey."""
