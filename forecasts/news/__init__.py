"""News: feeds that are read by themselves, and the stories that their articles tell."""
