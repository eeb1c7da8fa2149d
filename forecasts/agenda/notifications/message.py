"""The text of a message: short plain text, with user content made inert.

It contains only questions that the member may see, and of forecasts only the member's own scores,
so a hidden crowd stays hidden.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from forecasts.agenda.notifications.due import DueEvent, news_of
from forecasts.common.text import cut, on_one_line
from forecasts.common.times import to_minute
from forecasts.documents.numbers import number
from forecasts.ledger.models import Article, Event, Member, Resolution, ResolutionState, Score
from forecasts.questions.finality import provisional_outcomes
from forecasts.questions.standing import QuestionState, by_id, in_batches
from forecasts.resolution.proposals import open_proposals
from forecasts.scores.stored_scores import CRPS, MAIN_PROTOCOLS, main_protocol
from forecasts.values.outcomes import NOT_SCORED

LINES = 5  # of each event; the rest is counted
_TITLE_LENGTH = 120  # characters
_REASON_LENGTH = 300
_WORD_JOINER = "\u2060"  # invisible; splits text that a service would read as a mention or link
_SPLITS = re.compile(r"(?<=[@<])(?=\S)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
# Each event's heading, and the words before its time.
_WORDS = {
    Event.resolved: ("Resolved", ""),
    Event.decision: ("Needs your decision", "An outcome was proposed"),
    Event.disputed: ("Disputed, for you to decide", "Its outcome was disputed"),
    Event.parked: (
        "A resolver failed and needs attention",
        "Its resolver failed for the last time",
    ),
    Event.awaiting: ("Closed, for you to resolve", "It closed"),
    Event.closing: ("Closes soon, without your forecast", "It closes"),
    Event.stale: ("Your forecast is due for review", "Your forecast was made"),
    Event.news: ("New articles on your questions", ""),
    Event.closed: ("Closed", "It closed"),
}
_WITHDRAWN = "Outcome withdrawn"  # the heading of an event ``resolved`` that is a withdrawal


@dataclass(frozen=True)
class Message:
    """A title and a body of plain text."""

    title: str
    body: str


def compose(
    session: Session, member: Member, events: Sequence[DueEvent], *, now: datetime
) -> tuple[Message | None, list[DueEvent]]:
    """Return the message about these events, and the events that no longer apply.

    The session reads for the member. None: no event still applies.
    """
    states = by_id(session, sorted({question_id for _, question_id, _ in events}), now=now)
    asked = any(event == Event.decision for event, *_ in events)
    proposals = open_proposals(session) if asked else []
    proposed = {(row.question_id, row.recorded_at) for row, _ in proposals}
    current = [one for one in events if _applies(one, states.get(one[1]), proposed, now)]
    moot = [one for one in events if one not in set(current)]
    if not current:
        return None, moot
    resolved = [states[id_] for event, id_, _ in current if event == Event.resolved]
    scores = _scores(session, member, resolved)
    corrected = _corrected(session, resolved)
    not_final = provisional_outcomes(session, now=now) if resolved else {}
    mornings = {at for event, _, at in current if event == Event.news}
    articles = {
        (id_, at): one for at in mornings for id_, one in news_of(session, member, at).items()
    }
    headed: dict[str, list[str]] = {}
    for one in sorted(current, key=lambda one: list(Event).index(one[0])):
        event, id_, at = one
        note = " (provisional)" if event == Event.resolved and id_ in not_final else ""
        article = articles.get((id_, at))
        line = f"- {_line(one, states[id_], scores, corrected, article)}{note}"
        headed.setdefault(_heading(event, states[id_]), []).append(line)
    body = []
    for heading, lines in headed.items():
        body += [f"{heading}:", *lines[:LINES]]
        if len(lines) > LINES:
            body.append(f"- … and {len(lines) - LINES:,} more")
        body.append("")
    title = f"{len(current):,} events in your forecast ledger"
    if len(current) == 1:
        [heading] = headed
        title = f"{heading}: {_inert(states[current[0][1]].text.title, 60)}"
    return Message(title, "\n".join(body).strip()), moot


def _heading(event: Event, state: QuestionState) -> str:
    withdrawn = event == Event.resolved and state.withdrawal is not None
    return _WITHDRAWN if withdrawn else _WORDS[event][0]


def _applies(
    due: DueEvent,
    state: QuestionState | None,
    proposed: Container[tuple[int, datetime]],
    now: datetime,
) -> bool:
    """Return whether an event still applies; its message may have waited for hours."""
    event, id_, at = due
    if state is None:
        return False
    if event in (Event.closing, Event.stale, Event.news):
        return state.accepts_forecasts(now)
    if event == Event.resolved:
        row = state.resolution or state.withdrawal
        return row is not None and row.recorded_at == at
    if event == Event.decision:
        return (id_, at) in proposed  # perhaps of a correction
    if event == Event.disputed:
        return state.resolution is not None
    return state.resolution is None


def _scores(
    session: Session, member: Member, resolved: Sequence[QuestionState]
) -> dict[int, Score]:
    """Return the member's scores by the id of the resolution, under the question's protocol."""
    ids = [one.resolution.id for one in resolved if one.resolution is not None]
    own = select(Score).where(Score.member_id == member.id, col(Score.protocol).in_(MAIN_PROTOCOLS))
    return {
        row.resolution_id: row
        for some in in_batches(ids)
        for row in session.exec(own.where(col(Score.resolution_id).in_(some)))
    }


def _corrected(session: Session, resolved: Sequence[QuestionState]) -> set[int]:
    """Return the ids of the outcomes that those of the questions correct; not of withdrawals."""
    ids = [one.resolution.supersedes_id or 0 for one in resolved if one.resolution is not None]
    outcome = select(Resolution.id).where(Resolution.state == ResolutionState.confirmed)
    every = (session.exec(outcome.where(col(Resolution.id).in_(some))) for some in in_batches(ids))
    return {id_ for some in every for id_ in some}


def _line(
    due: DueEvent,
    state: QuestionState,
    scores: Mapping[int, Score],
    corrected: Container[int | None],
    article: Article | None,
) -> str:
    event, _, at = due
    title = _inert(state.text.title, _TITLE_LENGTH)
    if event == Event.news:  # without one that was answered meanwhile
        return title if article is None else f"{title} “{_inert(article.title, _TITLE_LENGTH)}”"
    if event != Event.resolved:
        words = _WORDS[event][1]
        if event == Event.decision and state.resolution is not None:
            words = "A correction was proposed"
        return f"{title} {words} on {to_minute(at)}"
    if state.withdrawal is not None:
        outcome = _inert(state.withdrawal.outcome, _TITLE_LENGTH)
        reason = _inert(state.withdrawal.note, _REASON_LENGTH)
        return f"{title} {outcome} was withdrawn: “{reason}”. Its scores no longer count"
    assert state.resolution is not None
    outcome = _inert(state.resolution.outcome, _TITLE_LENGTH)
    if state.resolution.supersedes_id in corrected:
        outcome = f"corrected to {outcome}"
    score = scores.get(state.resolution.id)
    if score is not None:
        name = "CRPS" if main_protocol(state.text.type) == CRPS else "Brier score"
        return f"{title} {outcome}; your {name} is {number(score.score)} (0 is best)"
    missing = "" if state.resolution.outcome in NOT_SCORED else "; you have no score on it"
    return f"{title} {outcome}{missing}"


def _inert(words: str, most: int) -> str:
    r"""Return words on one line that no service reads as a mention, a tag or a link.

    >>> _inert("@all <b> https://x.org", 30).replace("\u2060", "|")
    '@|all <|b> https:|//x.org'
    """
    return _SPLITS.sub(_WORD_JOINER, cut(on_one_line(words), most))
