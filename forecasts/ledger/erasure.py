"""Words that may be gone: those of removed members, as the chain's own entries prove it.

The database lets a removed member's words be replaced, for the sake of the one row that says so
(``removal``). Such a row is only believed with its entry in the chain. Since schema 0012 it lists
the rows that lost their words, so that no others may have; for earlier removals it must follow
from the rows that the words were the member's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Text, select, type_coerce
from sqlmodel import Session, SQLModel

from forecasts.ledger.chain import WORDS, tombstone


class _Removal(NamedTuple):
    """A removal with an entry."""

    erased: Mapping[str, list[int]] | None
    last_citation: int  # before it


class Erasures:
    """The removals of a ledger's members that have an entry, once they are ``read``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._removals: dict[int, _Removal] = {}
        self._listed: set[tuple[str, int]] = set()

    def read(self) -> None:
        """Read the removals and their places in the chain."""
        session = self._session
        entry, removal = (SQLModel.metadata.tables[name] for name in ("entry", "removal"))
        places = select(entry.c.row_id, entry.c.id).where(entry.c.kind == "removal")
        if session.scalar(select(removal.c.id).limit(1)) is None:
            return
        place_of = dict(session.execute(places).all())
        erased_json = type_coerce(removal.c.erased, Text)
        rows = session.execute(select(removal.c.id, removal.c.member_id, erased_json))
        for id_, member_id, found in rows:
            if id_ not in place_of:
                continue
            erased = _listing(found)
            cited = (entry.c.kind == "citation") & (entry.c.id < place_of[id_])
            last = select(entry.c.row_id).where(cited).order_by(entry.c.id.desc()).limit(1)
            self._removals[member_id] = _Removal(erased, session.scalar(last) or 0)
            self._listed.add(("member", member_id))
            for kind, ids in (erased or {}).items():
                self._listed.update((kind, row) for row in ids)

    def must_be_gone(self, kind: str, row: int) -> bool:
        """Return whether a removal says that this row has lost its words."""
        return (kind, row) in self._listed

    def explain(self, kind: str, values: Mapping[str, Any]) -> bool:
        """Return whether a removal explains that only placeholders are left of a row's words."""
        row = values["id"]
        return all(
            values[name] in (tombstone(kind, name, row), "", None) for name in WORDS[kind]
        ) and any(
            self._was_theirs(kind, values, member)
            and (removal.erased is None or (kind, row) in self._listed)
            for member in self._owners(kind, values)
            if (removal := self._removals.get(member)) is not None
        )

    def _owners(self, kind: str, values: Mapping[str, Any]) -> set[int]:
        """Return the members whose words a row may hold."""
        if kind == "member":
            return {values["id"]}
        owners: set[Any] = {values.get("member_id")}
        resolution = SQLModel.metadata.tables["resolution"]
        if kind == "resolution":  # the row that accepts a proposal repeats its note
            proposal = resolution.c.id == values["proposal_id"]
            owners.update(self._session.scalars(select(resolution.c.member_id).where(proposal)))
        if kind == "evidence":
            owners.update(member for member, _ in self._citing(values["id"]))
        return owners - {None}

    def _was_theirs(self, kind: str, values: Mapping[str, Any], member: int) -> bool:
        """Return whether nobody else relied on the row: evidence that others cite stays."""
        if kind != "evidence":
            return True
        before = self._removals[member].last_citation
        others = (by != member for by, citation in self._citing(values["id"]) if citation <= before)
        # An address alone is not a person's words.
        return not any(others) and (values["url"] is None or values["note"] != "")

    def _citing(self, evidence: int) -> list[tuple[int, int]]:
        """Return the members who cite a piece of evidence, each with the citation."""
        citation, forecast = (SQLModel.metadata.tables[n] for n in ("citation", "forecast"))
        statement = (
            select(forecast.c.member_id, citation.c.id)
            .join(citation, citation.c.forecast_id == forecast.c.id)
            .where(citation.c.evidence_id == evidence)
        )
        return [(member, row) for member, row in self._session.execute(statement)]


def _listing(erased: Any) -> Mapping[str, list[int]] | None:
    """Return a removal's list, as a driver has it; an altered one lists nothing."""
    try:
        listed = json.loads(erased) if isinstance(erased, str) else erased
        if listed is None:
            return None
        return {kind: [row for row in ids if isinstance(row, int)] for kind, ids in listed.items()}
    except (AttributeError, RecursionError, TypeError, ValueError):
        return {}
