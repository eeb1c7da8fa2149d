"""Exports of the ledger, as far as the member may see it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from forecasts.access.roles import member_rights
from forecasts.access.visibility import reading_everything
from forecasts.exchange.folder.archive import pack
from forecasts.exchange.folder.folder import write_folder
from forecasts.exchange.omissions import left_out
from forecasts.ledger.models import Member
from forecasts.scores.frames import Frames, ledger_frames


def exported(
    session: Session,
    *,
    member: Member | None,
    now: datetime,
    questions: Sequence[str] | None = None,
) -> tuple[Frames, list[str]]:
    """Return the part of the ledger that the member may see, and what a folder cannot hold of it.

    ``questions``: export only these slugs, with all evidence and articles; the list of omissions
    is empty then. A ledger's admin, and the owner of a personal ledger, export everything, hidden
    crowds included, so that the ledger can be rebuilt from it.
    """
    everything = member_rights(session, member, now=now).unrestricted
    with reading_everything(session) if everything else nullcontext():
        return ledger_frames(session, questions=questions), (
            left_out(session) if questions is None else []
        )


def as_zip(frames: Frames) -> bytes:
    """Return a ZIP archive of the frames' ledger folder; equal frames make equal archives."""
    with tempfile.TemporaryDirectory(prefix="ledger-") as aside:
        return pack(write_folder(frames, Path(aside) / "ledger"))
