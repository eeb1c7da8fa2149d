"""Import frames into the ledger: all or nothing; a second import of the same changes nothing."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd
import pyarrow as pa
from sqlmodel import Session, col, select

from forecasts.access.members import find_member, member_or_new
from forecasts.access.memberships import join, same_membership, team_or_new
from forecasts.access.roles import Action, is_shared, member_rights, require
from forecasts.access.visibility import evidence_visible, reading_everything
from forecasts.articles.article import CapturedArticle, content_hash
from forecasts.common import limits
from forecasts.common.errors import BadInput, Forbidden, Problem
from forecasts.exchange.import_forecasts import NewForecasts, compare_forecasts, write_forecasts
from forecasts.exchange.import_questions import (
    Progress,
    QuestionChanges,
    address_hash,
    changes,
    compare_questions,
    time_of,
    write_questions,
)
from forecasts.ledger.models import DIGEST_ADDRESS, Article, Evidence, Member, Team
from forecasts.questions.standing import QuestionState, in_batches, listing
from forecasts.scores import scores
from forecasts.scores.frames import FRAME_COLUMNS, Frames, rows
from forecasts.updates.evidence import key_and_row


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


def compact(frames: Frames) -> None:
    """Keep each name in the forecasts once: millions of rows then take half the memory.

    The frames are changed: the two columns become categories, which an import takes as well.
    """
    for name in ("question_id", "forecaster"):
        frames.forecasts[name] = frames.forecasts[name].astype("category")
    pa.default_memory_pool().release_unused()


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
    found = _compare(session, frames, member, now, vouch, on_progress)
    handles = dict.fromkeys([*frames.forecasts["forecaster"].unique(), *frames.teams["forecaster"]])
    members = {handle: member_or_new(session, handle, now=now) for handle in handles}
    for row in rows(frames.teams):
        team, other = team_or_new(session, row.team, now=now), members[row.forecaster]
        joined_at, left_at = time_of(row.joined_at), time_of(row.left_at)
        join(session, team, other, joined_at=joined_at, left_at=left_at)
    session.add_all(found.articles)
    session.flush()
    evidence = _write_evidence(session, frames.evidence, found, member, now)
    resolutions = write_questions(
        session, found.questions, frames, found.known, found.by_address, member, now
    )
    on_progress(f"{len(found.forecasts.keys):,} forecasts", 0.5)
    with nullcontext() if found.is_limited else reading_everything(session):
        forecasts = write_forecasts(
            session,
            found.forecasts,
            members,
            evidence,
            vouched_by=member if found.vouched else None,
            now=now,
        )
    session.flush()
    touched = {found.known[slug].id for slug in found.questions.revised} | forecasts
    to_score = resolutions + [
        state.resolution
        for state in found.known.values()
        if state.resolution is not None and state.id in touched
    ]
    on_progress("Scores", 0.8)
    return replace(found.counts, scores=scores.store(session, to_score) if to_score else 0)


def rehearse(
    session: Session,
    frames: Frames,
    *,
    member: Member,
    now: datetime,
    vouch: bool = False,
    on_progress: Progress = lambda _step, _share: None,
) -> Imported:
    """Return the numbers of rows that ``import_frames`` would write, without those of scores.

    It compares and writes nothing, so others can write meanwhile. It has the same errors.
    """
    return _compare(session, frames, member, now, vouch, on_progress).counts


@dataclass(frozen=True)
class _Comparison:
    """The differences of the frames from the ledger, and who imports them.

    ``known``: the visible questions that the ledger has, by slug. ``by_address``: every article,
    the new ``articles`` included. ``evidence_keys``: the key of each piece of evidence by its
    evidence_id; ``evidence``: the pieces that the ledger has, by evidence_id. ``is_limited``: the
    member imports with their own rights, not with those of an admin.
    """

    known: dict[str, QuestionState]
    articles: list[Article]
    by_address: dict[str, Article]
    evidence_keys: dict[str, str]
    evidence: dict[str, Evidence]
    questions: QuestionChanges
    forecasts: NewForecasts
    vouched: bool
    is_limited: bool

    @property
    def counts(self) -> Imported:
        new_forecasts = len(self.forecasts.keys)
        return Imported(
            questions=len(self.questions.new),
            revised=len(self.questions.revised),
            forecasts=new_forecasts,
            resolutions=len(self.questions.resolutions),
            scores=0,
            evidence=len(self.evidence_keys) - len(self.evidence),
            articles=len(self.articles),
            unvouched=0 if self.vouched else new_forecasts,
            kept_private=self.questions.kept_private,
        )


def _compare(
    session: Session,
    frames: Frames,
    member: Member,
    now: datetime,
    vouch: bool,
    on_progress: Progress,
) -> _Comparison:
    """Return the differences; nothing is written. Errors as in ``import_frames``."""
    vouched = vouch or not is_shared(session)
    if vouch:
        require(session, member, Action.vouch, now=now)
    is_limited = not member_rights(session, member, now=now).unrestricted
    if is_limited:
        _require_small(frames)
    slugs = frames.questions["question_id"].tolist()
    known = {state.slug: state for state in listing(session, now=now, only=slugs)}
    _require_may_import(session, frames, known, member, now)
    on_progress("Members, articles and evidence", 0.0)
    _compare_memberships(session, frames.teams)
    articles, by_address = _compare_articles(session, frames.articles, member, now)
    with nullcontext() if is_limited else reading_everything(session):
        evidence_keys, evidence = _compare_evidence(session, frames.evidence, member)
    questions = compare_questions(session, frames, known, member, now, on_progress)
    with nullcontext() if is_limited else reading_everything(session):
        forecasts = compare_forecasts(session, frames, new_only=not known, vouched=vouched, now=now)
    return _Comparison(
        known,
        articles,
        by_address,
        evidence_keys,
        evidence,
        questions,
        forecasts,
        vouched,
        is_limited,
    )


def _require_small(frames: Frames) -> None:
    """Refuse an import that would keep others from writing for long; admins decide on those."""
    count = sum(len(getattr(frames, name)) for name in FRAME_COLUMNS)
    if count > limits.MEMBER_ROWS:
        raise Forbidden(
            f"The import has {count:,} rows; without an admin's rights at most "
            f"{limits.MEMBER_ROWS:,} can be imported at once.",
            remedy="Divide it, or ask an admin to import it.",
        )


def _require_may_import(
    session: Session, frames: Frames, known: dict[str, QuestionState], member: Member, now: datetime
) -> None:
    """Refuse an import of anything that the member could not add otherwise.

    Only admins import others' forecasts, and memberships. For their own forecasts, new questions,
    wordings and resolutions, members need the same rights as without an import.
    """
    if member_rights(session, member, now=now).unrestricted:
        return
    if len(frames.teams) or set(frames.forecasts["forecaster"].unique()) - {member.handle}:
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


def _compare_memberships(session: Session, teams: pd.DataFrame) -> None:
    """Refuse, with BadInput, a membership that contradicts the ledger's."""
    for row in rows(teams):
        team = session.exec(select(Team).where(Team.name == row.team)).first()
        member = find_member(session, row.forecaster)
        if team is not None and member is not None:
            same_membership(session, team, member, time_of(row.joined_at), time_of(row.left_at))


def _compare_articles(
    session: Session, articles: pd.DataFrame, member: Member, now: datetime
) -> tuple[list[Article], dict[str, Article]]:
    """Return the new articles, and every article by its address.

    Text that the ledger has already is the same article, even at another address.
    """
    stored = session.exec(select(Article).order_by(col(Article.id).desc())).all()
    by_address = {article.address: article for article in stored}
    by_digest = {article.content_hash: article for article in stored}
    new = []
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
        article = by_digest.get(digest)
        if article is None:
            article = by_digest[digest] = Article(
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
            new.append(article)
        by_address[row.url or article.address] = article
    return new, by_address


def _compare_evidence(
    session: Session, evidence: pd.DataFrame, member: Member
) -> tuple[dict[str, str], dict[str, Evidence]]:
    """Return the key of each piece by its evidence_id, and the pieces that the ledger has.

    A piece with the key of evidence that the reader may not see gets a key of its own.
    """
    keys = {given: given for given in evidence["evidence_id"].tolist()}
    known: dict[str, Evidence] = {}
    for some in in_batches(list(keys)):
        stored = select(Evidence, evidence_visible(session)).where(col(Evidence.key).in_(some))
        for row, is_visible in session.exec(stored):
            if is_visible:
                known[row.key] = row
                continue
            keys[row.key], own = key_and_row(session, row.key, member)
            if own is not None:
                known[row.key] = own
    problems = [
        Problem(f"evidence {row.evidence_id}, {name}", given, f"in this ledger: {said!r}")
        for row in rows(evidence)
        if row.evidence_id in known
        for name in ("kind", "title", "url", "publisher", "note", "quote")
        # A kind that is left blank reads as "other".
        if (given := getattr(row, name)) not in ("", "other" if name == "kind" else "")
        and given != (said := str(getattr(known[row.evidence_id], name) or ""))
    ]
    if problems:
        raise BadInput(
            "The import contradicts evidence in this ledger; nothing was imported.",
            problems=problems,
            remedy="Give the new evidence another id.",
        )
    return keys, known


def _write_evidence(
    session: Session, evidence: pd.DataFrame, found: _Comparison, member: Member, now: datetime
) -> dict[str, int]:
    """Return the id of each piece of evidence by its evidence_id; new ones are written."""
    articles = found.by_address
    new = {
        row.evidence_id: Evidence(
            key=found.evidence_keys[row.evidence_id],
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
        if row.evidence_id not in found.evidence
    }
    session.add_all(new.values())
    session.flush()
    return {given: row.id for given, row in (found.evidence | new).items()}
