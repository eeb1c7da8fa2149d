"""From what a person reads to articles with a title, a publisher, a date and a clean text."""
