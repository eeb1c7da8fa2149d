"""The ledger on its way out: what whoever exports it may see."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from forecasts.access.roles import member_rights
from forecasts.access.visibility import reading_everything
from forecasts.exchange.folder.archive import zipped
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
    """Return what the member may see of the ledger, and what of it a folder has no place for.

    ``questions``: the slugs of those to export, with the evidence and articles of all; what is
    left out is said of the whole ledger alone.
    To a ledger's admin, and in a ledger of one's own, that is all of it, hidden crowds too: it is
    what a ledger can be made of again.
    """
    everything = member_rights(session, member, now=now).free
    with reading_everything(session) if everything else nullcontext():
        return ledger_frames(session, questions=questions), (
            left_out(session) if questions is None else []
        )


def as_zip(frames: Frames) -> bytes:
    """Return the ZIP archive of the ledger folder of these frames; the same twice is the same."""
    with tempfile.TemporaryDirectory(prefix="ledger-") as aside:
        return zipped(write_folder(frames, Path(aside) / "ledger"))
