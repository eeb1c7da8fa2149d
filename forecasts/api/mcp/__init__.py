"""The ledger for language models: an MCP server of fifteen tools, over stdio and over HTTP.

The tools are few and written for a model, not a mirror of the API. Each calls the verbs that the
pages call. A model may propose an outcome, as one witness among several; it never decides one.

Rejected: a tool for each path of the API (a model chooses badly among forty), and answers as JSON
(twice the tokens of the same lines in Markdown).
"""
