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
    **dict.fromkeys(("watch", "channel", "notice", "upkeep"), ("UPDATE",)),
    **dict.fromkeys(("score", "ended_session", "idempotent_answer"), ("DELETE",)),
    "last_run": ("UPDATE", "DELETE"),
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
