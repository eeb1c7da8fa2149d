"""Publish a record: the site, its data and the program that checks them, in one folder."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from forecasts.access.roles import Action, Scope, member_rights, require, require_scope
from forecasts.common.errors import Forbidden, NotFound, Refused, Remedy
from forecasts.folder.archive import pack
from forecasts.folder.drafts import drafted
from forecasts.ledger.chain import sha256
from forecasts.ledger.models import Member, Team
from forecasts.publication.proof import program, record_json
from forecasts.publication.record import (
    Publication,
    outside_the_team,
    published,
)
from forecasts.publication.site import site_files
from forecasts.publication.verify import FILE, PROGRAM, Check


@dataclass(frozen=True)
class Published:
    """A published record, the number of its files, and the findings of its proof."""

    record: Publication
    files: int
    said: Sequence[str]


def publish(
    session: Session,
    folder: Path,
    *,
    who: Member | None,
    member: Member | None = None,
    team: Team | None = None,
    questions: Sequence[str] | None = None,
    stamps: Mapping[str, bytes],
    url: str = "",
    overwrite: bool = False,
    now: datetime,
) -> Published:
    """Return the published record of a member or a team, which is written to the folder.

    ``who``: a member publishes their own record, a team's admin the team's, an admin of the ledger
    anyone's; Forbidden otherwise. ``questions``: only these slugs. ``stamps``: the valid ones, each
    a server's answer by its digest. ``url``: the site's address (``site``). NotFound without a
    forecast to publish. Refused if the history does not verify, and if the folder is not empty,
    unless ``overwrite``.
    """
    _require(session, who, member, team, now)
    record = published(session, member=member, team=team, questions=questions, now=now)
    if not record.questions:
        outside = 0 if team is None else outside_the_team(session, team, now=now)
        if outside and not record.withheld:
            raise NotFound(
                f"{record.title} has no forecast that everyone may see: {outside:,} of its "
                "members' forecasts are from before they joined, or after they left.",
                remedy=Remedy(
                    "To count a member's earlier forecasts, an admin of the ledger names the "
                    "day: {}",
                    "team add",
                    record.title,
                    "MEMBER",
                    since="DAY",
                ),
            )
        raise NotFound(
            f"{record.title} has no forecast that everyone may see.",
            remedy=" ".join(record.withheld)
            or "Restricted questions and hidden crowds are not published.",
        )
    pages = {**site_files(record, now=now, url=url), PROGRAM: program()}
    data = record_json(session, record, stamps, pages)
    check = Check(json.loads(data))
    if check.faults:
        raise Refused(
            f"The record cannot be proved: {check.faults[0]}.",
            remedy=Remedy("To find the altered rows: {}", "verify"),
        )
    files = {**pages, FILE: data}
    with drafted(folder, overwrite=overwrite) as draft:
        for name, text in files.items():
            (draft / name).parent.mkdir(exist_ok=True)
            (draft / name).write_text(text, encoding="utf-8", newline="\n")
    own = f"Hash of {FILE}, which has those of all files: {sha256(data.encode())}"
    return Published(record, len(files), [*check.said, own])


def publish_as_zip(session: Session, **choice: Any) -> tuple[Published, bytes]:
    """Return the result of ``publish`` with this choice, and an archive of its folder."""
    with tempfile.TemporaryDirectory(prefix="record-") as aside:
        folder = Path(aside) / "record"
        done = publish(session, folder, **choice)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        return done, pack(files, below=folder)


def _require(
    session: Session, who: Member | None, member: Member | None, team: Team | None, now: datetime
) -> None:
    """Refuse, with Forbidden, to publish a record that is not theirs to publish."""
    require_scope(session, Scope.read)
    is_own = who is not None and member is not None and member.id == who.id
    if is_own or member_rights(session, who, now=now).unrestricted:
        return
    if team is not None and who is not None:
        require(session, who, Action.manage, team, now=now)
        return
    raise Forbidden(
        "Only a member publishes their own record, and a team's admin the team's.",
        remedy="Ask them, or an admin of the ledger.",
    )
