"""News: feeds read by themselves, the stories of their articles, and each member's inbox."""
