"""The questions of an import: new ones, new wordings and resolutions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
from sqlmodel import Session

from forecasts.articles.text_quotes import TextQuote
from forecasts.common.errors import BadInput, Problem, Refused
from forecasts.common.times import iso
from forecasts.exchange.folder.rules import Wrong
from forecasts.ledger.models import (
    Article,
    Member,
    QuestionText,
    Resolution,
    ResolutionState,
    Visibility,
)
from forecasts.questions.outcomes import read_outcome
from forecasts.questions.registry import (
    NewQuestion,
    insert_questions,
    others_see,
    question_text,
    require_new_slugs,
)
from forecasts.questions.revisions import DECIDES_SCORES, append_wording, reworded
from forecasts.questions.sources import Passage
from forecasts.questions.standing import QuestionState
from forecasts.resolution.outcome_checks import require_possible
from forecasts.scores.frames import Frames, rows

# Called with the current step and the share that is done, from 0 to 1.
Progress = Callable[[str, float], None]
_STEP = 50  # questions between two calls


@dataclass(frozen=True)
class QuestionChanges:
    """The changes that an import makes to questions, by question_id; none is written yet.

    ``kept_private``: the number of new questions that only their importer will see.
    """

    new: dict[str, NewQuestion]
    kept_private: int
    revised: dict[str, QuestionText]
    resolutions: dict[str, Resolution]


def compare_questions(
    session: Session,
    frames: Frames,
    known: dict[str, QuestionState],
    member: Member,
    now: datetime,
    on_progress: Progress,
) -> QuestionChanges:
    """Return the differences from the questions that the ledger has, ``known``; nothing is written.

    New questions without resolution criteria that others would see are visible to ``member`` only.
    """
    problems: list[Problem] = []

    def note(number: int, column: str, value: Any, rule: str) -> None:
        place = frames.place("questions", number)
        problems.append(Problem(f"{place}, column {column}", str(value), rule))

    found = QuestionChanges({}, 0, {}, {})
    kept_private = 0
    for number, row in enumerate(rows(frames.questions)):
        if number % _STEP == 0:
            asked = len(frames.questions)
            on_progress(f"Question {number + 1:,} of {asked:,}", 0.1 + 0.4 * number / asked)
        wrong = partial(note, number)
        state = known.get(row.question_id)
        text: QuestionText
        if state is None:
            text = _text(row)
            if not text.has_criteria and others_see(session, text):
                text = reworded(text, visibility=Visibility.author)
                kept_private += 1
            found.new[row.question_id] = NewQuestion(row.question_id, text)
        else:
            text = state.text
            if changed := changes(row, state, wrong):
                text = found.revised[row.question_id] = reworded(state.text, **changed)
        resolution = _resolution(row, text, state, member, now, wrong)
        if resolution is not None:
            found.resolutions[row.question_id] = resolution
    require_new_slugs(session, list(found.new))
    if problems:
        raise BadInput(
            "The import contradicts this ledger, or has facts that cannot be known yet; nothing "
            "was imported.",
            problems=problems,
            remedy="Resolutions are corrected one by one with: forecasts resolve QUESTION OUTCOME.",
        )
    return replace(found, kept_private=kept_private)


def write_questions(
    session: Session,
    found: QuestionChanges,
    frames: Frames,
    known: dict[str, QuestionState],
    articles: dict[str, Article],
    member: Member,
    now: datetime,
) -> list[Resolution]:
    """Return the new resolutions; they and the other changes are written."""
    new = [
        found.new[row.question_id]._replace(sources=_passages(session, row, articles, member, now))
        for row in rows(frames.questions)
        if row.question_id in found.new
    ]
    written = insert_questions(session, new, member=member, now=now)
    ids = {question.slug: question.id for question in written}
    ids |= {slug: state.id for slug, state in known.items()}
    for slug, text in found.revised.items():
        append_wording(session, known[slug].text, text, member=member, now=now, reason="imported")
    for slug, resolution in found.resolutions.items():
        resolution.question_id = ids[slug]
    session.add_all(found.resolutions.values())
    session.flush()
    return list(found.resolutions.values())


def changes(row: Any, state: QuestionState, wrong: Wrong) -> dict[str, Any]:
    """Return the row's differences from the ledger; a forbidden change is a problem.

    Blanks are ignored, and so is a title that is the id, which replaces a blank title.
    """
    changes = {
        name: value
        for name, value in _fields(row).items()
        if value not in (None, False, []) and value != getattr(state.text, name)
    }
    if row.title == row.question_id:
        changes.pop("title", None)
    fixed = {"type"} if state.resolution is None else set(DECIDES_SCORES)
    for name in sorted(fixed & set(changes)):
        here = getattr(state.text, name)
        rule = "a question's type is fixed" if name == "type" else "the question is resolved"
        wrong(name, changes[name], f"{here or 'blank'} in this ledger, and {rule}")
    return {} if fixed & set(changes) else changes


def _fields(row: Any) -> dict[str, Any]:
    """Return the row's fields of a wording; blanks are None."""
    given = {name: getattr(row, name) for name in QuestionText.model_fields if hasattr(row, name)}
    for name, value in given.items():
        if isinstance(value, pd.Timestamp) or value is pd.NaT:
            given[name] = time_of(value)
        elif value == "":
            given[name] = None
    return given


def _text(row: Any) -> QuestionText:
    """Return the first wording of a new question."""
    fields = _fields(row)
    for name in ("family", "background", "resolution_criteria", "fine_print"):
        fields[name] = fields[name] or ""
    return question_text(**fields)


def _passages(
    session: Session, row: Any, articles: dict[str, Article], member: Member, now: datetime
) -> list[Passage]:
    """Return the passage that a new question was taken from; its article may be written."""
    url = row.article_url
    if not url:
        return []
    if url not in articles:
        articles[url] = _stub(session, url, member, now)
    return [Passage(articles[url], TextQuote(row.quote))]


def address_hash(url: str) -> str:
    """Return the content hash of an article without text: that of its address."""
    return hashlib.sha256(url.encode()).hexdigest()


def _stub(session: Session, url: str, member: Member, now: datetime) -> Article:
    """Return an article without text, which is written."""
    article = Article(
        content_hash=address_hash(url), url=url, title=url, captured_at=now, member_id=member.id
    )
    session.add(article)
    session.flush()
    return article


def _resolution(
    row: Any,
    text: QuestionText,
    state: QuestionState | None,
    member: Member,
    now: datetime,
    wrong: Wrong,
) -> Resolution | None:
    if not row.resolution.strip():
        return None
    outcome = read_outcome(row.resolution, text)
    known_at, resolved_at = time_of(row.known_at), time_of(row.resolved_at)  # blank: not given
    current = None if state is None else state.resolution
    if current is not None:
        if current.outcome != outcome or known_at not in (None, current.known_at):
            rule = f"resolved here as {current.outcome}, known at {current.known_at}"
            wrong("resolution", outcome, rule)
        return None
    for column, value, claimed in (
        ("resolution", row.resolution, None),
        ("known_at", known_at, known_at),
    ):
        try:
            require_possible(text, row.question_id, outcome, claimed, now)
        except Refused as error:
            wrong(column, value, error.message)
            return None
    if resolved_at is not None and resolved_at > now:
        wrong("resolved_at", resolved_at, f"not ahead of now, {iso(now)}")
        return None
    return Resolution(
        question_id=0 if state is None else state.id,  # of a new question: once it is written
        state=ResolutionState.confirmed,
        outcome=outcome,
        known_at=known_at,
        resolved_at=resolved_at,
        recorded_at=now,
        member_id=member.id,
        note=row.resolution_note,
        source=row.resolution_source,
    )


def time_of(value: Any) -> datetime | None:
    """Return a frame's time, None if it is blank."""
    return None if value is pd.NaT else value.to_pydatetime()
