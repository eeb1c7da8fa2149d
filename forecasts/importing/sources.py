"""The articles and evidence of an import: which are new, and writing them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import pandas as pd
from sqlmodel import Session, col, select

from forecasts.access.visibility import evidence_visible
from forecasts.common.errors import BadInput, Problem
from forecasts.folder.frames import rows
from forecasts.importing.questions import address_hash, time_of
from forecasts.ledger.models import DIGEST_ADDRESS, Article, Evidence, Member
from forecasts.questions.standing import rows_with
from forecasts.reading.article import CapturedArticle, content_hash
from forecasts.updates.evidence import key_and_row


class Articles(NamedTuple):
    """The new articles of an import, and every article by its address, the new ones included."""

    new: list[Article]
    by_address: dict[str, Article]


class Pieces(NamedTuple):
    """The evidence of an import, by evidence_id: the key of each, and those that the ledger has."""

    keys: dict[str, str]
    known: dict[str, Evidence]


def compare_articles(
    session: Session, articles: pd.DataFrame, member: Member, now: datetime
) -> Articles:
    """Return the new articles, and every article by its address; nothing is written.

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
    return Articles(new, by_address)


def compare_evidence(session: Session, evidence: pd.DataFrame, member: Member) -> Pieces:
    """Return the key of each piece, and the pieces that the ledger has; nothing is written.

    A piece with the key of evidence that the reader may not see gets a key of its own.
    """
    keys = {given: given for given in evidence["evidence_id"].tolist()}
    known: dict[str, Evidence] = {}
    stored = select(Evidence, evidence_visible(session))
    for row, is_visible in rows_with(session, stored, Evidence.key, list(keys)):
        own: Evidence | None = row
        if not is_visible:
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
    return Pieces(keys, known)


def write_evidence(
    session: Session,
    evidence: pd.DataFrame,
    found: Pieces,
    articles: Mapping[str, Article],
    member: Member,
    now: datetime,
) -> dict[str, int]:
    """Return the id of each piece of evidence by its evidence_id; new ones are written.

    ``found``: as ``compare_evidence`` returned them. ``articles``: by address.
    """
    new = {
        row.evidence_id: Evidence(
            key=found.keys[row.evidence_id],
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
        if row.evidence_id not in found.known
    }
    session.add_all(new.values())
    session.flush()
    return {given: row.id for given, row in (found.known | new).items()}
