"""Draft questions from an article's sentences: their subjects, deadlines and wording.

Nothing here is stored; a user confirms every draft.
"""
