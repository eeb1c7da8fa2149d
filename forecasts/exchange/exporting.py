"""The ledger on its way out: what whoever exports it may see."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime

from sqlmodel import Session

from forecasts.access import for_the_ledger, rights_of
from forecasts.exchange.left_out import left_out
from forecasts.frames import Frames, ledger_frames
from forecasts.models import Member


def exported(session: Session, *, member: Member | None, now: datetime) -> tuple[Frames, list[str]]:
    """Return what the member may see of the ledger, and what of it a folder has no place for.

    To a ledger's admin, and in a ledger of one's own, that is all of it, hidden crowds too: it is
    what a ledger can be made of again.
    """
    everything = rights_of(session, member, now=now).free
    with for_the_ledger(session) if everything else nullcontext():
        return ledger_frames(session), left_out(session)
