"""Evidence: cite it for a forecast, and name the outcome it supports."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from forecasts.access.roles import Action, require
from forecasts.common.errors import BadInput, Forbidden, Refused
from forecasts.ledger.append import written
from forecasts.ledger.models import (
    DIGEST_ADDRESS,
    Article,
    Citation,
    Evidence,
    EvidenceKind,
    Forecast,
    Member,
    QuestionText,
    QuestionType,
    Stance,
)
from forecasts.updates.values import SUM_TOLERANCE, Value, value_of

# The outcome that evidence supports or opposes; on options it depends on the update.
_SUPPORTED = {
    QuestionType.binary: "yes",
    QuestionType.numeric: "a higher number",
    QuestionType.date: "a later day",
}


@dataclass(frozen=True)
class CitedEvidence:
    """Evidence given with an update: its source, its stance and its share.

    A URL, a note or a title is required. The same URL (or, without one, the same words) is the same
    evidence, so that its points add up over updates and members.

    ``stance`` is about the outcome, not the forecast: *supports* makes the outcome likelier,
    *opposes* less likely, *context* neither. ``supported_outcome`` names that outcome.

    ``share`` is the part of the update, from 0 to 1, that this piece accounts for. Pieces without a
    share divide the rest equally; if every piece has one, the rest belongs to no evidence.
    """

    url: str | None = None
    note: str = ""
    title: str = ""
    kind: EvidenceKind = EvidenceKind.news
    publisher: str | None = None
    published_at: datetime | None = None
    quote: str = ""
    stance: Stance = Stance.supports
    share: float | None = None


def supported_outcome(question: QuestionText, before: Forecast | None, value: Value) -> str:
    """Return the outcome that evidence for this update supports or opposes.

    'yes'; 'a higher number'; 'a later day'; or, in “ ”, the option whose probability moves most.
    Without an earlier probability for every option, moves are from equal shares. Of two equal moves
    the rising option counts; without any move, the likeliest option.
    """
    question_type = QuestionType(question.type)
    if question_type in _SUPPORTED:
        return _SUPPORTED[question_type]
    options = question.options or []
    after = value.probabilities or ()
    earlier = None if before is None else value_of(before).over(options).probabilities
    if earlier is None or None in earlier:
        earlier = (1 / len(options),) * len(options)
    moves = [(p or 0.0) - (q or 0.0) for p, q in zip(after, earlier, strict=False)]
    # Rounded, so that a rise and the fall that pays for it are equal moves.
    most = max(
        range(len(moves)),
        key=lambda i: (round(abs(moves[i]), 9), round(moves[i], 9), after[i] or 0),
    )
    return f"“{options[most]}”"


def format_citation(citation: Citation, question_type: QuestionType) -> str:
    """Return a citation's stance with the outcome, and its share if given: 'supports yes, 30%'.

    Without the outcome on a multiple-choice question, since it depends on the update.
    """
    outcome = _SUPPORTED.get(QuestionType(question_type))
    with_outcome = outcome is not None and citation.stance != Stance.context
    share = "" if citation.share is None else f", {citation.share * 100:g}%"
    return f"{citation.stance}{f' {outcome}' if with_outcome else ''}{share}"


def format_stances(evidence: Sequence[CitedEvidence], outcome: str) -> str:
    """Return the number of pieces by stance: '2 for yes, 1 as context'."""
    stances = [cited.stance for cited in evidence]
    counts = {
        f"for {outcome}": stances.count(Stance.supports),
        f"against {outcome}": stances.count(Stance.opposes),
        "as context": stances.count(Stance.context),
    }
    return ", ".join(f"{count} {words}" for words, count in counts.items() if count)


def cite(
    session: Session,
    forecast: Forecast,
    evidence: Sequence[CitedEvidence],
    *,
    member: Member,
    now: datetime,
) -> list[Citation]:
    """Return the forecast's citations, which are written with any new evidence.

    Refused if a piece is cited twice, a share is outside 0 to 1, or the shares sum to more than 1;
    Forbidden for another member's forecast.
    """
    if forecast.member_id != member.id:
        raise Forbidden(
            f"{member.handle} cannot cite evidence for another member's forecast.",
            remedy="Cite it with your own forecast.",
        )
    if not evidence:
        return []
    _check_shares([cited.share for cited in evidence if cited.share is not None])
    citations: list[Citation] = []
    for cited in evidence:
        row = record_evidence(session, cited, member=member, now=now)
        if any(citation.evidence_id == row.id for citation in citations):
            raise Refused(
                f"The evidence {cited.url or cited.note or cited.title!r} is cited twice in one "
                "update.",
                remedy="Cite it once, with the stance that prevails.",
            )
        citations.append(
            Citation(
                forecast_id=forecast.id, evidence_id=row.id, stance=cited.stance, share=cited.share
            )
        )
    session.add_all(citations)
    session.flush()
    return citations


def _check_shares(shares: Sequence[float]) -> None:
    for share in shares:
        if not 0 <= share <= 1:
            raise Refused(
                f"The share of an update that evidence accounts for must be from 0 to 1; {share!r} "
                "is not."
            )
    total = math.fsum(shares)
    if total > 1 + SUM_TOLERANCE:
        raise Refused(
            f"The shares of the evidence sum to {total:.12g}, and they may sum to 1 (100%) at "
            "most.",
            remedy="Lower one of them, or leave it out: that evidence gets the rest.",
        )


def record_evidence(
    session: Session, cited: CitedEvidence, *, member: Member, now: datetime
) -> Evidence:
    """Return the row of this evidence; new evidence is written.

    Title, publisher and date come from the captured article with the same URL, if there is one.
    """
    require(session, member, Action.capture, now=now)
    url = (cited.url or "").strip() or None
    if url is None and not cited.note.strip() and not cited.title.strip():
        raise BadInput("Evidence needs a URL, a title or a note.", remedy="Give one of them.")
    if url is not None and not url.startswith(("https://", "http://", DIGEST_ADDRESS)):
        raise BadInput(
            f"{url!r} is not a web address.",
            remedy="Give one that begins with https://, or use a note.",
        )
    words = url or f"{cited.kind}\n{cited.title}\n{cited.note}"
    key = "e-" + hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    existing = session.exec(select(Evidence).where(Evidence.key == key)).first()
    if existing is not None:
        return existing
    article = None if url is None else article_by_address(session, url)
    row = Evidence(
        key=key,
        kind=cited.kind,
        title=cited.title or (article.title if article else ""),
        url=url,
        publisher=cited.publisher or (article.publisher if article else None),
        published_at=cited.published_at or (article.published_at if article else None),
        quote=cited.quote,
        note=cited.note,
        article_id=article.id if article else None,
        member_id=member.id,
        recorded_at=now,
    )
    return written(session, row)


def article_by_address(session: Session, address: str) -> Article | None:
    """Return the first captured article with that address (``Article.address``)."""
    found = (
        Article.content_hash == address.removeprefix(DIGEST_ADDRESS)
        if address.startswith(DIGEST_ADDRESS)
        else Article.url == address
    )
    return session.exec(select(Article).where(found).order_by(col(Article.id)).limit(1)).first()
