"""Views: the ledger as people and programs see it, as typed data made once from a session.

The JSON of the command line, of the API and of exported files is these models dumped; OpenAPI and
the tables of docs/json.md are made from them. Field names are a contract: add, never rename.
"""
