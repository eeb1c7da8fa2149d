"""Import frames into the ledger: all or nothing; a second import of the same changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from forecasts.access.members import member_or_new
from forecasts.access.memberships import join, team_or_new
from forecasts.access.roles import Action, is_shared, member_rights, require
from forecasts.access.visibility import reading_everything
from forecasts.articles.article import CapturedArticle, content_hash
from forecasts.common.errors import BadInput, Problem
from forecasts.exchange.import_forecasts import add_forecasts
from forecasts.exchange.import_questions import (
    Progress,
    add_questions,
    address_hash,
    changes,
    time_of,
)
from forecasts.ledger import database
from forecasts.ledger.models import DIGEST_ADDRESS, Article, Evidence, Member
from forecasts.questions.standing import QuestionState, listing
from forecasts.scores import scores
from forecasts.scores.frames import Frames, rows


@dataclass(frozen=True)
class Imported:
    """The numbers of rows of each kind that were new to the ledger."""

    questions: int
    revised: int
    forecasts: int
    resolutions: int
    scores: int
    evidence: int
    articles: int
    unvouched: int = 0
    kept_private: int = 0  # of the questions

    def __str__(self) -> str:
        """Return the numbers on one line."""
        return (
            f"{self.questions} new questions, {self.revised} revised, {self.forecasts} forecasts, "
            f"{self.resolutions} resolutions, {self.scores} scores, {self.evidence} pieces of "
            f"evidence, {self.articles} articles"
        )

    @property
    def private_note(self) -> str:
        """Return that some questions are visible to their importer only, and the remedy; or ''."""
        if not self.kept_private:
            return ""
        lack = "question lacks" if self.kept_private == 1 else "questions lack"
        return (
            f"{self.kept_private:,} new {lack} resolution criteria, so only you can see "
            f"{'it' if self.kept_private == 1 else 'them'}. To show one to others: forecasts "
            'revise QUESTION --criteria "…" --visible-to everyone'
        )


def import_frames(
    session: Session,
    frames: Frames,
    *,
    member: Member,
    now: datetime,
    vouch: bool = False,
    on_progress: Progress = lambda _step, _share: None,
) -> Imported:
    """Return the numbers of new rows; everything that the ledger does not have yet is written.

    A question with a new wording is revised, and blank cells are ignored. BadInput for
    contradictions that an import cannot correct (a resolution, the terms of a resolved question, a
    question's type, evidence, the end of a membership) and for times after ``now``.
    Forbidden if the member could not do the same one by one (``_require_may_import``). In a shared
    ledger, new questions without resolution criteria are visible to the member only.

    Forecasts are marked as imports. With ``vouch``, and always in an unshared ledger, they count as
    made at the times in the file; otherwise as made ``now``, with those times as claims, and a
    later import that vouches adds them at those times. Current resolutions are scored again if
    their questions have new forecasts or wordings. An error in ``on_progress`` ends the import.
    """
    vouched = vouch or not is_shared(session)
    if vouch:
        require(session, member, Action.vouch, now=now)
    known = {
        state.slug: state
        for state in listing(session, now=now, only=frames.questions["question_id"].tolist())
    }
    _require_may_import(session, frames, known, member, now)
    on_progress("Members, articles and evidence", 0.0)
    handles = pd.concat([frames.forecasts["forecaster"], frames.teams["forecaster"]]).unique()
    members = {handle: member_or_new(session, handle, now=now) for handle in handles}
    for row in rows(frames.teams):
        team, other = team_or_new(session, row.team, now=now), members[row.forecaster]
        joined_at, left_at = time_of(row.joined_at), time_of(row.left_at)
        join(session, team, other, joined_at=joined_at, left_at=left_at)
    articles, by_address = _articles(session, frames.articles, member, now)
    evidence = _evidence(session, frames.evidence, by_address, member, now)
    added = add_questions(session, frames, known, by_address, member, now, on_progress)
    on_progress(f"{len(frames.forecasts):,} forecasts", 0.5)
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
    touched = added.revised.union(forecasts)
    to_score = added.resolutions + [
        state.resolution
        for state in known.values()
        if state.resolution is not None and state.id in touched
    ]
    on_progress("Scores", 0.8)
    return Imported(
        questions=added.questions,
        revised=len(added.revised),
        forecasts=len(forecasts),
        resolutions=len(added.resolutions),
        scores=scores.store(session, to_score) if to_score else 0,
        evidence=evidence,
        articles=articles,
        unvouched=0 if vouched else len(forecasts),
        kept_private=added.kept_private,
    )


class _Undone(Exception):
    """Rolls a rehearsal back."""


def rehearse(
    engine: Engine,
    frames: Frames,
    *,
    acting: Callable[[Session], Member],
    now: datetime,
    vouch: bool = False,
    on_progress: Progress = lambda _step, _share: None,
) -> Imported:
    """Return the result that ``import_frames`` would have; nothing is written.

    The import is made and rolled back, so it takes as long and has the same errors. ``acting``
    returns the importing member.
    """
    done: list[Imported] = []
    with suppress(_Undone), database.writing(engine) as session:
        member = acting(session)
        done.append(
            import_frames(
                session, frames, member=member, now=now, vouch=vouch, on_progress=on_progress
            )
        )
        raise _Undone
    return done[0]


def _require_may_import(
    session: Session, frames: Frames, known: dict[str, QuestionState], member: Member, now: datetime
) -> None:
    """Refuse an import of anything that the member could not add otherwise.

    Only admins import others' forecasts, and memberships. For their own forecasts, new questions,
    wordings and resolutions, members need the same rights as without an import.
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
        if changes(row, state, lambda *_: None):  # problems are noted when the row is imported
            require(session, member, Action.revise, state.question, now=now)
        if row.resolution.strip() and state.resolution is None:
            require(session, member, Action.resolve, state.question, now=now)


def _articles(
    session: Session, articles: pd.DataFrame, member: Member, now: datetime
) -> tuple[int, dict[str, Article]]:
    """Return the number of new articles, and every article by its address.

    Text that the ledger has already is the same article, even at another address.
    """
    by_address = {
        article.address: article
        for article in session.exec(select(Article).order_by(col(Article.id).desc()))
    }
    new = 0
    for row in rows(articles):
        pasted = row.url.startswith(DIGEST_ADDRESS)
        published = time_of(row.published_at)
        if row.text.strip():
            digest = content_hash(
                CapturedArticle(row.title, row.publisher, row.author, published, row.url, row.text)
            )
        elif pasted:
            digest = row.url.removeprefix(DIGEST_ADDRESS)
        else:
            digest = address_hash(row.url)
        article = session.exec(select(Article).where(Article.content_hash == digest)).first()
        if article is None:
            article = Article(
                content_hash=digest,
                url=None if pasted else row.url or None,
                title=row.title or row.url,
                publisher=row.publisher or None,
                author=row.author or None,
                published_at=published,
                captured_at=time_of(row.captured_at) or now,
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
        Problem(f"evidence {row.evidence_id}, {name}", given, f"in this ledger: {present!r}")
        for row in rows(evidence)
        if row.evidence_id in known
        for name in ("kind", "title", "url", "publisher", "note", "quote")
        # A kind that is left blank reads as "other".
        if (given := getattr(row, name)) not in ("", "other" if name == "kind" else "")
        and given != (present := str(getattr(known[row.evidence_id], name) or ""))
    ]
    if problems:
        raise BadInput(
            "The import contradicts evidence in this ledger; nothing was imported.",
            problems=problems,
            remedy="Give the new evidence another id.",
        )
    new = [
        Evidence(
            key=row.evidence_id,
            kind=row.kind,
            title=row.title,
            url=row.url or None,
            publisher=row.publisher or None,
            published_at=time_of(row.published_at),
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
