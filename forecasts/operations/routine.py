"""Health checks of routine work: scheduled runs, backups, digests, and decisions of people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from forecasts.access.roles import is_shared_ledger
from forecasts.common.errors import Remedy, command
from forecasts.common.text import count
from forecasts.common.times import to_minute
from forecasts.ledger.models import Ledger, Member, UpkeepAct, Watch
from forecasts.ledger.urls import is_embedded
from forecasts.ledger.verification import newest
from forecasts.operations import upkeep
from forecasts.operations.digests import EVERY, is_old
from forecasts.operations.finding import Finding
from forecasts.operations.server_health import TOLERANCE
from forecasts.resolution.disputes import open_disputes
from forecasts.resolution.progress import parked
from forecasts.resolution.proposals import open_proposals
from forecasts.resolution.runs.last_run import run_times

_LONGEST_SILENCE = timedelta(days=2)  # of the runs
_OLDEST_BACKUP = timedelta(days=7)
_PATIENCE = timedelta(days=1)  # in which a question may wait for a person
_GRACE = timedelta(days=7)  # in which a new ledger needs no backup and no digest yet


def check(session: Session, *, now: datetime) -> Iterator[Finding]:
    """Yield whether runs, backups and digests are up to date, and whether questions wait."""
    yield _run(session, now)
    described = session.get(Ledger, 1)
    if described is not None and described.demonstration:
        return
    began = session.scalar(select(func.min(col(Member.created_at))))
    is_new = began is None or now - began < _GRACE
    if is_embedded(session.get_bind()):  # a server's own tools make its backups
        yield _backup(session, now, is_new=is_new)
    yield _digest(session, now, is_new=is_new)
    yield _people(session, now)


def _run(session: Session, now: datetime) -> Finding:
    times = run_times(session)
    is_due = (col(Watch.next_at) <= now) & col(Watch.parked_at).is_(None)
    due = session.exec(select(func.count()).select_from(Watch).where(is_due)).one()
    if times is None and not due:
        return Finding("run", "There was no run yet, and no question needs one.")
    schedule = Remedy("To schedule runs: {}", "schedule", help=True)
    if times is None:
        are = "is" if due == 1 else "are"
        waiting = f"{count(due, 'question')} {are} due"
        return Finding("run", f"There was no run yet, and {waiting}.", schedule)
    result = f"The last run was at {to_minute(times.last)}"
    if times.last > now + TOLERANCE:
        return Finding(
            "run",
            f"{result}, but it is {to_minute(now)} here.",
            "Check the clocks of this machine and of the one that runs. The next run corrects it.",
        )
    if times.is_overdue(now) or (due and now - times.last > _LONGEST_SILENCE):
        return Finding("run", f"{result}; the next is overdue.", ("See its log.", schedule))
    waits = col(Watch.next_at).is_not(None) & col(Watch.parked_at).is_(None)
    is_failing = (col(Watch.attempts) > 0) & waits
    failing = session.exec(select(func.count()).select_from(Watch).where(is_failing)).one()
    if failing:
        failed = f"; checks of {count(failing, 'question')} failed, and are repeated"
        return Finding("run", f"{result}{failed}. To see why: {command('run status')}")
    return Finding("run", f"{result}.")


def _people(session: Session, now: datetime) -> Finding:
    """Return how many questions need a person, and whether one has waited too long."""
    waiting = {
        "parked": [(one.slug, one.since) for one in parked(session)],
        "disputed": [(q.slug, row.recorded_at) for row, _, q in open_disputes(session)],
        "proposed": [(q.slug, row.recorded_at) for row, q in open_proposals(session)],
    }
    questions = {state: {slug for slug, _ in rows} for state, rows in waiting.items()}
    total = len(set().union(*questions.values()))
    if not total:
        return Finding("people", "No question needs a person.")
    counted = ", ".join(f"{len(slugs):,} {state}" for state, slugs in questions.items() if slugs)
    first = min(since for rows in waiting.values() for _, since in rows)
    need = f"{count(total, 'question')} {'needs' if total == 1 else 'need'} a person"
    result = f"{need} ({counted}), the first since {to_minute(first)}"
    if now - first <= _PATIENCE:
        return Finding("people", f"{result}. To list them: {command('run status')}")
    listing = Remedy("Decide on the page Resolve. To list them: {}", "run status")
    return Finding("people", f"{result}.", listing)


def _backup(session: Session, now: datetime, *, is_new: bool) -> Finding:
    row = upkeep.find(session, UpkeepAct.backup)
    remedy = Remedy("Make one, best on another machine or disk: {}", "backup", "FILE")
    if row is None or row.done_at is None:
        return Finding("backup", "There is no backup yet.", "" if is_new else remedy)
    result = f"The last backup was made at {to_minute(row.done_at)}: {row.place}"
    if not is_old(row, newest(session), now=now, age=_OLDEST_BACKUP):
        return Finding("backup", f"{result}.")
    return Finding("backup", f"{result}, and the ledger has gone on since.", remedy)


def _digest(session: Session, now: datetime, *, is_new: bool) -> Finding:
    """Return whether the digest was sent, to the target of the newest attempt."""
    rows = upkeep.rows(session, UpkeepAct.digest)
    if not rows:
        needed = not is_new and is_shared_ledger(session)
        remedy = "Send one every day: set FORECASTS_DIGEST_TO for the runs (docs/history.md)."
        return Finding("digest", "No digest has been sent yet.", remedy if needed else "")
    row = max(rows, key=lambda row: row.tried_at)
    again = Remedy("The next run tries again. To try now: {}", "digest")
    if row.reason:
        tried = f"The digest was not sent to {row.place} at {to_minute(row.tried_at)}"
        return Finding("digest", f"{tried}: {row.reason}", again)
    result = f"The last digest was sent at {to_minute(row.done_at or now)} to {row.place}"
    if not is_old(row, newest(session), now=now, age=2 * EVERY):
        return Finding("digest", f"{result}.")
    return Finding("digest", f"{result}, and the ledger has gone on since.", again)
