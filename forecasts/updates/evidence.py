"""Evidence as people name it, the articles that they can pick, and what it speaks for."""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from forecasts.access.roles import Action, require
from forecasts.articles.library import find_article
from forecasts.common.errors import BadInput, Forbidden, Refused
from forecasts.common.limits import require_name
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
from forecasts.updates.values import SUM_TOLERANCE, Value, read_probability

CITABLE = 200  # the articles to pick from, the newest
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_ARTICLE = re.compile(r"article\s+(\d+)", re.IGNORECASE)
_SHARE = re.compile(r"[\d.]+%")
_WORD = rf"(?:{'|'.join([*Stance, *EvidenceKind])}|{_SHARE.pattern})"
# A colon ends what stands before the evidence; before an address a space will do.
_HEAD = re.compile(
    rf"({_WORD}(?:[\s,]+{_WORD})*)(?:\s*:\s+|[\s,:]+(?=https?://\S+$))(.*)",
    re.IGNORECASE | re.DOTALL,
)
# What stands where a head would: some words, then a colon or an address.
_MAYBE_HEAD = re.compile(
    r"([^\n:]{1,60}?)(?:\s*:\s+|[\s,:]+(?=https?://\S+$))(.*)", re.IGNORECASE | re.DOTALL
)
_MOST_HEAD = 4  # words; one more than a head has, for a slip that parts one
_NEAR = 0.8  # of the letters of a word are those of a stance or kind: 'oposes', not 'date'
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://\S*", re.IGNORECASE)
_STANCE_FIRST = re.compile(rf"(?:{'|'.join(Stance)})\b", re.IGNORECASE)


@dataclass(frozen=True)
class CitedEvidence:
    """Evidence as it is handed over with an update: where it is, what it says, what it does.

    A URL, a note or a title is needed. The same URL (or, without one, the same words) is the same
    evidence, so what one source earned can be added up over updates and members.

    ``stance`` is about the outcome, whatever the forecast: *supports* makes it likelier, *opposes*
    makes it less likely, *context* does neither. The outcome meant is yes on a binary question; on
    a multiple-choice one the option whose probability the update moves most; a higher number; a
    later day (``evidence.spoken_for`` names it).

    ``share`` is the part of the update, in 0..1, that this piece accounts for. Those without one
    divide what is left equally; what the shares leave, where each has one, no evidence earns.
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
    key: str | None = None


def read_evidence(
    session: Session,
    text: str,
    *,
    stance: Stance = Stance.supports,
    kind: EvidenceKind = EvidenceKind.news,
) -> CitedEvidence:
    """Return the evidence that ``text`` names: ``[stance] [kind] [share%]: WHAT``.

    WHAT is a web address, ``article 3`` of this ledger, or a note in one's own words. Before it
    may stand what is particular to it, in any order, and a colon, which an address does not need:
    ``opposes data 30%: https://example.org/figures``. What is not said there is ``stance`` and
    ``kind``, and no share.

    BadInput where the text begins with a stance and no colon says where the evidence begins, where
    one of the three is said twice, and where it seems to be mistyped; NotFound for an article that
    is not there.
    """
    text = text.strip()
    match = _HEAD.fullmatch(text)
    if match is None:
        if _STANCE_FIRST.match(text):
            raise BadInput(
                f"It is not clear where in {text!r} the evidence begins.",
                remedy="Put a colon before it, as in 'opposes data 30%: https://example.org/a'.",
            )
        _require_no_slip(text)
        return parse_evidence(session, text, stance=stance, kind=kind)
    head = re.split(r"[\s,]+", match[1].casefold())
    stances = [Stance(word) for word in head if word in set(Stance)]
    kinds = [EvidenceKind(word) for word in head if word in set(EvidenceKind)]
    shares = [word for word in head if _SHARE.fullmatch(word)]
    for name, given in (("stances", stances), ("kinds", kinds), ("shares", shares)):
        if len(given) > 1:
            raise BadInput(
                f"{text!r} gives one piece of evidence two {name}: {given[0]} and {given[1]}.",
                remedy="Give it one.",
            )
    return parse_evidence(
        session,
        match[2],
        stance=stances[0] if stances else stance,
        kind=kinds[0] if kinds else kind,
        share=_share(shares[0]) if shares else None,
    )


def _share(text: str) -> float:
    try:
        return read_probability(text)
    except (BadInput, Refused):
        raise BadInput(
            f"{text!r} is no share of an update: that lies in 0..100 %.",
            remedy="Write it as in 'opposes data 30%: https://example.org/a'.",
        ) from None


def _require_no_slip(text: str) -> None:
    """Refuse a head with a slip in it, which would be kept, unseen, as a note that supports."""
    match = _MAYBE_HEAD.fullmatch(text)
    words = [] if match is None else re.split(r"[\s,]+", match[1].strip().casefold())
    if match is None or len(words) > _MOST_HEAD:
        return
    meant = [_meant(word) for word in words]
    unknown = [word for word in words if word not in meant]
    told = [word for word in meant if word is not None]
    if len(told) < len(words) and not (told and _URL.fullmatch(match[2].strip())):
        return
    guess = f"Did you mean {' '.join(told)}? " if len(told) == len(words) else ""
    raise BadInput(
        f"{' '.join(unknown)!r}, before the evidence in {text!r}, is no stance, kind or share.",
        remedy=f"{guess}To keep all of it as a note, put 'supports: ', 'opposes: ' or 'context: ' "
        "before it.",
    )


def _meant(word: str) -> str | None:
    """Return the stance, kind or share that the word is, or nearly is; None where it is none."""
    if _SHARE.fullmatch(word):
        return word
    near = difflib.get_close_matches(word, [*Stance, *EvidenceKind], n=1, cutoff=_NEAR)
    return near[0] if near else None


def require_address(text: str, what: str) -> None:
    """Refuse, with BadInput, a ``what`` that is no web address."""
    if not _URL.fullmatch(text):
        match = _SCHEME.fullmatch(text)
        raise BadInput(
            f"{what} {text!r} is no web address"
            + (f": {match[1]}:// is none that it can begin with." if match else "."),
            remedy="Give one that begins with https:// or http://; your own words are a note.",
        )
    require_name(text, what)


def parse_evidence(
    session: Session,
    what: str,
    *,
    stance: Stance,
    kind: EvidenceKind,
    share: float | None = None,
) -> CitedEvidence:
    """Return the evidence that is a web address, ``article 3`` of this ledger, or else a note."""
    what = what.strip()
    url, note = None, what
    if match := _ARTICLE.fullmatch(what):
        url, note = find_article(session, int(match[1])).address, ""
    elif _URL.fullmatch(what) or what.startswith(DIGEST_ADDRESS):
        url, note = what, ""
    elif _SCHEME.fullmatch(what):
        require_address(what, "The evidence")
    return CitedEvidence(url=url, note=note, kind=kind, stance=stance, share=share)


def recent_articles(session: Session, limit: int = CITABLE) -> list[Article]:
    """Return the articles to pick from, the newest captures first, without their texts.

    ``limit``: how many at most.
    """
    return list(
        session.exec(
            select(Article)
            .options(defer(Article.text, raiseload=True))  # type: ignore[arg-type]
            .order_by(col(Article.captured_at).desc(), col(Article.id).desc())
            .limit(limit)
        )
    )


def supported_outcome(question: QuestionText, before: Forecast | None, value: Value) -> str:
    """Return the outcome that evidence for this update supports or opposes (see ``Cited``).

    'yes'; an option, in “ ”: the one whose probability moves most, compared with equal shares
    where there was none before; of two that move as far the one that rises; where none moves, the
    likeliest. 'a higher number'; 'a later day'.
    """
    if question.type == QuestionType.binary:
        return "yes"
    if question.type == QuestionType.numeric:
        return "a higher number"
    if question.type == QuestionType.date:
        return "a later day"
    options = question.options or []
    after = value.probabilities or ()
    earlier = () if before is None else before.probabilities or ()
    if len(earlier) != len(options):
        earlier = [1 / len(options)] * len(options)
    moves = [(p or 0.0) - (q or 0.0) for p, q in zip(after, earlier, strict=False)]
    # Rounded, so that a rise wins over the fall that pays for it.
    most = max(
        range(len(moves)),
        key=lambda place: (round(abs(moves[place]), 9), round(moves[place], 9), after[place] or 0),
    )
    return f"“{options[most]}”"


def format_citation(citation: Citation, type: QuestionType) -> str:
    """Return what a citation does, and its share where one was given: 'supports yes, 30 %'.

    What evidence on options speaks for hangs on the forecast before; there the stance stands alone.
    """
    outcomes = {
        QuestionType.binary: " yes",
        QuestionType.numeric: " a higher number",
        QuestionType.date: " a later day",
    }
    outcome = "" if citation.stance == Stance.context else outcomes.get(type, "")
    share = "" if citation.share is None else f", {citation.share * 100:g} %"
    return f"{citation.stance}{outcome}{share}"


def format_stances(citing: Sequence[CitedEvidence], outcome: str) -> str:
    """Return in words what the evidence of an update does: '2 for yes, 1 context'."""
    stances = [one.stance for one in citing]
    words = {
        f"for {outcome}": stances.count(Stance.supports),
        f"against {outcome}": stances.count(Stance.opposes),
        "as context": stances.count(Stance.context),
    }
    return ", ".join(f"{number} {word}" for word, number in words.items() if number)


def cite(
    session: Session,
    forecast: Forecast,
    evidence: Sequence[CitedEvidence],
    *,
    member: Member,
    now: datetime,
) -> list[Citation]:
    """Return the citations of this forecast, written with whatever evidence is new.

    Refused when one piece of evidence is cited twice, a share lies outside 0..1, or the shares
    sum to more than 1; Forbidden for the forecast of somebody else.
    """
    if forecast.member_id != member.id:
        raise Forbidden(
            f"{member.handle} cannot cite evidence for a forecast that is somebody else's.",
            remedy="Cite it with a forecast of your own.",
        )
    if not evidence:
        return []
    session.flush()  # so that the forecast has its number
    _check_shares([cited.share for cited in evidence if cited.share is not None])
    citations: list[Citation] = []
    for cited in evidence:
        row = record_evidence(session, cited, member=member, now=now)
        assert row.id is not None
        assert forecast.id is not None
        if any(known.evidence_id == row.id for known in citations):
            raise Refused(
                f"The evidence {cited.url or cited.note or cited.title!r} is cited twice in one "
                "update.",
                remedy="Name it once, with the stance that prevails.",
            )
        citations.append(
            Citation(
                forecast_id=forecast.id,
                evidence_id=row.id,
                stance=cited.stance,
                share=cited.share,
            )
        )
    session.add_all(citations)
    session.flush()
    return citations


def _check_shares(shares: Sequence[float]) -> None:
    for share in shares:
        if not 0 <= share <= 1:
            raise Refused(
                f"The share of an update that a piece of evidence accounts for lies in 0..1; "
                f"{share!r} does not."
            )
    total = math.fsum(shares)
    if total > 1 + SUM_TOLERANCE:
        raise Refused(
            f"The shares of the evidence sum to {total:.12g}, and an update has 1 (100 %) to share "
            "out.",
            remedy="Lower one of them, or leave one out: it gets what is left.",
        )


def record_evidence(
    session: Session, cited: CitedEvidence, *, member: Member | None, now: datetime
) -> Evidence:
    """Return the row of this evidence, written if it is new.

    Where the URL is that of a captured article, title, publisher and date are taken from it.
    """
    if member is not None:
        require(session, member, Action.capture, now=now)
    url = (cited.url or "").strip() or None
    if url is None and not cited.note.strip() and not cited.title.strip():
        raise BadInput(
            "Evidence needs a URL, a title or a note.", remedy="Say what moved the forecast."
        )
    if url is not None and not url.startswith(("https://", "http://", DIGEST_ADDRESS)):
        raise BadInput(
            f"{url!r} is not a web address.",
            remedy="Give one that begins with https://, or put it into a note.",
        )
    key = cited.key or evidence_key(cited)
    known = session.exec(select(Evidence).where(Evidence.key == key)).first()
    if known is not None:
        return known
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
        member_id=member.id if member else None,
        recorded_at=now,
    )
    session.add(row)
    session.flush()
    return row


def article_by_address(session: Session, address: str) -> Article | None:
    """Return the captured article with that address (``Article.address``), the first if several."""
    found = (
        Article.content_hash == address.removeprefix(DIGEST_ADDRESS)
        if address.startswith(DIGEST_ADDRESS)
        else Article.url == address
    )
    return session.exec(select(Article).where(found).order_by(col(Article.id)).limit(1)).first()


def evidence_key(cited: CitedEvidence) -> str:
    """Return the key of this evidence: its URL decides, or without one its words."""
    words = cited.url.strip() if cited.url else f"{cited.kind}\n{cited.title}\n{cited.note}"
    return "e-" + hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]
