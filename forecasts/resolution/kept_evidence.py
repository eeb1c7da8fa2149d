"""Exhibits: what a resolver was shown, kept with what it found, so that anybody can check later.

Whence, when, how much and its SHA-256 are history, and in the chain; the bytes, up to a megabyte,
are stored once however many questions looked there, and ``verifying`` compares them with the hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, select

from forecasts.access import visibility
from forecasts.common.errors import BadInput, NotFound
from forecasts.common.limits import EXHIBIT_BYTES
from forecasts.ledger.models import Exhibit, ExhibitContent, Question, Resolution
from forecasts.resolution.resolutions import by_resolution
from forecasts.resolution.resolvers.files import SUFFIXES
from forecasts.resolution.resolvers.protocol import Seen


@dataclass(frozen=True)
class Kept:
    """One exhibit of a question; ``data`` is None where it was too large to be kept."""

    exhibit: Exhibit
    data: bytes | None


_SUFFIXES = {media: suffix for suffix, media in SUFFIXES.items()} | {"text/xml": ".xml"}


def keep(session: Session, resolution: Resolution, seen: Sequence[Seen]) -> list[Exhibit]:
    """Return what was written: an exhibit for each thing that was shown, and its bytes if new."""
    assert resolution.id is not None
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


def shown_for(session: Session, question: Question) -> dict[int, list[Exhibit]]:
    """Return the question's exhibits by the id of the resolution row, in the order shown."""
    return by_resolution(session, question, Exhibit)


def kept(session: Session, question: Question) -> list[Kept]:
    """Return the question's exhibits with their bytes; NotFound where there are none."""
    shown = [row for rows in shown_for(session, question).values() for row in rows]
    if not shown:
        raise NotFound(
            f"Nothing that a resolver was shown is kept with {question.slug!r}.",
            remedy="It is kept from the moment at which a run finds the outcome.",
        )
    return [Kept(row, content(session, row)) for row in shown]


def content(session: Session, exhibit: Exhibit) -> bytes | None:
    """Return the bytes of an exhibit of a question that is seen; None where they are not kept."""
    resolution = session.get_one(Resolution, exhibit.resolution_id)
    visibility.require_visible(session, session.get_one(Question, resolution.question_id))
    return session.exec(
        select(ExhibitContent.data).where(ExhibitContent.sha256 == exhibit.sha256)
    ).first()


def file_name(exhibit: Exhibit) -> str:
    """Return a name for the exhibit's bytes, which nobody's words are part of."""
    suffix = _SUFFIXES.get(exhibit.media, ".bin")
    return f"{exhibit.id}-{exhibit.sha256[:12]}{suffix}"


def save(exhibits: Sequence[Kept], folder: Path) -> list[Path]:
    """Return the files that were written into ``folder``, which is made; those kept only."""
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
            remedy="Name another one with --out.",
        ) from None
    return paths
