"""The schema as the database itself describes it, compared with the schema of this release.

History is protected by triggers, constraints and unique indexes, and the owner of a database can
weaken each of them in many ways. So everything is compared that a database says of its tables:
columns, constraints, indexes, triggers, functions with their bodies, policies and rules. The
schema's own description is kept beside this module, a text file for each kind of database, made by
``docs/write_catalogue.py`` from a new ledger: the role that checks could not always make one.

A definition is text on one line, in a form that a new ledger, a migrated, a moved and a restored
one share: without the names of schemas, and in a file with each column and constraint by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, text

from forecasts.ledger.moved import MOVED
from forecasts.ledger.sqlite_file import UNFINISHED

# Objects that an operator may add: they change no act and hide no row. An index: on columns only.
_HARMLESS = ("table", "view", "sequence", "type", "index")
_PLAIN_INDEX = re.compile(r'CREATE INDEX [^()]* \(["\w]+( (ASC|DESC))?(, ["\w]+( (ASC|DESC))?)*\)')
_PART = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[(),'"]|[^(),'"]+""")
_IN_FILE = (
    "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"
    " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
# The objects of the schema that has the table entry: kind, name, its table ('' for none), and
# definition. A trigger that is always enabled (A) is as good as one that usually is (O).
_ON_SERVER = """
WITH own AS (SELECT CAST(:place AS oid) AS place, CAST(:owner AS oid) AS owner),
of_extensions AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
relation AS (
    SELECT c.* FROM pg_class c JOIN own ON relnamespace = place
    WHERE ('pg_class'::regclass, c.oid) NOT IN (SELECT * FROM of_extensions)
),
kept AS (SELECT * FROM relation WHERE relkind IN ('r', 'p', 'f', 'v', 'm'))
SELECT CASE WHEN relkind IN ('v', 'm') THEN 'view' ELSE 'table' END AS kind, relname::text AS name,
    '' AS place, concat_ws(' ', relkind, relpersistence,
        CASE WHEN relrowsecurity THEN 'row security' END,
        CASE WHEN relforcerowsecurity THEN 'forced' END,
        CASE WHEN relowner <> owner THEN 'of another owner' END,
        (SELECT 'with the rows of ' || string_agg(inhrelid::regclass::text, ', ' ORDER BY 1)
            FROM pg_inherits WHERE inhparent = k.oid),
        (SELECT 'part of ' || string_agg(inhparent::regclass::text, ', ' ORDER BY 1)
            FROM pg_inherits WHERE inhrelid = k.oid)) AS definition
FROM kept k, own
UNION ALL
SELECT 'column', attname, relname, concat_ws(' ', format_type(atttypid, atttypmod),
    CASE WHEN attnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(adbin, adrelid),
    nullif(attidentity::text, ''), nullif(attgenerated::text, ''),
    (SELECT 'COLLATE ' || collname FROM pg_collation l
        WHERE l.oid = attcollation AND collname <> 'default'))
FROM pg_attribute a JOIN kept ON kept.oid = attrelid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'constraint', conname, relname, replace(pg_get_constraintdef(o.oid, true), ' NOT VALID', '')
FROM pg_constraint o JOIN kept ON kept.oid = conrelid
WHERE contype NOT IN ('n', 't')
UNION ALL
SELECT 'index', i.relname, kept.relname, concat(pg_get_indexdef(i.oid),
    CASE WHEN NOT indisvalid OR NOT indisready THEN ' (not valid)' END)
FROM pg_index x JOIN kept ON kept.oid = indrelid JOIN pg_class i ON i.oid = indexrelid
UNION ALL
SELECT 'trigger', tgname, relname, pg_get_triggerdef(t.oid) || ' enabled '
    || replace(tgenabled::text, 'A', 'O')
FROM pg_trigger t JOIN kept ON kept.oid = tgrelid
WHERE NOT tgisinternal
UNION ALL
SELECT 'proof', conname || ' by ' || tgname, relname, tgenabled::text
FROM pg_trigger t JOIN kept ON kept.oid = tgrelid JOIN pg_constraint o ON o.oid = tgconstraint
WHERE tgisinternal AND tgenabled NOT IN ('O', 'A')
UNION ALL
SELECT 'rule', rulename, relname, pg_get_ruledef(r.oid)
FROM pg_rewrite r JOIN kept ON kept.oid = ev_class
WHERE rulename <> '_RETURN'
UNION ALL
SELECT 'policy', polname, relname, concat_ws(' ', polcmd, polpermissive, polroles::text,
    pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
FROM pg_policy JOIN kept ON kept.oid = polrelid
UNION ALL
SELECT 'function', p.oid::regprocedure::text, '', CASE WHEN prokind = 'a' THEN 'aggregate'
    ELSE pg_get_functiondef(p.oid) || CASE WHEN proowner <> owner THEN ' of another owner' ELSE ''
    END END
FROM pg_proc p JOIN own ON pronamespace = place
WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT * FROM of_extensions)
UNION ALL
SELECT 'operator', p.oid::regoperator::text, '', oprcode::text
FROM pg_operator p JOIN own ON oprnamespace = place
WHERE ('pg_operator'::regclass, p.oid) NOT IN (SELECT * FROM of_extensions)
UNION ALL
SELECT 'sequence', relname, '', concat_ws(' ', seqincrement, seqmin, seqmax, seqcycle)
FROM pg_sequence JOIN relation ON relation.oid = seqrelid
UNION ALL
SELECT 'type', typname, '', typtype::text
FROM pg_type y JOIN own ON typnamespace = place
WHERE typtype IN ('d', 'e', 'r')
AND ('pg_type'::regclass, y.oid) NOT IN (SELECT * FROM of_extensions)
UNION ALL
SELECT 'setting', split_part(one, '=', 1), coalesce('the role ' || rolname, 'the database'), one
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = setrole, unnest(setconfig) AS one
WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
AND split_part(one, '=', 1) IN ('session_replication_role', 'row_security')
UNION ALL
SELECT 'setting', name, 'this connection', setting FROM pg_settings
WHERE (name, setting) IN (('session_replication_role', 'replica'), ('row_security', 'off'))
"""
# The schema that has the table entry, and the owner of that.
_OWN = text(
    "SELECT n.oid AS place, coalesce(relowner, nspowner) AS owner, quote_ident(nspname) AS name"
    " FROM pg_namespace n LEFT JOIN pg_class c ON c.oid = to_regclass('entry')"
    " WHERE n.oid = coalesce(relnamespace, current_schema()::regnamespace)"
)
# By these settings every name has its schema, and every definition one form.
_IN_FORM = {"search_path": "pg_catalog", "datestyle": "ISO", "quote_all_identifiers": "off"}
_SETTINGS = text("SELECT " + ", ".join(f"current_setting('{n}') AS {n}" for n in _IN_FORM))
_SET = text("SELECT " + ", ".join(f"set_config('{name}', :{name}, true)" for name in _IN_FORM))
# The tables that a role's search path finds elsewhere than the table entry.
_ELSEWHERE = text(
    "SELECT name FROM unnest(CAST(:names AS text[])) AS name, pg_class c, pg_class o"
    " WHERE c.oid = to_regclass('entry') AND o.oid = to_regclass(name)"
    " AND o.relnamespace <> c.relnamespace"
)


class One(NamedTuple):
    """An object of a database: its kind and name, and its table, blank for a table itself."""

    kind: str
    name: str
    table: str

    @property
    def said(self) -> str:
        """The object in words, such as ``the trigger a on b``."""
        on = {"column": "of", "setting": "of"}.get(self.kind, "on")
        return f"the {self.kind} {self.name}{self.table and f' {on} {self.table}'}"


class Compared(NamedTuple):
    """The differences from the schema, as clauses; ``added``: objects that do no harm."""

    faults: tuple[str, ...]
    added: tuple[str, ...]


def compare(connection: Connection) -> Compared:
    """Return the differences between a database's schema and this release's."""
    found, expected = described(connection), dict(expected_of(connection.dialect.name))
    tables = {one.name for one in expected if one.kind == "table"}
    faults, added = [], []
    for one in sorted(found.keys() | expected.keys()):
        was, now = expected.get(one), found.get(one)
        if was == now or (one.table and one.kind != "setting" and one.table not in tables):
            continue  # as it should be, or part of an added table
        if now is None:
            faults.append(f"{one.said} is missing")
        elif was is not None:
            faults.append(f"{one.said} is not as in the ledger's schema: {now[:200]}")
        elif one.kind in _HARMLESS and (one.kind != "index" or _PLAIN_INDEX.fullmatch(now)):
            added.append(f"{one.said} is not of the ledger's schema")
        else:
            faults.append(f"{one.said} is not of the ledger's schema")
    if connection.dialect.name == "postgresql":
        elsewhere = connection.scalars(_ELSEWHERE, {"names": sorted(tables)})
        faults += [f"the search path finds another {name} first" for name in elsewhere]
    return Compared(tuple(faults), tuple(added))


@cache
def expected_of(dialect: str) -> Mapping[One, str]:
    """Return the objects of this release's schema, each with its definition."""
    lines = place_of(dialect).read_text("utf-8").splitlines()
    parts = (line.split("\t") for line in lines)
    return {One(kind, name, table): definition for kind, name, table, definition in parts}


def place_of(dialect: str) -> Path:
    """Return the file with the description of the schema in a kind of database."""
    return Path(__file__).parent / "catalogues" / f"{dialect}.tsv"


def described(connection: Connection) -> dict[One, str]:
    """Return the objects of a database, each with its definition on one line."""
    if connection.dialect.name == "sqlite":
        rows: Iterator[tuple[str, str, str, str]] = _in_file(connection)
    else:
        rows = _on_server(connection)
    found: dict[One, str] = {}
    for kind, name, table, said in rows:
        if name not in (MOVED, UNFINISHED):
            # In a file two constraints of a table can have one name.
            one, line = One(kind, name, table), " ".join(said.split())
            found[one] = f"{found[one]}, {line}" if one in found else line
    return found


def _in_file(connection: Connection) -> Iterator[tuple[str, str, str, str]]:
    for kind, name, table, sql in connection.exec_driver_sql(_IN_FILE):
        head, _, rest = sql.partition("(")
        if not re.fullmatch(rf'CREATE TABLE "?{re.escape(name)}"?\s*', head):
            yield kind, name, "" if kind in ("table", "view") else table, sql
            continue
        *clauses, tail = _clauses(rest)
        yield kind, name, "", tail
        for clause in clauses:
            column = clause.split(maxsplit=1)[0]
            # A column that was added later may have its constraints beside it: they mean the same.
            for part in re.split(r" (?=CONSTRAINT )", clause):
                if not part.startswith("CONSTRAINT "):
                    yield "column", column, name, part
                    continue
                keyed = re.sub(r"^(\S+ \S+) (?=REFERENCES )", rf"\1 FOREIGN KEY({column}) ", part)
                yield "constraint", part.split()[1], name, keyed


def _clauses(sql: str) -> Iterator[str]:
    """Yield the columns and constraints of a table, and what follows the last parenthesis."""
    depth, clause = 0, ""
    for part in _PART.findall(sql):
        depth += {"(": 1, ")": -1}.get(part, 0)
        if (part == "," and depth == 0) or (part == ")" and depth == -1):
            yield " ".join(clause.split())
            clause, depth = "", depth if part == "," else 1_000  # no clause comes after it
        else:
            clause += part
    yield " ".join(clause.split())


def _on_server(connection: Connection) -> Iterator[tuple[str, str, str, str]]:
    place, owner, schema = connection.execute(_OWN).one()
    before = connection.execute(_SETTINGS).one()
    connection.execute(_SET, _IN_FORM)
    rows = connection.execute(text(_ON_SERVER), {"place": place, "owner": owner}).all()
    connection.execute(_SET, dict(before._mapping))
    qualified = re.compile(rf"(?<![\w.\"]){re.escape(schema)}\.")
    for kind, name, table, definition in rows:
        yield kind, qualified.sub("", name), table, qualified.sub("", definition)
