"""The history of a question's outcome, step by step, with the scores that each change affected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from forecasts.access.members import handles
from forecasts.common.times import to_minute
from forecasts.ledger.models import (
    Dispute,
    Exhibit,
    Question,
    QuestionType,
    Resolution,
    ResolutionState,
)
from forecasts.questions.finality import ProvisionalOutcome
from forecasts.questions.registry import newest_wording
from forecasts.resolution.proposals import by_resolution, history
from forecasts.scores.stored_scores import main_protocol, score_table


@dataclass(frozen=True)
class Rescored:
    """One forecaster's score (0 to 1, 0 is best) on a superseded resolution and on the current one.

    ``protocol``: brier, or crps for a number or a date. None: no score. A ``difference`` below 0
    means that the correction helped.
    """

    forecaster: str
    protocol: str
    before: float | None
    now: float | None

    @property
    def difference(self) -> float | None:
        """The current score minus the earlier one; None if either is missing."""
        return None if self.before is None or self.now is None else self.now - self.before


@dataclass(frozen=True)
class Step:
    """One row of a question's resolution history; ``actor`` is a handle or "a resolver".

    ``corrects``: the outcome that this one corrects. ``superseded``: this outcome was corrected or
    withdrawn; ``rescored`` then compares its scores with the current ones. ``exhibits``: the
    resolver's evidence. ``disputes``: its disputes and their decisions, with the member's handle.
    """

    row: Resolution
    actor: str
    corrects: Resolution | None
    superseded: bool
    rescored: tuple[Rescored, ...]
    exhibits: tuple[Exhibit, ...] = ()
    disputes: tuple[tuple[Dispute, str], ...] = ()


def dated(row: Resolution, format_time: Callable[[datetime], str] = to_minute) -> str:
    """Return ', known at' with its time, or 'recorded at' if an import says only that; else ''."""
    if row.known_at is not None:
        return f", known at {format_time(row.known_at)}"
    return "" if row.resolved_at is None else f", recorded at {format_time(row.resolved_at)}"


def correction(
    earlier: Resolution, row: Resolution, format_time: Callable[[datetime], str] = to_minute
) -> str:
    """Return the changes of a correction, such as 'yes → no', and the times if they differ."""
    changes = [f"{earlier.outcome} → {row.outcome}"] if earlier.outcome != row.outcome else []
    if earlier.known_at != row.known_at:
        before, after = (
            "unknown" if known is None else format_time(known)
            for known in (earlier.known_at, row.known_at)
        )
        changes.append(f"known at {before} → {after}")
    return ", ".join(changes)


def provisional_note(
    outcome: ProvisionalOutcome, format_time: Callable[[datetime], str] = to_minute
) -> str:
    """Return the reason why scores are not final yet, in a sentence."""
    if outcome.dispute is not None:
        since = format_time(outcome.dispute.recorded_at)
        return f"Its scores are provisional: disputed {since}, waiting for a decision."
    return f"Its scores are provisional until {format_time(outcome.until)}, when disputes end."


def withdrawal_note(
    row: Resolution, who: str, format_time: Callable[[datetime], str] = to_minute
) -> str:
    """Return a sentence on the withdrawal by ``who``, its reason, and the part of runs."""
    return (
        f"The outcome {row.outcome} was withdrawn {format_time(row.recorded_at)} by {who}: "
        f"“{row.note}”. If a resolver gives it again, a person decides."
    )


def steps(session: Session, question: Question) -> list[Step]:
    """Return the steps by which the question got its outcome, newest first."""
    rows = history(session, question)
    confirmed: dict[int | None, Resolution]
    confirmed = {row.id: row for row in rows if row.state == ResolutionState.confirmed}
    superseded = {row.supersedes_id for row in rows} & set(confirmed)
    current = next((row for row in confirmed.values() if row.id not in superseded), None)
    named, type = handles(session), newest_wording(session, question).type
    exhibits = by_resolution(session, question, Exhibit)
    disputed = by_resolution(session, question, Dispute)
    return [
        Step(
            row,
            actor="a resolver" if row.member_id is None else named[row.member_id],
            corrects=confirmed.get(row.supersedes_id) if row.id in confirmed else None,
            superseded=row.id in superseded,
            rescored=_rescored(session, row, current, type) if row.id in superseded else (),
            exhibits=tuple(exhibits.get(row.id, ())),
            disputes=tuple((one, named[one.member_id]) for one in disputed.get(row.id, ())),
        )
        for row in reversed(rows)
    ]


def _rescored(
    session: Session, row: Resolution, current: Resolution | None, type: QuestionType
) -> tuple[Rescored, ...]:
    before = {scored.forecaster: scored.score for scored in score_table(session, row)}
    now = {} if current is None else {s.forecaster: s.score for s in score_table(session, current)}
    protocol = main_protocol(type)
    return tuple(
        Rescored(who, protocol, before.get(who), now.get(who)) for who in sorted(before | now)
    )
