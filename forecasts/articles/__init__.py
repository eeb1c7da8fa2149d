"""Articles: capturing them from a URL, a file or pasted text, storing them, drafting questions.

Questions made from the drafts are not here, but in ``questions``.
"""
