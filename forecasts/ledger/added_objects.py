"""The tables, views, triggers and rules of a database that are not of the ledger's schema.

A trigger or rule could change what acts write, and a view or table mislead those who read the
database itself. So ``verification`` names them. Indexes may be added: they are compared with their
rows. So may, on a server, anything in another schema, and the objects of an extension.

In a file a trigger of the schema's name must also do nothing but refuse.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection
from sqlmodel import SQLModel

from forecasts.ledger.models import APPEND_ONLY
from forecasts.ledger.moved import MOVED
from forecasts.ledger.sqlite_file import UNFINISHED

_IN_FILE = (
    "SELECT type, name, tbl_name, sql FROM sqlite_master"
    " WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " ORDER BY type, name"
)
_REFUSES = re.compile(r"[^;]* BEGIN SELECT RAISE\(ABORT, '[^';]*'\); END")
# In the schema that has the chain of hashes.
_ON_SERVER = """
WITH own AS (SELECT relnamespace AS place FROM pg_class WHERE oid = 'entry'::regclass),
of_extensions AS (SELECT objid FROM pg_depend WHERE deptype = 'e')
SELECT CASE WHEN relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, relname::text, relname::text
FROM pg_class, own
WHERE relnamespace = place AND relkind IN ('r', 'p', 'f', 'v', 'm')
AND oid NOT IN (SELECT objid FROM of_extensions)
UNION ALL
SELECT 'trigger', tgname::text, relname::text
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid, own
WHERE relnamespace = place AND NOT tgisinternal
UNION ALL
SELECT 'rule', rulename::text, relname::text
FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class, own
WHERE relnamespace = place AND rulename <> '_RETURN'
ORDER BY 1, 2, 3
"""


def added_objects(connection: Connection) -> list[str]:
    """Return a clause about each object that is not of the schema."""
    tables = {*SQLModel.metadata.tables, "alembic_version", UNFINISHED, MOVED}
    acts = ("update", "delete", "replace")
    triggers = {f"{table}_refuses_{act}": table for table in APPEND_ONLY for act in acts}
    triggers |= {f"{table}_is_append_only": table for table in APPEND_ONLY}
    found = []
    in_file = connection.dialect.name == "sqlite"
    rows = connection.exec_driver_sql(_IN_FILE if in_file else _ON_SERVER)
    for type_, name, table, *sql in rows:
        is_trigger = type_ == "trigger"
        of_schema = triggers.get(name) == table if is_trigger else type_ == "table"
        if not of_schema or (not is_trigger and name not in tables):
            where = f" on {table}" if type_ in ("trigger", "rule") else ""
            found.append(f"the {type_} {name}{where} is not of the ledger's schema")
        elif is_trigger and in_file and not _REFUSES.fullmatch(*sql):
            found.append(f"the trigger {name} on {table} does more than refuse")
    return found
