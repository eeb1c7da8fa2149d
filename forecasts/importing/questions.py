"""The questions of an import: new ones, new wordings and resolutions."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

import pandas as pd
from sqlmodel import Session, select

from forecasts.access.memberships import AUDIENCES
from forecasts.access.roles import Action, ensure_admin, is_shared, require
from forecasts.access.teams import EVERYONE, visibility_fields
from forecasts.common.errors import BadInput, NotFound, Problem, Refused, Remedy
from forecasts.common.times import iso, to_minute
from forecasts.folder.frames import Frames, rows
from forecasts.folder.rules import Wrong
from forecasts.ledger.append import append, written
from forecasts.ledger.models import (
    Article,
    Member,
    QuestionRevision,
    QuestionText,
    Resolution,
    ResolutionState,
    Team,
    Visibility,
)
from forecasts.questions.passages import Passage
from forecasts.questions.registry import (
    NewQuestion,
    insert_questions,
    question_text,
    require_new_slugs,
)
from forecasts.questions.revisions import DECIDES_SCORES, append_wording, reworded
from forecasts.questions.standing import QuestionState, rows_with
from forecasts.reading.text_quotes import TextQuote
from forecasts.resolution.history import dated
from forecasts.resolution.proposals import require_possible
from forecasts.scores.scores import Scored
from forecasts.values.outcomes import read_outcome

# Called with the current step and the share that is done, from 0 to 1.
Progress = Callable[[str, float], None]
_STEP = 50  # questions between two calls


@dataclass(frozen=True)
class Conflict:
    """A fact of an import that contradicts the ledger, or that it cannot have yet."""

    question_id: str
    column: str
    problem: Problem

    @property
    def unfits(self) -> bool:
        """Whether forecasts for the question as imported do not fit the one of the ledger."""
        return self.column in ("type", "options")


@dataclass(frozen=True)
class AssumedTimes:
    """The times of questions that nobody gave, which a later import may widen; by question_id.

    ``reasons``: of wordings with such times (``ASSUMED``). ``widened``: the columns in which this
    import widens such a time of the ledger, even of a resolved question.
    """

    reasons: Mapping[str, str] = field(default_factory=dict)
    widened: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Tolerance:
    """For records of other platforms: what conflicts is left out, and listed in ``conflicts``.

    A person cannot correct the platform, and one question should not prevent the import of the
    others. ``may``: whether the importer may do this on a question. A value that an earlier wording
    had is not news: a member has changed it here, or the export is older than another.
    """

    may: Callable[[Action, QuestionState], bool]
    times: AssumedTimes
    conflicts: list[Conflict] = field(default_factory=list)

    @property
    def unfit(self) -> set[str]:
        """The questions whose forecasts do not fit those of the ledger."""
        return {one.question_id for one in self.conflicts if one.unfits}


@dataclass(frozen=True)
class QuestionChanges:
    """The changes that an import makes to questions, by question_id; none is written yet.

    ``resolutions``: the columns of each, but for the question's id. ``reasons``: of revised
    wordings, where it is another than "imported". ``private``: the new ones that only their
    importer will see, for lack of criteria. ``audiences``: as in ``Imported``.
    """

    reasons: Mapping[str, str]
    private: set[str] = field(default_factory=set)
    audiences: Mapping[str, int] = field(default_factory=dict)
    new: dict[str, NewQuestion] = field(default_factory=dict)
    revised: dict[str, QuestionText] = field(default_factory=dict)
    resolutions: dict[str, dict[str, Any]] = field(default_factory=dict)


def compare_questions(
    session: Session,
    frames: Frames,
    known: Mapping[str, QuestionState],
    member: Member,
    now: datetime,
    on_progress: Progress,
    tolerance: Tolerance | None = None,
    visible_to: Mapping[str, str] = MappingProxyType({}),
) -> QuestionChanges:
    """Return the differences from the ``known`` questions of the ledger; nothing is written.

    ``visible_to``: the audience of new questions, by question_id, as in ``visibility_fields``. The
    others without resolution criteria that others would see are visible to ``member`` only.
    """
    conflicts: list[Conflict] = [] if tolerance is None else tolerance.conflicts

    def note(number: int, slug: str, column: str, value: Any, rule: str) -> None:
        place = f"{frames.place('questions', number)}, column {column}"
        conflicts.append(Conflict(slug, column, Problem(place, str(value), rule)))

    reasons = {} if tolerance is None else tolerance.times.reasons
    others_see = is_shared(session)
    visible_to = {slug: who for slug, who in visible_to.items() if slug not in known}
    audiences = _audiences(session, frames, visible_to, member, now)
    words = ((who.casefold(), who) for who in visible_to.values())
    seen_by = Counter(word if word in AUDIENCES else who for word, who in words)
    if not others_see and seen_by.keys() <= {"", EVERYONE}:
        seen_by.clear()
    found, asked = QuestionChanges(reasons, audiences=seen_by), len(frames.questions)
    earlier = _earlier_wordings(session, list(known.values())) if tolerance else {}
    for number, row in enumerate(rows(frames.questions)):
        if number % _STEP == 0:
            on_progress(f"Question {number + 1:,} of {asked:,}", 0.1 + 0.4 * number / asked)
        slug, state = row.question_id, known.get(row.question_id)
        wrong = partial(note, number, slug)
        text: QuestionText
        if state is None:
            try:
                text = _text(row)
            except BadInput as error:
                invalid = Problem(frames.place("questions", number), slug, error.message)
                raise BadInput(
                    "The import has a question that breaks a rule; nothing was imported.",
                    problems=[invalid],
                ) from None
            if chosen := audiences.get(visible_to.get(slug, "")):
                text = reworded(text, **chosen)
            elif others_see and not text.has_criteria:
                text = reworded(text, visibility=Visibility.author)
                found.private.add(slug)
            found.new[slug] = NewQuestion(slug, text, reason=reasons.get(slug, "registered"))
        else:
            text = state.text
            if changed := changes(row, state, wrong, tolerance, earlier.get(state.id, ())):
                try:
                    text = found.revised[slug] = reworded(state.text, **changed)
                except Refused as error:
                    if tolerance is None:
                        raise
                    wrong("options", row.options, error.message)
        resolution = _resolution(row, text, state, member, now, wrong)
        if resolution and state and tolerance and not tolerance.may(Action.resolve, state):
            wrong("resolution", resolution["outcome"], "you may not resolve this question")
        elif resolution is not None:
            found.resolutions[slug] = resolution
    require_new_slugs(session, list(found.new))
    if conflicts and tolerance is None:
        raise BadInput(
            "The import contradicts this ledger, or has facts that cannot be known yet; nothing "
            "was imported.",
            problems=[one.problem for one in conflicts],
            remedy=Remedy(
                "Resolutions are corrected one by one: {}", "resolve", "QUESTION", "OUTCOME"
            ),
        )
    return found


def _audiences(
    session: Session, frames: Frames, visible_to: Mapping[str, str], member: Member, now: datetime
) -> dict[str, dict[str, Any]]:
    """Return the fields of each audience; BadInput names the places of those that do not exist.

    Forbidden for a team in which the member may not ask.
    """
    found: dict[str, dict[str, Any]] = {"": {}}
    problems = []
    for number, slug in enumerate(frames.questions["question_id"]):
        if (audience := visible_to.get(slug, "")) in found:
            continue
        try:
            fields = found[audience] = visibility_fields(session, audience)
        except NotFound as error:
            place = f"{frames.place('questions', number)}, audience"
            problems.append(Problem(place, audience, f"there is no such team. {error.remedy}"))
            fields = found[audience] = {}
        if team_id := fields.get("team_id"):
            require(session, member, Action.ask, session.get_one(Team, team_id), now=now)
    if problems:
        raise BadInput(
            "The import names audiences that do not exist.",
            problems=problems,
            remedy=Remedy(
                "Write everyone, me or a team's name, or leave the column out: {}",
                "",
                column="visible_to=",
            ),
        )
    return found


def _earlier_wordings(
    session: Session, states: Sequence[QuestionState]
) -> Mapping[int, Sequence[QuestionText]]:
    """Return the wordings before the newest of each question, by its id."""
    numbers = {state.id: state.text.number for state in states if state.text.number > 1}
    earlier: defaultdict[int, list[QuestionText]] = defaultdict(list)
    of = QuestionRevision.question_id
    for text in rows_with(session, select(QuestionRevision), of, list(numbers)):
        if text.number < numbers[text.question_id]:
            earlier[text.question_id].append(text)
    return earlier


def write_questions(
    session: Session,
    found: QuestionChanges,
    frames: Frames,
    known: Mapping[str, QuestionState],
    articles: dict[str, Article],
    member: Member,
    now: datetime,
) -> list[Scored]:
    """Return the new resolutions; they and the other changes are written."""
    new = dict(found.new)
    for row in rows(frames.questions[frames.questions["article_url"] != ""]):
        if row.question_id in new:
            sources = _passages(session, row, articles, member, now)
            new[row.question_id] = new[row.question_id]._replace(sources=sources)
    if any(one.text.visibility != Visibility.everyone for one in new.values()):
        ensure_admin(session, member, now=now)
    new_ids = insert_questions(session, list(new.values()), member=member, now=now)
    ids = dict(zip(new, new_ids, strict=True)) | {slug: one.id for slug, one in known.items()}
    for slug, text in found.revised.items():
        reason = found.reasons.get(slug, "imported")
        append_wording(session, known[slug].text, text, member=member, now=now, reason=reason)
    if not found.resolutions:
        return []
    questions = [ids[slug] for slug in found.resolutions]
    resolved = list(found.resolutions.values())
    columns = {name: [one[name] for one in resolved] for name in resolved[0]}
    rows_of = append(session, "resolution", columns | {"question_id": questions})
    return [Scored(*pair) for pair in zip(questions, rows_of, strict=True)]


def changes(
    row: Any,
    state: QuestionState,
    wrong: Wrong,
    tolerance: Tolerance | None = None,
    earlier: Sequence[QuestionText] = (),
) -> dict[str, Any]:
    """Return the row's differences from the ledger; a forbidden change is a problem.

    Blanks are ignored, and so are the values of ``earlier`` wordings, and a title that is the id,
    which replaces a blank title. Times that nobody gave may be widened after the outcome.
    """
    changes = {
        name: value
        for name, value in _fields(row).items()
        if value not in (None, False, [])
        and value != getattr(state.text, name)
        and not any(value == getattr(text, name) for text in earlier)
    }
    if row.title == row.question_id:
        changes.pop("title", None)
    widened = set(tolerance.times.widened.get(row.question_id, ())) if tolerance else set[str]()
    if changes and tolerance and not tolerance.may(Action.revise, state):
        for name in changes.keys() - widened:
            wrong(name, changes[name], "you may not reword this question")
        return {}
    fixed = {"type"} if state.resolution is None else set(DECIDES_SCORES) - widened
    for name in sorted(fixed & set(changes)):
        here = getattr(state.text, name)
        rule = "a question's type is fixed" if name == "type" else "the question is resolved"
        wrong(name, changes[name], f"{here or 'blank'} in this ledger, and {rule}")
    if "type" in changes:
        return {}  # the others belong to that type
    return {name: value for name, value in changes.items() if name not in fixed}


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
    if url not in articles:  # an article without text
        digest = address_hash(url)
        article = Article(
            content_hash=digest, url=url, title=url, captured_at=now, member_id=member.id
        )
        articles[url] = written(session, article)
    return [Passage(articles[url], TextQuote(row.quote))]


def address_hash(url: str) -> str:
    """Return the content hash of an article without text: that of its address."""
    return hashlib.sha256(url.encode()).hexdigest()


def _resolution(
    row: Any,
    text: QuestionText,
    state: QuestionState | None,
    member: Member,
    now: datetime,
    wrong: Wrong,
) -> dict[str, Any] | None:
    """Return the columns of a new resolution, but for the question's id; None without one."""
    if not row.resolution.strip():
        return None
    try:
        outcome = read_outcome(row.resolution, text)
    except BadInput as error:
        wrong("resolution", row.resolution, error.remedy)
        return None
    known_at, resolved_at = time_of(row.known_at), time_of(row.resolved_at)  # blank: not given
    current = None if state is None else state.resolution
    if current is not None:
        if current.outcome != outcome or known_at not in (None, current.known_at):
            wrong("resolution", outcome, f"resolved here as {current.outcome}{dated(current)}")
        return None
    withdrawn = None if state is None else state.withdrawal
    if withdrawn is not None and _is_withdrawn(withdrawn, outcome, known_at):
        wrong("resolution", outcome, f"withdrawn here at {to_minute(withdrawn.recorded_at)}")
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
    return dict.fromkeys(("resolver_id", "proposal_id")) | {
        "supersedes_id": None if withdrawn is None else withdrawn.id,
        "state": str(ResolutionState.confirmed),
        "outcome": outcome,
        "known_at": known_at,
        "resolved_at": resolved_at,
        "recorded_at": now,
        "member_id": member.id,
        "note": row.resolution_note,
        "source": row.resolution_source,
    }


def _is_withdrawn(withdrawn: Resolution, outcome: str, known_at: datetime | None) -> bool:
    """Return whether an import repeats a withdrawn outcome: it does not undo the withdrawal."""
    same_time = None in (known_at, withdrawn.known_at) or known_at == withdrawn.known_at
    return withdrawn.outcome == outcome and same_time


def time_of(value: Any) -> datetime | None:
    """Return a frame's time, None if it is blank."""
    return None if value is pd.NaT else value.to_pydatetime()
