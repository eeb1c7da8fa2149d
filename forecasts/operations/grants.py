"""The privileges of a database role on a server's ledger: those that a member's acts need.

With them a role can neither change history nor remove the triggers that protect it.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, select, text
from sqlmodel import SQLModel

from forecasts.common.errors import BadInput, NotAdmitted
from forecasts.ledger.driver_errors import reported
from forecasts.ledger.urls import is_embedded, place

# The privileges beyond SELECT and INSERT.
_MORE = {
    **dict.fromkeys(("watch", "channel", "notice", "upkeep", "feed", "matched_until"), ("UPDATE",)),
    **dict.fromkeys(("score", "ended_session", "idempotent_answer", "article_match"), ("DELETE",)),
    **dict.fromkeys(("current_forecast", "last_run"), ("UPDATE", "DELETE")),
}


def missing_grants(connection: Connection, role: str | None = None) -> list[str]:
    """Return the GRANT of each privilege that the role lacks, up to the TO.

    ``role``: the connection's own unless named.
    """

    def has(kind: str, name: object, act: str) -> bool:
        held = getattr(func, f"has_{kind}_privilege")(role or func.current_user(), name, act)
        return bool(connection.scalar(select(held)))

    grants = []
    if not has("schema", func.current_schema(), "USAGE"):
        schema = connection.scalar(text("SELECT quote_ident(current_schema())"))
        grants.append(f"GRANT USAGE ON SCHEMA {schema}")
    if not has("table", "alembic_version", "SELECT"):
        grants.append("GRANT SELECT ON alembic_version")
    for name in (table.name for table in SQLModel.metadata.sorted_tables):
        acts = ("SELECT", "INSERT", *_MORE.get(name, ()))
        if lacked := [act for act in acts if not has("table", name, act)]:
            grants.append(f"GRANT {', '.join(lacked)} ON {name}")
        if not has("sequence", f"{name}_id_seq", "USAGE"):
            grants.append(f"GRANT USAGE ON SEQUENCE {name}_id_seq")
    return grants


# The rights of each role on the ledger's tables, their columns and sequences.
_HELD = """
WITH own AS (
    SELECT c.relnamespace AS place, c.relowner AS owner, n.nspowner
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = to_regclass('entry')
),
held AS (
    SELECT grantee, relname::text AS name, privilege_type AS act
    FROM pg_class JOIN own ON relnamespace = place, aclexplode(relacl)
    WHERE relname = ANY (CAST(:names AS text[])) AND grantee <> owner
    UNION ALL
    SELECT grantee, relname || '.' || attname, privilege_type
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN own ON relnamespace = place,
        aclexplode(attacl)
    WHERE relname = ANY (CAST(:names AS text[])) AND grantee <> owner
)
SELECT CASE grantee WHEN 0 THEN '' ELSE rolname END AS role, name, act, grantee <> 0
    AND (rolsuper OR pg_has_role(grantee, owner, 'MEMBER')
        OR pg_has_role(grantee, nspowner, 'MEMBER'))
FROM own, held LEFT JOIN pg_roles ON pg_roles.oid = grantee
ORDER BY 1, 2, 3
"""


def wrong_grants(connection: Connection) -> list[str]:
    """Return a clause about each right of a role that differs from those of the guide.

    A role that may add rows has the rights of a forecaster, and any other may read.
    """
    if connection.dialect.name == "sqlite":
        return []
    rights = {name: {"SELECT", "INSERT", *_MORE.get(name, ())} for name in SQLModel.metadata.tables}
    rights |= {f"{name}_id_seq": {"USAGE"} for name in rights} | {"alembic_version": {"SELECT"}}
    held: dict[str, set[tuple[str, str]]] = {}
    owners = set()
    for role, name, act, owns in connection.execute(text(_HELD), {"names": list(rights)}):
        held.setdefault(role, set()).add((name, act))
        owners |= {role} if owns else set()
    wrong = [f"the role {role} acts as the owner of the ledger" for role in sorted(owners)]
    for role, acts in held.items():
        who = f"the role {role}" if role else "everyone"
        wrong += [
            f"{who} may {act} {name}"
            for name, act in sorted(acts)
            if act != "SELECT" and act not in rights[name.partition(".")[0]]
        ]
        if any(act == "INSERT" for _, act in acts):
            needed = {(name, act) for name, some in rights.items() for act in some}
            wrong += [f"{who} lacks {act} on {name}" for name, act in sorted(needed - acts)]
    return wrong


def grant(engine: Engine, role: str) -> None:
    """Grant the role the privileges that it lacks.

    BadInput for a ledger in a file, and for a role that does not exist. NotAdmitted unless the
    ledger's owner does it.
    """
    if is_embedded(engine):
        raise BadInput(
            f"The ledger {place(engine)} is a file, which has no roles.",
            remedy="Leave out --grant: anyone who may write to the file can use it.",
        )
    with reported(engine), engine.begin() as connection:
        quoted = connection.scalar(
            text("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname = :role"), {"role": role}
        )
        if quoted is None:
            raise BadInput(
                f"The server of {place(engine)} has no role {role!r}.",
                remedy="Create it as the server's owner: createuser NAME, or CREATE ROLE … LOGIN.",
            )
        for one in missing_grants(connection, role):
            # As it is: a role's name may hold a colon or a percent.
            as_it_is = {"no_parameters": True}
            connection.exec_driver_sql(f"{one} TO {quoted}", execution_options=as_it_is)
        if missing_grants(connection, role):  # to others the server only gives a warning
            raise NotAdmitted(
                f"Only the owner of the ledger {place(engine)} can grant rights in it.",
                remedy="Name the owner's role in the URL: postgresql://OWNER@HOST/DATABASE",
            )
