"""Typed views of a question, a forecast, a resolution, a score, a member: all that is shown."""
