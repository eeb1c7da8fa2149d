"""Evidence: cite it for a forecast, name the outcome it supports, propose its stance."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, select

from forecasts.access.roles import Action, require
from forecasts.access.visibility import evidence_visible
from forecasts.common.errors import BadInput, Forbidden, Refused
from forecasts.common.limits import PROSE_BYTES, format_bytes, too_much
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
from forecasts.values.outcomes import bounds, figure_to_float
from forecasts.values.value import OUTSIDE_LEVELS, SUM_TOLERANCE, Value, value_of

# Pieces of evidence in an update, and in a batch: others cannot write while they are stored.
MOST_CITED = 100
MOST_CITED_AT_ONCE = 10_000

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
    *opposes* less likely, *context* neither. ``supported_outcome`` names that outcome. None: not
    chosen, so the direction of the update decides (``proposed_stance``).

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
    stance: Stance | None = None
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
    option, _ = _most_moved(question, before, value)
    return f"“{option}”"


def _most_moved(question: QuestionText, before: Forecast | None, value: Value) -> tuple[str, float]:
    """Return the option whose probability moves most, and its move."""
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
    return options[most], moves[most]


def proposed_stance(question: QuestionText, before: Forecast | None, value: Value) -> Stance:
    """Return the stance that fits the update: supports for a rise, opposes for a fall.

    Of a first forecast, the move is from ignorance: 50%, equal shares, the middle of the bounds.
    Without a move the evidence is context.
    """
    move = round(_move(question, before, value), 9)
    return Stance.supports if move > 0 else Stance.opposes if move < 0 else Stance.context


def stance_mismatch(
    question: QuestionText, before: Forecast | None, value: Value, evidence: Sequence[CitedEvidence]
) -> str:
    """Return the sentence on an update away from an outcome that all its evidence supports; or ''.

    Or the other way round. It can be right (another reason weighs more), so it is asked about, not
    refused. There is none without an earlier forecast, and none if any piece agrees with the move.
    """
    chosen = {cited.stance for cited in evidence} - {None, Stance.context}
    if before is None or len(chosen) != 1:
        return ""
    proposed = proposed_stance(question, before, value)
    if proposed is Stance.context or proposed in chosen:
        return ""
    outcome = supported_outcome(question, before, value)
    if proposed is Stance.supports:
        return f"Your forecast moves towards {outcome}, but all its evidence opposes it."
    return f"Your forecast moves away from {outcome}, but all its evidence supports it."


def with_stances(
    question: QuestionText, before: Forecast | None, value: Value, evidence: Sequence[CitedEvidence]
) -> list[CitedEvidence]:
    """Return the evidence, with the proposed stance where none was chosen."""
    return [
        one if one.stance else replace(one, stance=proposed_stance(question, before, value))
        for one in evidence
    ]


def _move(question: QuestionText, before: Forecast | None, value: Value) -> float:
    """Return how far the update moves towards the outcome that its evidence may support."""
    if value.probability is not None:
        earlier = None if before is None else before.probability
        return value.probability - (0.5 if earlier is None else earlier)
    if value.probabilities is not None:
        return _most_moved(question, before, value)[1]
    after = _median(question, value)
    if before is not None:
        return after - _median(question, value_of(before))
    return after - sum(bounds(question)) / 2


def _median(question: QuestionText, value: Value) -> float:
    """Return the median, interpolated between the stated quantiles."""
    import numpy as np  # most updates are of probabilities, and the command line starts without it

    levels, figures = zip(
        *sorted(
            (float(level), figure_to_float(figure, question.type))
            for level, figure in (value.quantiles or {}).items()
            if level not in OUTSIDE_LEVELS
        ),
        strict=True,
    )
    return float(np.interp(0.5, levels, figures))


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

    BadInput for a piece without a stance (see ``with_stances``), other errors as in
    ``check_cited``; Forbidden for another member's forecast.
    """
    if forecast.member_id != member.id:
        raise Forbidden(
            f"{member.handle} cannot cite evidence for another member's forecast.",
            remedy="Cite it with your own forecast.",
        )
    if not evidence:
        return []
    check_cited(evidence)
    citations: list[Citation] = []
    for cited in evidence:
        stance, share = cited.stance, cited.share
        if stance is None:
            raise BadInput(
                "Evidence needs a stance.", remedy="Choose supports, opposes or context."
            )
        row = record_evidence(session, cited, member=member, now=now)
        citations.append(
            Citation(forecast_id=forecast.id, evidence_id=row.id, stance=stance, share=share)
        )
    session.add_all(citations)
    session.flush()
    return citations


def check_cited(evidence: Sequence[CitedEvidence]) -> None:
    """Refuse evidence that no update can cite.

    BadInput for more than ``MOST_CITED`` pieces, for one without URL, title and note, one whose URL
    is not one, and one that is too long. Refused if a piece is cited twice, a share is outside 0 to
    1, or the shares sum to more than 1.
    """
    if len(evidence) > MOST_CITED:
        raise BadInput(
            f"A forecast cites at most {MOST_CITED} pieces of evidence; this one cites "
            f"{len(evidence):,}.",
            remedy="Cite those that moved your forecast.",
        )
    known: set[str] = set()
    for cited in evidence:
        url = (cited.url or "").strip()
        if not url and not cited.note.strip() and not cited.title.strip():
            raise BadInput("Evidence needs a URL, a title or a note.", remedy="Give one of them.")
        if url and not url.startswith(("https://", "http://", DIGEST_ADDRESS)):
            raise BadInput(
                f"{url!r} is not a web address.",
                remedy="Give one that begins with https://, or use a note.",
            )
        texts = (url, cited.note, cited.title, cited.publisher or "", cited.quote)
        _require_length("A piece of evidence", *texts)
        if (words := _identity(cited)) in known:
            raise Refused(
                f"The evidence {cited.url or cited.note or cited.title!r} is cited twice in one "
                "update.",
                remedy="Cite it once, with the stance that prevails.",
            )
        known.add(words)
    _check_shares([cited.share for cited in evidence if cited.share is not None])


def _identity(cited: CitedEvidence) -> str:
    """Return the words by which the same evidence is known."""
    return (cited.url or "").strip() or f"{cited.kind}\n{cited.title}\n{cited.note}"


def check_count(cited: int) -> None:
    """Refuse, with BadInput, a batch that cites so many pieces of evidence."""
    if cited > MOST_CITED_AT_ONCE:
        raise BadInput(
            f"A batch cites at most {MOST_CITED_AT_ONCE:,} pieces of evidence; this one cites "
            f"{cited:,}.",
            remedy="Send it in several batches.",
        )


def check_reasons(rationale: str, evidence: Sequence[CitedEvidence] = ()) -> None:
    """Refuse evidence as ``check_cited``; BadInput for a rationale too long for its pages."""
    _require_length("The rationale", rationale)
    check_cited(evidence)


def _require_length(place: str, *texts: str) -> None:
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    if size > PROSE_BYTES:
        actual, limit = format_bytes(size), format_bytes(PROSE_BYTES)
        raise too_much(place, actual, limit, "Keep the passages that decide, and link to the rest.")


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
    If the key belongs to evidence that is hidden from the member, or to other evidence, since an
    import may give any key, theirs becomes a row of its own.
    """
    require(session, member, Action.capture, now=now)
    url = (cited.url or "").strip() or None
    words = _identity(cited).encode("utf-8", "surrogatepass")
    key = "e-" + hashlib.sha256(words).hexdigest()[:16]

    def is_it(row: Evidence) -> bool:
        parts = ("kind", "title", "note")
        if url is not None:
            return row.url == url
        return row.url is None and all(getattr(row, of) == getattr(cited, of) for of in parts)

    key, existing = key_and_row(session, key, member, is_it)
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


def key_and_row(
    session: Session, key: str, member: Member, is_it: Callable[[Evidence], bool] = lambda _: True
) -> tuple[str, Evidence | None]:
    """Return the visible evidence with this key; without one, the key for the member's own.

    That is another one if the key belongs to evidence that the session's reader may not see, or
    that is not the evidence sought. A key can be guessed, so what is hidden behind it is neither
    shown nor compared.
    """
    with_visibility = select(Evidence, evidence_visible(session))
    while (found := session.exec(with_visibility.where(Evidence.key == key)).first()) is not None:
        row, is_visible = found
        if is_visible and is_it(row):
            return key, row
        key = "e-" + hashlib.sha256(f"{key}\n{member.handle}".encode()).hexdigest()[:16]
    return key, None


def article_by_address(session: Session, address: str) -> Article | None:
    """Return the first captured article with that address (``Article.address``)."""
    found = (
        Article.content_hash == address.removeprefix(DIGEST_ADDRESS)
        if address.startswith(DIGEST_ADDRESS)
        else Article.url == address
    )
    return session.exec(select(Article).where(found).order_by(col(Article.id)).limit(1)).first()
