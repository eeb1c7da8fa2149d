"""The demonstration, practice questions and sample questions.

Every simulated person and question is labelled as such.
"""
