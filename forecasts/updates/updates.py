"""Updates: append a forecast with the evidence it leans on; withdraw; read a path back.

A forecast is never changed. A changed mind is a new row, and so is a withdrawal; the row that
stands at a time is the last one made at or before it.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select, true

from forecasts.access.visibility import Action, require, shown
from forecasts.common.errors import BadInput, Forbidden, Refused
from forecasts.common.times import to_minute
from forecasts.ledger import deferred
from forecasts.ledger.following import checked
from forecasts.ledger.models import (
    DIGEST_ADDRESS,
    Article,
    Citation,
    Evidence,
    EvidenceKind,
    Forecast,
    Member,
    Question,
    Stance,
)
from forecasts.questions.registry import Stands, as_it_stands, resolved
from forecasts.updates.values import SUM_TOLERANCE, Value, check_value


@dataclass(frozen=True)
class Cited:
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


def update(
    session: Session,
    question: Question,
    value: Value,
    *,
    member: Member,
    now: datetime,
    rationale: str = "",
    evidence: Sequence[Cited] = (),
    origin: str = "cli",
) -> Forecast:
    """Return the new forecast; it, its evidence and its citations are written together.

    Refused before the question opens, from its close on, once it is resolved, and for a value
    that breaks a rule (see ``values.check_value``); nothing is written then. It takes a forecaster.
    """

    def check() -> Stands:
        require(session, member, Action.forecast, question, now=now)
        stands = as_it_stands(session, question, now=now)
        _require_open(stands, now)
        check_value(value, stands.text)
        return stands

    stands = checked(session, check)
    forecast = _append(
        session, stands, member, now, value=value, rationale=rationale, origin=origin
    )
    cite(session, forecast, evidence, member=member, now=now)
    return forecast


def withdraw(
    session: Session,
    question: Question,
    *,
    member: Member,
    now: datetime,
    rationale: str = "",
    origin: str = "cli",
) -> Forecast:
    """Return the withdrawal, which is written as a row of its own: nothing stands from now on.

    Refused where the member has no standing forecast, or the question is not open.
    """
    require(session, member, Action.forecast, question, now=now)
    stands = as_it_stands(session, question, now=now)
    _require_open(stands, now)
    if standing(session, question, member, at=now) is None:
        raise Refused(
            f"{member.handle} has no standing forecast on {question.slug!r}: "
            "there is nothing to withdraw."
        )
    return _append(session, stands, member, now, value=None, rationale=rationale, origin=origin)


def _require_open(stands: Stands, now: datetime) -> None:
    text = stands.text
    if stands.takes_forecasts(now):
        return
    if now < text.open_time:
        raise Refused(
            f"{stands.slug!r} opens at {to_minute(text.open_time)}; it is {to_minute(now)}, and "
            "forecasts made before a question opens are refused.",
            remedy="Come back when it is open.",
        )
    if stands.resolution is not None:
        raise Refused(
            f"{stands.slug!r} is resolved ({stands.resolution.outcome}): "
            "no forecast can be added or withdrawn."
        )
    raise Refused(
        f"{stands.slug!r} closed at {to_minute(text.close_time)}; it is {to_minute(now)}, and "
        "forecasts made from the close on are refused.",
        remedy="It awaits its resolution.",
    )


def _append(
    session: Session,
    stands: Stands,
    member: Member,
    now: datetime,
    *,
    value: Value | None,
    rationale: str,
    origin: str,
) -> Forecast:
    row = {
        "question_id": stands.id,
        "member_id": member.id,
        "made_at": now,
        "recorded_at": now,
        **(Value() if value is None else value).columns(),
        "withdrawn": value is None,
        "rationale": rationale.strip(),
        "origin": origin,
        "import_key": None,
        "claimed_at": None,
        "vouched_by_id": None,
    }
    return deferred.later(session, Forecast, row)


def cite(
    session: Session,
    forecast: Forecast,
    evidence: Sequence[Cited],
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
    session: Session, cited: Cited, *, member: Member | None, now: datetime
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
    article = None if url is None else article_at(session, url)
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


def article_at(session: Session, address: str) -> Article | None:
    """Return the captured article with that address (``Article.address``), the first if several."""
    found = (
        Article.content_hash == address.removeprefix(DIGEST_ADDRESS)
        if address.startswith(DIGEST_ADDRESS)
        else Article.url == address
    )
    return session.exec(select(Article).where(found).order_by(col(Article.id)).limit(1)).first()


def evidence_key(cited: Cited) -> str:
    """Return the key of this evidence: its URL decides, or without one its words."""
    words = cited.url.strip() if cited.url else f"{cited.kind}\n{cited.title}\n{cited.note}"
    return "e-" + hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def standing(
    session: Session, question: Question, member: Member, *, at: datetime
) -> Forecast | None:
    """Return the member's forecast that stands at that time; None if there is none."""
    last = session.exec(
        select(Forecast)
        .where(
            Forecast.question_id == question.id,
            Forecast.member_id == member.id,
            Forecast.made_at <= at,
            shown(session),
        )
        .order_by(col(Forecast.made_at).desc(), col(Forecast.id).desc())
        .limit(1)
    ).first()
    return None if last is None or last.withdrawn else last


def standing_of(
    session: Session, member: Member, *, at: datetime, unresolved: bool = False
) -> dict[int, Forecast]:
    """Return the member's forecasts that stand at that time, by question id: one statement.

    ``unresolved``: on questions without an outcome alone.
    """
    place = (
        func.row_number()
        .over(
            partition_by=col(Forecast.question_id),
            order_by=(col(Forecast.made_at).desc(), col(Forecast.id).desc()),
        )
        .label("place")
    )
    ranked = (
        select(col(Forecast.id), place)
        .where(Forecast.member_id == member.id, Forecast.made_at <= at, shown(session))
        .subquery()
    )
    return {
        forecast.question_id: forecast
        for forecast in session.exec(
            select(Forecast)
            .join(ranked, ranked.c.id == col(Forecast.id))
            .where(
                ranked.c.place == 1,
                col(Forecast.withdrawn).is_(False),
                ~resolved(Forecast.question_id) if unresolved else true(),
            )
        )
    }


def history(
    session: Session, question: Question, member: Member | None = None
) -> list[tuple[Forecast, str]]:
    """Return every forecast on the question with its forecaster's handle, in the order made.

    Those of others are not among them where the crowd is hidden (``access.shown``).
    """
    statement = (
        select(Forecast, Member.handle)
        .join(Member, col(Member.id) == col(Forecast.member_id))
        .where(Forecast.question_id == question.id, shown(session, question))
        .order_by(col(Forecast.made_at), col(Forecast.id))
    )
    if member is not None:
        statement = statement.where(Forecast.member_id == member.id)
    return [(forecast, handle) for forecast, handle in session.exec(statement)]


@dataclass(frozen=True)
class Move:
    """One row of a forecaster's path, and what of theirs stood just before it, if anything."""

    forecast: Forecast
    handle: str
    before: Forecast | None


def moves(rows: Sequence[tuple[Forecast, str]]) -> list[Move]:
    """Return the rows of ``history``, in its order, each with what it replaced."""
    standing: dict[int, Forecast] = {}
    found = []
    for forecast, handle in rows:
        before = standing.get(forecast.member_id)
        found.append(Move(forecast, handle, None if before and before.withdrawn else before))
        standing[forecast.member_id] = forecast
    return found


def evidence_of(session: Session, question: Question) -> dict[int, list[tuple[Citation, Evidence]]]:
    """Return the citations of each forecast on the question, by the forecast's id."""
    cited: dict[int, list[tuple[Citation, Evidence]]] = defaultdict(list)
    for citation, evidence in session.exec(
        select(Citation, Evidence)
        .join(Evidence, col(Evidence.id) == col(Citation.evidence_id))
        .join(Forecast, col(Forecast.id) == col(Citation.forecast_id))
        .where(Forecast.question_id == question.id, shown(session, question))
        .order_by(col(Citation.id))
    ):
        cited[citation.forecast_id].append((citation, evidence))
    return dict(cited)
