"""What a message says: plain text, short, and everyone's words without effect.

It says what the member may see, and of forecasts nothing but what their own have earned; so a crowd
that is hidden from them stays so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from forecasts.agenda.notifications.due import Found
from forecasts.common.text import on_one_line
from forecasts.common.times import to_minute
from forecasts.ledger.models import Event, Member, Question, Score
from forecasts.questions.finality import provisional_outcomes
from forecasts.questions.outcomes import NOT_SCORED
from forecasts.questions.standing import QuestionState, Status, in_batches, listing
from forecasts.scores.scores import CRPS, protocol_of

LINES = 5  # of each event; the others are counted
_TITLE = 120  # signs
_NOTHING_SEEN = "\u2060"  # parts what a service would take for a mention, a tag or a link
_ACTS = re.compile(r"(?<=[@<])(?=\S)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_HEADS = {
    Event.resolved: "Resolved",
    Event.decision: "Waits for your decision",
    Event.disputed: "Disputed, and you may decide",
    Event.parked: "A resolver failed, and waits for a person",
    Event.awaiting: "Closed, and you may resolve it",
    Event.closing: "Closes soon, without your forecast",
    Event.stale: "Your forecast is old",
    Event.closed: "Closed",
}


_SINCE = {
    Event.decision: "An outcome was proposed",
    Event.disputed: "Its outcome was disputed",
    Event.parked: "It was looked up in vain for the last time",
    Event.awaiting: "It closed",
    Event.closing: "It closes",
    Event.stale: "Yours was made",
    Event.closed: "It closed",
}


@dataclass(frozen=True)
class Message:
    """A title and a body of plain text."""

    title: str
    body: str


def compose(
    session: Session, member: Member, told: Sequence[Found], *, now: datetime
) -> tuple[Message | None, list[Found]]:
    """Return the message that tells of these, and those of them that are no longer so.

    The session reads for the member. None: nothing is left to be told.
    """
    state = _stands(session, {question_id for _, question_id, _ in told}, now)
    holds = [one for one in told if _holds(one, state.get(one[1]), now)]
    kept = set(holds)
    moot = [one for one in told if one not in kept]
    if not holds:
        return None, moot
    resolved = [state[id_] for event, id_, _ in holds if event == Event.resolved]
    scores = _scores(session, member, resolved)
    not_final = provisional_outcomes(session, now=now) if resolved else {}
    body = []
    for event in Event:
        these = [one for one in holds if one[0] == event]
        if not these:
            continue
        body.append(f"{_HEADS[event]}:")
        for one in these[:LINES]:
            provisional = event == Event.resolved and one[1] in not_final
            final = "; it is provisional" if provisional else ""
            body.append(f"- {_line(one, state[one[1]], scores)}{final}")
        if len(these) > LINES:
            body.append(f"- … and {len(these) - LINES:,} more")
        body.append("")
    if len(holds) == 1:
        [(event, question_id, _)] = holds
        title = f"{_HEADS[event]}: {_inert(state[question_id].text.title, 60)}"
    else:
        title = f"{len(holds):,} things in your forecast ledger"
    return Message(title, "\n".join(body).strip()), moot


def _stands(session: Session, ids: set[int], now: datetime) -> dict[int, QuestionState]:
    """Return those of the questions that the member may see, as they stand."""
    slugs = [
        slug
        for some in in_batches(sorted(ids))
        for slug in session.exec(select(Question.slug).where(col(Question.id).in_(some)))
    ]
    return {one.id: one for one in listing(session, now=now, only=slugs)}


def _holds(told: Found, state: QuestionState | None, now: datetime) -> bool:
    """Return whether what was to be told is still so; a message may have waited for hours."""
    event, _, at = told
    if state is None:
        return False
    if event in (Event.closing, Event.stale):
        return state.accepts_forecasts(now)
    if event == Event.resolved:
        return state.resolution is not None and state.resolution.recorded_at == at
    if event == Event.decision:
        return state.status == Status.proposed
    if event == Event.disputed:
        return state.resolution is not None
    return state.resolution is None


def _scores(
    session: Session, member: Member, resolved: Sequence[QuestionState]
) -> dict[int, Score]:
    """Return by the resolution what the member earned, under the question's first protocol."""
    ids = [one.resolution.id for one in resolved if one.resolution is not None]
    rows = [
        row
        for some in in_batches(ids)
        for row in session.exec(
            select(Score).where(
                Score.member_id == member.id,
                col(Score.resolution_id).in_(some),
                col(Score.protocol).in_(["brier", CRPS]),
            )
        )
    ]
    return {row.resolution_id: row for row in rows}


def _line(told: Found, state: QuestionState, scores: Mapping[int, Score]) -> str:
    event, _, at = told
    text = state.text
    title = _inert(text.title, _TITLE)
    if event == Event.resolved:
        assert state.resolution is not None
        outcome = _inert(state.resolution.outcome, _TITLE)
        if state.resolution.supersedes_id is not None:
            outcome = f"corrected to {outcome}"
        score = scores.get(state.resolution.id or 0)
        if score is None:
            said = "" if state.resolution.outcome in NOT_SCORED else "; you have no score on it"
            return f"{title} {outcome}{said}"
        name = "CRPS" if protocol_of(text.type) == CRPS else "Brier score"
        return f"{title} {outcome}; your {name} is {score.score:.3f} (0 is best)"
    return f"{title} {_SINCE[event]} on {to_minute(at)}"


def _inert(words: str, most: int) -> str:
    r"""Return words on one line that no service takes for a mention, a tag or a link.

    >>> _inert("@all <b> https://x.org", 30).replace("\u2060", "|")
    '@|all <|b> https:|//x.org'
    """
    line = on_one_line(words)
    line = line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
    return _ACTS.sub(_NOTHING_SEEN, line)
