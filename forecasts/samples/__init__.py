"""The demonstration, which is the app's sample ledger, and practice questions.

Every simulated person and question is labelled as such.
"""
