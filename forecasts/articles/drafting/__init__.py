"""From an article's sentences to draft questions: subjects, deadlines and wording.

Nothing here is stored; a person confirms every draft.
"""
