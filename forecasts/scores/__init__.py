"""Stored scores and the frames they are computed from. The arithmetic lives in `scoring`."""
