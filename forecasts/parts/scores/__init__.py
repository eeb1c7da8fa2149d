"""Scores of a folder of parts. Empty: a worker imports ``part_scores`` alone."""
