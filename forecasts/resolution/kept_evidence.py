"""Exhibits: the documents behind a resolver's finding, kept so that anyone can check it later.

An exhibit's address, time, size and SHA-256 are history, and in the chain. The bytes, up to a
megabyte, are stored once however many questions use them, and verified by their hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sqlmodel import Session, select

from forecasts.access import visibility
from forecasts.common.errors import BadInput, NotFound, Remedy
from forecasts.common.limits import EXHIBIT_BYTES
from forecasts.common.permitted_sources import SUFFIXES
from forecasts.ledger.models import Exhibit, ExhibitContent, Question, Resolution
from forecasts.resolution.proposals import by_resolution
from forecasts.resolution.resolvers.protocol import Seen


@dataclass(frozen=True)
class Kept:
    """One exhibit of a question; ``data`` is None if it was too large to keep."""

    exhibit: Exhibit
    data: bytes | None


_SUFFIXES = {media: suffix for suffix, media in SUFFIXES.items()} | {"text/xml": ".xml"}


def keep(session: Session, resolution: Resolution, seen: Sequence[Seen]) -> list[Exhibit]:
    """Return an exhibit for each document, written with its bytes if they are new."""
    rows = []
    for one in dict.fromkeys(seen):
        row = Exhibit(
            resolution_id=resolution.id,
            address=one.address,
            at=one.at,
            media=one.media,
            sha256=one.sha256,
            size=len(one.content),
        )
        session.add(row)
        rows.append(row)
        there = select(ExhibitContent.id).where(ExhibitContent.sha256 == row.sha256)
        if row.size <= EXHIBIT_BYTES and session.exec(there).first() is None:
            session.add(ExhibitContent(sha256=row.sha256, data=one.content))
            session.flush()
    session.flush()
    return rows


def kept(session: Session, question: Question) -> list[Kept]:
    """Return the question's exhibits with their bytes; NotFound where there are none."""
    exhibits = list(chain(*by_resolution(session, question, Exhibit).values()))
    if not exhibits:
        raise NotFound(
            f"There is no resolver's evidence for {question.slug!r}.",
            remedy="It is kept when a run finds the outcome.",
        )
    return [Kept(row, content(session, row)) for row in exhibits]


def content(session: Session, exhibit: Exhibit) -> bytes | None:
    """Return the bytes of an exhibit, None if they were not kept; NotFound if it is not visible."""
    resolution = session.get_one(Resolution, exhibit.resolution_id)
    visibility.require_visible(session, session.get_one(Question, resolution.question_id))
    return session.exec(
        select(ExhibitContent.data).where(ExhibitContent.sha256 == exhibit.sha256)
    ).first()


def file_name(exhibit: Exhibit) -> str:
    """Return a file name for the exhibit, made of its id and hash alone."""
    suffix = _SUFFIXES.get(exhibit.media, ".bin")
    return f"{exhibit.id}-{exhibit.sha256[:12]}{suffix}"


def save(exhibits: Sequence[Kept], folder: Path) -> list[Path]:
    """Return the files written to ``folder``, which is created; without those not kept."""
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in exhibits:
            if one.data is not None:
                path = folder / file_name(one.exhibit)
                path.write_bytes(one.data)
                paths.append(path)
    except OSError as error:
        raise BadInput(
            f"The folder {str(folder)!r} cannot be written to: {error.strerror or error}.",
            remedy=Remedy("Choose another folder: {}", "", out="FOLDER"),
        ) from None
    return paths
