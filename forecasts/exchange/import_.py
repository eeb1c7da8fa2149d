"""Frames into the database: all or nothing, and the same twice changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from forecasts.access.members import member_or_new
from forecasts.access.memberships import join, team_or_new
from forecasts.access.roles import Action, is_shared, member_rights, require
from forecasts.access.visibility import reading_everything
from forecasts.articles.article import CapturedArticle, content_hash
from forecasts.articles.text_quotes import TextQuote
from forecasts.common.errors import BadInput, Problem, Refused
from forecasts.common.times import iso
from forecasts.exchange.import_forecasts import add_forecasts
from forecasts.ledger import database
from forecasts.ledger.models import (
    DIGEST_ADDRESS,
    Article,
    Evidence,
    Member,
    Question,
    QuestionText,
    Resolution,
    ResolutionState,
)
from forecasts.questions.outcomes import read_outcome
from forecasts.questions.registry import insert_question, question_text
from forecasts.questions.revisions import DECIDES_SCORES, append_wording, reworded
from forecasts.questions.sources import Passage
from forecasts.questions.standing import QuestionState, listing
from forecasts.resolution.outcome_checks import require_possible
from forecasts.scores import scores
from forecasts.scores.frames import Frames, rows

# What is told of the progress: what is being done, and how far it is, from 0 to 1.
Tell = Callable[[str, float], None]
_STEP = 50  # questions between two words on the progress


@dataclass(frozen=True)
class Imported:
    """How many rows of each kind were new to the ledger."""

    questions: int
    revised: int
    forecasts: int
    resolutions: int
    scores: int
    evidence: int
    articles: int
    unvouched: int = 0

    def __str__(self) -> str:
        """Say it in a line, for a person."""
        return (
            f"{self.questions} new questions, {self.revised} revised, {self.forecasts} forecasts, "
            f"{self.resolutions} resolutions, {self.scores} scores, {self.evidence} pieces of "
            f"evidence, {self.articles} articles"
        )


def import_frames(
    session: Session,
    frames: Frames,
    *,
    member: Member,
    now: datetime,
    vouch: bool = False,
    tell: Tell = lambda _words, _share: None,
) -> Imported:
    """Return what was new; everything that the ledger does not hold yet is written.

    A question that stands in the ledger with other words is revised (the earlier words stay); a
    blank cell says nothing. BadInput where the file contradicts what an import may not correct (a
    resolution, what a resolved question's scores are worked out from, a question's type, evidence,
    who left a team when), and where it claims what lies ahead of ``now``.
    Forecasts are marked as imports. With ``vouch``, and always in a ledger of one's own, whose
    owner is its admin, they count as made when the file claims; otherwise as made ``now``, and the
    claim is kept beside (a later import that vouches adds them at their times). Resolutions that
    stand are scored again where forecasts or wordings came in.
    Forbidden for what the member may not do one by one: see ``_require_may_import``.
    ``tell`` is told what is being done and how far it is (0..1); what it raises ends the import.
    """
    vouched = vouch or not is_shared(session)
    if vouch:
        require(session, member, Action.vouch, now=now)
    known = {
        state.slug: state
        for state in listing(session, now=now, only=frames.questions["question_id"].tolist())
    }
    _require_may_import(session, frames, known, member, now)
    tell("Members, articles and evidence", 0.0)
    members = _members(session, frames, now)
    for row in rows(frames.teams):
        team = team_or_new(session, row.team, now=now)
        join(
            session,
            team,
            members[row.forecaster],
            joined_at=_time(row.joined_at),
            left_at=_time(row.left_at),
        )
    articles, by_address = _articles(session, frames.articles, member, now)
    evidence = _evidence(session, frames.evidence, by_address, member, now)
    new, revised, resolutions = _questions(session, frames, known, by_address, member, now, tell)
    tell(f"{len(frames.forecasts):,} forecasts", 0.5)
    with reading_everything(session):
        forecasts = add_forecasts(
            session,
            frames,
            members,
            new_only=not known,
            vouched_by=member if vouched else None,
            now=now,
        )
    session.flush()
    touched = revised.union(forecasts)
    to_score = resolutions + [
        state.resolution
        for state in known.values()
        if state.resolution is not None and state.id in touched
    ]
    tell("Scores", 0.8)
    return Imported(
        questions=new,
        revised=len(revised),
        forecasts=len(forecasts),
        resolutions=len(resolutions),
        scores=scores.store(session, to_score) if to_score else 0,
        evidence=evidence,
        articles=articles,
        unvouched=0 if vouched else len(forecasts),
    )


class _Undone(Exception):
    """Ends a rehearsal."""


def rehearse(
    engine: Engine,
    frames: Frames,
    *,
    acting: Callable[[Session], Member],
    now: datetime,
    vouch: bool = False,
    tell: Tell = lambda _words, _share: None,
) -> Imported:
    """Return what ``import_frames`` would find new; nothing is written.

    It is imported and undone, so it takes the turn to write for as long, and what refuses the one
    refuses the other. ``acting`` returns who imports.
    """
    done: list[Imported] = []
    with suppress(_Undone), database.writing(engine) as session:
        member = acting(session)
        done.append(import_frames(session, frames, member=member, now=now, vouch=vouch, tell=tell))
        raise _Undone
    return done[0]


def _require_may_import(
    session: Session, frames: Frames, known: dict[str, QuestionState], member: Member, now: datetime
) -> None:
    """Refuse what the member may not do: an import is no way around that.

    It takes an admin to bring in forecasts of others, and who was in which team. One's own
    forecasts, new questions, new wordings and resolutions take what they take one by one.
    """
    if member_rights(session, member, now=now).unrestricted:
        return
    if len(frames.teams) or set(frames.forecasts["forecaster"]) - {member.handle}:
        require(session, member, Action.record, now=now)
    require(session, member, Action.ask, now=now)
    for row in rows(frames.questions):
        state = known.get(row.question_id)
        if state is None:
            continue
        require(session, member, Action.forecast, state.question, now=now)
        if _changes(row, state, _unnoted):
            require(session, member, Action.revise, state.question, now=now)
        if row.resolution.strip() and state.resolution is None:
            require(session, member, Action.resolve, state.question, now=now)


def _unnoted(column: str, value: Any, rule: str) -> None:
    """Pass over what is wrong with a cell: it is noted when the row is taken in."""


def _time(value: Any) -> datetime | None:
    return None if value is pd.NaT else value.to_pydatetime()


def _members(session: Session, frames: Frames, now: datetime) -> dict[str, Member]:
    handles = pd.concat([frames.forecasts["forecaster"], frames.teams["forecaster"]]).unique()
    return {handle: member_or_new(session, handle, now=now) for handle in handles}


def _articles(
    session: Session, articles: pd.DataFrame, member: Member, now: datetime
) -> tuple[int, dict[str, Article]]:
    """Return how many articles are new, and every article by its address.

    Words that stand in the ledger already are that article, at whatever address the file has them.
    """
    by_address = {
        article.address: article
        for article in session.exec(select(Article).order_by(col(Article.id).desc()))
    }
    new = 0
    for row in rows(articles):
        pasted = row.url.startswith(DIGEST_ADDRESS)
        published = _time(row.published_at)
        if row.text.strip():
            digest = content_hash(
                CapturedArticle(row.title, row.publisher, row.author, published, row.url, row.text)
            )
        elif pasted:
            digest = row.url.removeprefix(DIGEST_ADDRESS)
        else:
            digest = _address_hash(row.url)
        article = session.exec(select(Article).where(Article.content_hash == digest)).first()
        if article is None:
            article = Article(
                content_hash=digest,
                url=None if pasted else row.url or None,
                title=row.title or row.url,
                publisher=row.publisher or None,
                author=row.author or None,
                published_at=published,
                captured_at=_time(row.captured_at) or now,
                member_id=member.id,
                text=row.text,
            )
            session.add(article)
            new += 1
            session.flush()
        by_address[row.url or article.address] = article
    return new, by_address


def _evidence(
    session: Session,
    evidence: pd.DataFrame,
    articles: dict[str, Article],
    member: Member,
    now: datetime,
) -> int:
    known = {item.key: item for item in session.exec(select(Evidence))}
    problems = [
        Problem(f"evidence {row.evidence_id}, {name}", said, f"in this ledger: {present!r}")
        for row in rows(evidence)
        if row.evidence_id in known
        for name in ("kind", "title", "url", "publisher", "note", "quote")
        # A kind that is left blank reads as "other".
        if (said := getattr(row, name)) not in ("", "other" if name == "kind" else "")
        and said != (present := str(getattr(known[row.evidence_id], name) or ""))
    ]
    if problems:
        raise BadInput(
            "The import contradicts evidence that stands in this ledger; nothing was imported.",
            problems=problems,
            remedy="Give the other evidence an id of its own.",
        )
    new = [
        Evidence(
            key=row.evidence_id,
            kind=row.kind,
            title=row.title,
            url=row.url or None,
            publisher=row.publisher or None,
            published_at=_time(row.published_at),
            quote=row.quote,
            note=row.note,
            article_id=articles[row.url].id if row.url in articles else None,
            member_id=member.id,
            recorded_at=now,
        )
        for row in rows(evidence)
        if row.evidence_id not in known
    ]
    session.add_all(new)
    session.flush()
    return len(new)


def _questions(
    session: Session,
    frames: Frames,
    known: dict[str, QuestionState],
    articles: dict[str, Article],
    member: Member,
    now: datetime,
    tell: Tell,
) -> tuple[int, set[int], list[Resolution]]:
    """Return how many questions are new, the ids of those revised, and the new resolutions."""
    problems: list[Problem] = []
    new, revised = 0, set[int]()
    resolutions: list[Resolution] = []
    for number, row in enumerate(rows(frames.questions)):
        if number % _STEP == 0:
            asked = len(frames.questions)
            tell(f"Question {number + 1:,} of {asked:,}", 0.1 + 0.4 * number / asked)
        text: QuestionText
        wrong = _Wrong(frames, number, problems)
        state = known.get(row.question_id)
        if state is None:
            new += 1
            text = _text(row)
            sources = []
            if row.article_url:
                article = articles.get(row.article_url)
                if article is None:
                    article = _stub(session, row.article_url, member, now)
                    articles[row.article_url] = article
                sources = [Passage(article, TextQuote(row.quote))]
            question = insert_question(
                session, text, slug=row.question_id, member=member, now=now, sources=sources
            )
        else:
            question, text = state.question, state.text
            changes = _changes(row, state, wrong)
            if changes:
                new_text = reworded(state.text, **changes)
                text = append_wording(
                    session, state.text, new_text, member=member, now=now, reason="imported"
                )
                revised.add(state.id)
        resolution = _resolution(row, question, text, state, member, now, wrong)
        if resolution is not None:
            resolutions.append(resolution)
    if problems:
        raise BadInput(
            "The import contradicts what stands in this ledger, or what can be known by now; "
            "nothing was imported.",
            problems=problems,
            remedy="Resolutions are corrected one by one with: forecasts resolve QUESTION OUTCOME.",
        )
    session.add_all(resolutions)
    session.flush()
    return new, revised, resolutions


@dataclass(frozen=True)
class _Wrong:
    """Notes what is wrong with the cells of one question's row."""

    frames: Frames
    number: int
    problems: list[Problem]

    def __call__(self, column: str, value: Any, rule: str) -> None:
        place = self.frames.place("questions", self.number)
        self.problems.append(Problem(f"{place}, column {column}", str(value), rule))


def _changes(
    row: Any, state: QuestionState, wrong: Callable[[str, Any, str], None]
) -> dict[str, Any]:
    """Return what the row says otherwise than the ledger; what may not change is a problem.

    A blank says nothing, and neither does a title that is the id, which stands in for a blank one.
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
    return {
        name: _blank_is_none(getattr(row, name))
        for name in QuestionText.model_fields
        if hasattr(row, name)
    }


def _text(row: Any) -> QuestionText:
    fields = _fields(row)
    for name in ("family", "background", "resolution_criteria", "fine_print"):
        fields[name] = fields[name] or ""
    return question_text(**fields)


def _blank_is_none(value: Any) -> Any:
    if isinstance(value, pd.Timestamp) or value is pd.NaT:
        return _time(value)
    return None if isinstance(value, str) and value == "" else value


def _address_hash(url: str) -> str:
    """Return what stands for the content of an article of which only the address is known."""
    return hashlib.sha256(url.encode()).hexdigest()


def _stub(session: Session, url: str, member: Member, now: datetime) -> Article:
    """Return an article of which only the address is known."""
    article = Article(
        content_hash=_address_hash(url),
        url=url,
        title=url,
        captured_at=now,
        member_id=member.id,
    )
    session.add(article)
    session.flush()
    return article


def _resolution(
    row: Any,
    question: Question,
    text: QuestionText,
    state: QuestionState | None,
    member: Member,
    now: datetime,
    wrong: _Wrong,
) -> Resolution | None:
    if not row.resolution.strip():
        return None
    outcome = read_outcome(row.resolution, text)
    known_at, resolved_at = _time(row.known_at), _time(row.resolved_at)  # blank: not said
    if state is not None and state.resolution is not None:
        standing = state.resolution
        if standing.outcome != outcome or known_at not in (None, standing.known_at):
            wrong(
                "resolution",
                outcome,
                f"resolved here as {standing.outcome}, known at {standing.known_at}",
            )
        return None
    for column, value, said in (
        ("resolution", row.resolution, None),
        ("known_at", known_at, known_at),
    ):
        try:
            require_possible(text, row.question_id, outcome, said, now)
        except Refused as error:
            wrong(column, value, error.message)
            return None
    if resolved_at is not None and resolved_at > now:
        wrong("resolved_at", resolved_at, f"not ahead of now, {iso(now)}")
        return None
    assert question.id is not None
    return Resolution(
        question_id=question.id,
        state=ResolutionState.confirmed,
        outcome=outcome,
        known_at=known_at,
        resolved_at=resolved_at,
        recorded_at=now,
        member_id=member.id,
        note=row.resolution_note,
        source=row.resolution_source,
    )
