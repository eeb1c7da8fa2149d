"""The newest backup, and the newest digest sent to each target, as the ledger remembers them."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlmodel import Session, select

from forecasts.ledger.append import written
from forecasts.ledger.current import in_order
from forecasts.ledger.models import Upkeep, UpkeepAct


def record(
    session: Session,
    act: UpkeepAct,
    place: str,
    *,
    now: datetime,
    target: str = "",
    digest: str = "",
    reason: str = "",
) -> Upkeep:
    """Return the row of a backup, or of a digest for a target, which is written.

    ``place``: the part of the target that may be shown. ``digest``: of the chain as it was sent or
    backed up. ``reason``: why it failed; the last success stays in the row.
    """
    row = find(session, act, target)
    if row is None:
        row = Upkeep(key=_key(act, target), act=act, place=place, tried_at=now)
    row.place, row.tried_at, row.reason = place, now, reason
    if not reason:
        row.done_at, row.digest = now, digest
    return written(session, row)


def find(session: Session, act: UpkeepAct, target: str = "") -> Upkeep | None:
    """Return the row of the newest backup, or of digests for this target; None before the first."""
    return session.exec(select(Upkeep).where(Upkeep.key == _key(act, target))).first()


def rows(session: Session, act: UpkeepAct) -> list[Upkeep]:
    """Return the rows of all targets, the first one first."""
    return in_order(session, Upkeep, Upkeep.act == act)


def _key(act: UpkeepAct, target: str) -> str:
    return f"{act}-{hashlib.sha256(target.encode()).hexdigest()}"
