"""The demonstration, practice questions and sample questions.

Everyone and everything simulated in them is labelled.
"""
