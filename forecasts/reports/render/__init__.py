"""One report as text, JSON, HTML, PDF, CSV or Markdown. Nothing is computed here."""
