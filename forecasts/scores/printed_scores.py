"""The scores that platforms printed, beside the ledger's own, and why the two may differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from forecasts.access.visibility import question_visible
from forecasts.ledger.models import Member, PrintedScore, QuestionType
from forecasts.questions.origins import platform_name
from forecasts.questions.standing import QuestionState, in_batches

_EQUAL = (
    "The same rule as ours. Ours is equal if everyone’s forecasts are imported, over the same "
    "time; a personal export lacks the others’."
)
_ALONE = "The same rule as ours. Ours is equal if the whole time of the question is imported."
# The ledger's protocol nearest to a platform's score, if there is one, and how the two differ.
_RULES: dict[tuple[str, str], tuple[str, str]] = {
    ("metaculus", "peer"): ("metaculus_peer", _EQUAL),
    ("metaculus", "baseline"): ("metaculus_baseline", _ALONE),
    ("metaculus", "spot_peer"): ("metaculus_spot_peer", _EQUAL),
    ("metaculus", "spot_baseline"): ("metaculus_spot_baseline", _ALONE),
    ("fatebook", "Brier score"): (
        "brier_original",
        "Fatebook scores each day’s mean forecast from 0 to 2 and divides by all days of the "
        "question. Days before the first forecast count as 0, the best score, so late joiners look "
        "better than they are. Ours averages only the time with a forecast.",
    ),
    ("fatebook", "relative Brier score"): (
        "",
        "Fatebook subtracts each day’s median score, so below 0 is better. Days before the first "
        "forecast count as 0, which draws late joiners to zero. Ours against the crowd is above 0 "
        "when it is better.",
    ),
    ("confido", "brier"): (
        "brier_final",
        "Confido’s “brier” is (0.25 − (o − p)²) · 4 of the last forecast: 1 is best, 50% earns 0, "
        "and higher is better. Ours is the Brier score at the close, where 0 is best.",
    ),
}
_UNKNOWN = "This ledger has no such rule; the number is as printed."


@dataclass(frozen=True)
class Printed:
    """A score that a platform printed for a forecaster.

    ``protocol``: the ledger's nearest rule, blank without one; ``ours``: its score, None if it has
    none. ``note``: how the two rules differ. ``coverage``: as printed, None if it was not.
    """

    forecaster: str
    platform: str
    name: str
    score: float
    coverage: float | None
    protocol: str
    ours: float | None
    note: str


def printed_scores(
    session: Session, state: QuestionState, member: Member | None = None
) -> list[Printed]:
    """Return the newest printed scores of a resolved question, by name and forecaster.

    Of all forecasters, or of one member. None before the question is resolved.
    """
    return printed_by_question(session, [state], member).get(state.id, [])


def printed_by_question(
    session: Session, states: Sequence[QuestionState], member: Member | None = None
) -> dict[int, list[Printed]]:
    """Return the printed scores of several questions as ``printed_scores`` does, by their ids.

    Questions without any are left out.
    """
    resolved = {state.id: state for state in states if state.resolution is not None}
    newest: dict[tuple[int, str, str, str], PrintedScore] = {}
    for some in in_batches(list(resolved)):
        found = session.exec(
            select(PrintedScore, Member.handle)
            .join(Member, col(Member.id) == col(PrintedScore.member_id))
            .where(
                col(PrintedScore.question_id).in_(some),
                question_visible(session, PrintedScore.question_id),
                *(() if member is None else (PrintedScore.member_id == member.id,)),
            )
            .order_by(col(PrintedScore.id))
        )
        newest |= {(row.question_id, row.platform, row.name, handle): row for row, handle in found}
    ours = _ours(session, [resolved[id_] for id_ in {key[0] for key in newest}], _protocols(newest))
    printed: dict[int, list[Printed]] = {}
    for (id_, platform, name, handle), row in sorted(newest.items(), key=lambda one: one[0]):
        protocol, note = _RULES.get((platform, name), ("", _UNKNOWN))
        own = ours.get((resolved[id_].slug, protocol, handle))
        printed.setdefault(id_, []).append(
            Printed(handle, platform, name, row.score, row.coverage, protocol, own, note)
        )
    return printed


def printed_notes(printed: Sequence[Printed]) -> list[str]:
    """Return how the rules differ, each difference once, after the names of its scores."""
    names: dict[str, dict[str, None]] = {}
    for one in printed:
        names.setdefault(one.note, {})[f"{platform_name(one.platform)} {one.name}"] = None
    return [f"{', '.join(of)}: {note}" for note, of in names.items()]


def _protocols(newest: Iterable[tuple[int, str, str, str]]) -> list[str]:
    found = {_RULES.get((platform, name), ("", ""))[0] for _, platform, name, _ in newest}
    return sorted(found - {""})


def _ours(
    session: Session, states: Sequence[QuestionState], protocols: Sequence[str]
) -> dict[tuple[str, str, str], float]:
    """Return the ledger's scores by question, protocol and forecaster."""
    slugs = [one.slug for one in states if not QuestionType(one.text.type).is_quantitative]
    if not protocols or not slugs:
        return {}
    # These load pandas, and few questions have scores of a platform.
    import scoring
    from forecasts.folder.frames import rows
    from forecasts.scores.ledger_frames import scoring_frames

    questions, forecasts = scoring_frames(session, questions=slugs)
    return {
        (row.question_id, protocol, row.forecaster): float(row.score)
        for protocol in protocols
        for row in rows(scoring.score(questions, forecasts, protocol))
        if math.isfinite(row.score)
    }
