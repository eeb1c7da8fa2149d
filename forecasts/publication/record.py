"""A public record as data: the questions and forecasts of a member or a team that anyone may see.

The reader is a stranger without a role, even in a ledger of one person: restricted and discarded
questions, and crowds that are still hidden, are left out, and so are removed members and erased
words. The numbers follow from the published forecasts alone, so they can be computed again from the
published files (``proof``).

No password or token in an address is published. Evidence is shown without them. Words that a hash
proves cannot be changed: such a rationale or note is left out, and marked, and a question whose
wording or source has one is left out whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import fmean

import pandas as pd
from pandas.api.types import is_string_dtype
from sqlmodel import Session, col, select

import scoring
from forecasts.access.memberships import entered_later
from forecasts.access.visibility import forecast_visible, reading_everything, reading_publicly
from forecasts.common.errors import NotFound
from forecasts.common.secret_addresses import holds_secrets, without_secrets
from forecasts.common.text import count
from forecasts.folder.frames import Frames, rows
from forecasts.ledger import models
from forecasts.ledger.chain import TOMBSTONE, tombstone
from forecasts.ledger.current import newest_memberships
from forecasts.ledger.models import (
    Citation,
    Forecast,
    Member,
    Membership,
    QuestionOrigin,
    QuestionText,
    Removal,
    Resolution,
    Team,
)
from forecasts.questions import registry
from forecasts.questions.origins import origins
from forecasts.questions.standing import QuestionState, by_id, in_batches
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.scores.stored_scores import MAIN_PROTOCOLS
from forecasts.values.value import Value, format_origin, value_of
from forecasts.views.forecasts import Evidence


class PublishedEvidence(Evidence):
    """A piece of evidence that a forecast cites."""

    publisher: str | None
    published_at: datetime | None
    quote: str


@dataclass(frozen=True)
class PublishedForecast:
    """A forecast or a withdrawal, with its words as they are published."""

    row: Forecast
    forecaster: str
    rationale: str
    evidence: Sequence[PublishedEvidence]

    @property
    def made_at(self) -> datetime:
        """The time from which it is current."""
        return self.row.made_at

    @property
    def value(self) -> Value | None:
        """Its value; None for a withdrawal."""
        return None if self.row.withdrawn else value_of(self.row)

    @property
    def imported(self) -> str:
        """Words that say if it was imported, and if it is a price that nobody stated."""
        return format_origin(self.row.origin)


@dataclass(frozen=True)
class PublishedScore:
    """A forecaster's score on a question, 0 at best: Brier, or CRPS for a number or date.

    ``coverage``: the share of the question's time with a forecast.
    """

    forecaster: str
    protocol: str
    score: float
    coverage: float


@dataclass(frozen=True)
class PublishedQuestion:
    """A question with its forecasts by forecaster and time, and their scores once it is resolved.

    ``state``: its newest wording (``text``), its current resolution and its status.
    ``provisional``: the outcome may still be disputed. ``note``: of the resolution. ``origins``:
    the platforms that it was imported from.
    """

    state: QuestionState
    forecasts: tuple[PublishedForecast, ...]
    scores: tuple[PublishedScore, ...]
    provisional: bool
    note: str
    origins: tuple[QuestionOrigin, ...]


@dataclass(frozen=True)
class Unpublished:
    """The questions that were forecast and are not published, by reason, and their forecasts.

    ``secret``: those with a password or a token in their wording or in a source of their outcome.
    """

    not_chosen: int
    restricted: int
    forecasts: int
    secret: int = 0

    @property
    def questions(self) -> int:
        """Their number."""
        return self.not_chosen + self.restricted + self.secret


@dataclass(frozen=True)
class Numbers:
    """The numbers of a record; ``brier`` and ``crps`` are means over questions and forecasters.

    ``imported``: the forecasts that were imported with the time at which they were made.
    ``scored``: the scores that ``brier`` is the mean of. ``first`` and ``last``: the times of the
    first and the last forecast. None without any.
    """

    questions: int
    resolved: int
    forecasts: int
    imported: int
    scored: int
    brier: float | None
    crps: float | None
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class Publication:
    """The public record of a member or a team, its questions from the newest outcome on.

    ``frames``: the same questions and forecasts for reports and charts. ``withheld``: a sentence on
    each question or text that is left out for a secret in it. ``later``: the forecasters whose
    stay in the team was entered after it began.
    """

    title: str
    is_team: bool
    questions: tuple[PublishedQuestion, ...]
    numbers: Numbers
    unpublished: Unpublished
    frames: Frames
    withheld: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


# A member's id with the times from and to which their forecasts count; None is open.
_Span = tuple[int, datetime | None, datetime | None]


def published(
    session: Session,
    *,
    member: Member | None = None,
    team: Team | None = None,
    questions: Sequence[str] | None = None,
    now: datetime,
) -> Publication:
    """Return the public record of a member, or of a team: forecasts made while in the team.

    ``questions``: only these slugs; NotFound for one that has no public forecast of theirs.
    """
    spans = _spans(session, member, team)
    with reading_everything(session):
        every = _forecasts(session, spans)
    with reading_publicly(session, now=now):
        public = _forecasts(session, spans)
        seen = {row.question_id for row in public}
        chosen = seen if questions is None else _chosen(session, questions, seen)
        states = by_id(session, sorted(chosen), now=now)
        secret = questions_with_secrets(session, states)
        shown = {id_: state for id_, state in states.items() if id_ not in secret}
        own = [row for row in public if row.question_id in shown]
        frames = _frames(session, own, shown)
        found = _questions(session, own, shown, frames, now)
    forecast = {row.question_id for row in every}
    return Publication(
        title=member.handle if member is not None else team.name if team is not None else "",
        is_team=team is not None,
        questions=tuple(found),
        numbers=_numbers(found),
        unpublished=Unpublished(
            len(seen - chosen), len(forecast - seen), len(every) - len(own), len(secret)
        ),
        frames=frames,
        withheld=(*secret.values(), *_left_out(found)),
        later=() if team is None else _later(session, team, own),
    )


def _spans(session: Session, member: Member | None, team: Team | None) -> list[_Span]:
    """Return the times in which members' forecasts belong to the record, without removed ones."""
    removed = set(session.exec(select(Removal.member_id)))
    if member is not None:
        return [] if member.id in removed else [(member.id, None, None)]
    of_team = select(Membership).where(
        Membership.team_id == (None if team is None else team.id),
        col(Membership.id).in_(newest_memberships()),
    )
    return [
        (one.member_id, one.joined_at, one.left_at)
        for one in session.exec(of_team.order_by(col(Membership.id)))
        if one.member_id not in removed
    ]


def _later(session: Session, team: Team, own: Sequence[Forecast]) -> tuple[str, ...]:
    """Return the authors of these forecasts whose stay in the team was entered after it began."""
    found = {member for _, member in entered_later(session, Membership.team_id == team.id)}
    return tuple(sorted(name for id_, name in _handles(session, own).items() if id_ in found))


def outside_the_team(session: Session, team: Team, *, now: datetime) -> int:
    """Return how many public forecasts its members made while not in the team."""
    spans = _spans(session, None, team)
    with reading_publicly(session, now=now):
        every = _forecasts(session, [(member, None, None) for member, _, _ in spans])
        return len(every) - len(_forecasts(session, spans))


def _forecasts(session: Session, spans: Sequence[_Span]) -> list[Forecast]:
    """Return the forecasts in these times that the session's reader may see, as paths."""
    members = {member for member, _, _ in spans}
    found = session.exec(
        select(Forecast)
        .where(col(Forecast.member_id).in_(members), forecast_visible(session))
        .order_by(
            col(Forecast.question_id),
            col(Forecast.member_id),
            col(Forecast.made_at),
            col(Forecast.id),
        )
    )
    return [
        row
        for row in found
        if any(
            row.member_id == member
            and (since is None or since <= row.made_at)
            and (until is None or row.made_at < until)
            for member, since, until in spans
        )
    ]


def _chosen(session: Session, slugs: Sequence[str], seen: set[int]) -> set[int]:
    """Return the ids of the chosen questions; NotFound for one that is not public."""
    chosen = set()
    for slug in slugs:
        found = None
        with suppress(NotFound):
            found = registry.find(session, slug).id
        if found not in seen:
            raise NotFound(
                f"{slug!r} has no forecast of this record that everyone may see.",
                remedy="Publish a question that everyone may see, with its forecasts.",
            )
        chosen.add(found)
    return chosen


def _frames(
    session: Session, own: Sequence[Forecast], states: Mapping[int, QuestionState]
) -> Frames:
    """Return the frames of these questions with these forecasts alone."""
    frames = ledger_frames(session, questions=[state.slug for state in states.values()])
    handles = _handles(session, own)
    made = {(states[row.question_id].slug, handles[row.member_id], row.made_at) for row in own}
    forecasts = frames.forecasts
    path = zip(forecasts["question_id"], forecasts["forecaster"], forecasts["made_at"], strict=True)
    keep = pd.Series([one in made for one in path], dtype=bool)
    models = frames.models
    of_these = replace(
        frames,
        forecasts=forecasts[keep].reset_index(drop=True),
        models=None if models is None else models[keep].reset_index(drop=True),
    )
    return _without_secrets(of_these)


def _questions(
    session: Session,
    own: Sequence[Forecast],
    states: Mapping[int, QuestionState],
    frames: Frames,
    now: datetime,
) -> list[PublishedQuestion]:
    """Return the questions, those with the newest outcome first, then the others by close."""
    handles, evidence = _handles(session, own), evidence_of(session, [row.id for row in own])
    paths: dict[int, list[PublishedForecast]] = defaultdict(list)
    for row in own:
        paths[row.question_id].append(
            PublishedForecast(
                row, handles[row.member_id], _published(row.rationale), evidence[row.id]
            )
        )
    scores, imported = _scores(frames), origins(session, list(states))
    deadlines = frames.provisional
    found = []
    for id_, state in states.items():
        disputable = state.resolution is not None and state.slug in deadlines
        until = deadlines.get(state.slug)
        note = "" if state.resolution is None else state.resolution.note
        found.append(
            PublishedQuestion(
                state,
                tuple(paths[id_]),
                tuple(scores.get(state.slug, ())),
                disputable and (until is None or now < until),
                "" if note == TOMBSTONE else _published(note),
                tuple(imported.get(id_, ())),
            )
        )
    return sorted(found, key=_newest_outcome_first)


def evidence_of(session: Session, ids: Sequence[int]) -> dict[int, list[PublishedEvidence]]:
    """Return the evidence of these forecasts by their ids, erased evidence left out."""
    found: dict[int, list[PublishedEvidence]] = defaultdict(list)
    for some in in_batches(ids):
        cited = session.exec(
            select(Citation, models.Evidence)
            .join(models.Evidence, col(models.Evidence.id) == col(Citation.evidence_id))
            .where(col(Citation.forecast_id).in_(some))
            .order_by(col(Citation.id))
        )
        for citation, one in cited:
            if one.key != tombstone("evidence", "key", one.id):
                piece = PublishedEvidence.of(one, stance=citation.stance, share=citation.share)
                found[citation.forecast_id].append(piece)
    return found


def _newest_outcome_first(question: PublishedQuestion) -> tuple[bool, float, int]:
    resolution, text = question.state.resolution, question.state.text
    at = question.state.outcome_at or text.close_time
    order = at.timestamp() if resolution is None else -at.timestamp()
    return resolution is None, order, question.state.id


def _scores(frames: Frames) -> dict[str, list[PublishedScore]]:
    """Return the scores by slug, as they follow from these forecasts."""
    found: dict[str, list[PublishedScore]] = defaultdict(list)
    for protocol in MAIN_PROTOCOLS:
        for one in rows(scoring.score(frames.questions, frames.forecasts, protocol)):
            score = PublishedScore(one.forecaster, protocol, one.score, one.coverage)
            found[one.question_id].append(score)
    return found


def _handles(session: Session, own: Sequence[Forecast]) -> dict[int, str]:
    members = {row.member_id for row in own}
    found = select(Member.id, Member.handle).where(col(Member.id).in_(members))
    return dict(session.exec(found).all())


def _numbers(questions: Sequence[PublishedQuestion]) -> Numbers:
    every = [one for question in questions for one in question.forecasts]
    made = [one.made_at for one in every]
    scores = [score for question in questions for score in question.scores]
    brier, crps = ([one.score for one in scores if one.protocol == of] for of in MAIN_PROTOCOLS)
    return Numbers(
        questions=len(questions),
        resolved=sum(question.state.resolution is not None for question in questions),
        forecasts=len(made),
        imported=sum(bool(one.imported) and one.made_at < one.row.recorded_at for one in every),
        scored=len(brier),
        brier=fmean(brier) if brier else None,
        crps=fmean(crps) if crps else None,
        first=min(made, default=None),
        last=max(made, default=None),
    )


SECRET = "an address with a password or a token"  # noqa: S105 - its name
WITHHELD = f"[Left out: it has {SECRET}.]"


def _published(words: str) -> str:
    """Return a rationale or a note as it is shown: whole, or as the mark of one left out."""
    return WITHHELD if holds_secrets(words) else words


def _left_out(questions: Sequence[PublishedQuestion]) -> Iterator[str]:
    """Yield a sentence on each question with words that are left out."""
    for one in questions:
        words = [one.note, *(made.rationale for made in one.forecasts)]
        if many := words.count(WITHHELD):
            are = count(many, "rationale or note is", "rationales or notes are")
            yield f"{one.state.slug}: {are} left out because of {SECRET}."


def questions_with_secrets(session: Session, states: Mapping[int, QuestionState]) -> dict[int, str]:
    """Return the ids of the questions that cannot be published, each with the reason."""
    found = {}
    for some in in_batches(list(states)):
        sources = select(Resolution.question_id, Resolution.source).order_by(col(Resolution.id))
        for id_, source in session.exec(sources.where(col(Resolution.question_id).in_(some))):
            if holds_secrets(source or ""):
                found[id_] = "outcome's source"
    for id_, state in states.items():
        if any(map(holds_secrets, _texts(state.text))):
            found[id_] = "wording"
    return {
        id_: f"{states[id_].slug} is not published: its {where} has {SECRET}."
        for id_, where in sorted(found.items())
    }


def _texts(text: QuestionText) -> Iterator[str]:
    for name in QuestionText.model_fields:
        value = getattr(text, name)
        yield from [value] if isinstance(value, str) else value if isinstance(value, list) else ()


def _without_secrets(frames: Frames) -> Frames:
    """Return frames without secrets in their texts."""
    return replace(
        frames,
        questions=_masked(frames.questions),
        forecasts=_masked(frames.forecasts),
        evidence=_masked(frames.evidence),
        articles=_masked(frames.articles),
        links=_masked(frames.links),
    )


def _masked(frame: pd.DataFrame) -> pd.DataFrame:
    columns = {
        name: column.map(without_secrets)
        for name, column in frame.items()
        if is_string_dtype(column) and column.str.contains("://|=").any()
    }
    return frame.assign(**{str(name): column for name, column in columns.items()})
