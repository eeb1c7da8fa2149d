"""The evidence that published forecasts cite."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from forecasts.ledger.chain import tombstone
from forecasts.ledger.models import Citation, Evidence, EvidenceKind, Stance
from forecasts.questions.standing import in_batches


@dataclass(frozen=True)
class PublishedEvidence:
    """A piece of evidence that a forecast cites."""

    kind: EvidenceKind
    title: str
    url: str | None
    publisher: str | None
    published_at: datetime | None
    quote: str
    note: str
    stance: Stance
    share: float | None


def evidence_of(
    session: Session, forecasts: Sequence[int]
) -> defaultdict[int, list[PublishedEvidence]]:
    """Return the evidence of these forecasts by their ids, erased evidence left out."""
    found = defaultdict[int, list[PublishedEvidence]](list)
    for some in in_batches(forecasts):
        cited = session.exec(
            select(Citation, Evidence)
            .join(Evidence, col(Evidence.id) == col(Citation.evidence_id))
            .where(col(Citation.forecast_id).in_(some))
            .order_by(col(Citation.id))
        )
        for citation, one in cited:
            if one.key != tombstone("evidence", "key", one.id):
                found[citation.forecast_id].append(_published(citation, one))
    return found


def _published(citation: Citation, one: Evidence) -> PublishedEvidence:
    return PublishedEvidence(
        EvidenceKind(one.kind),
        one.title,
        one.url,
        one.publisher,
        one.published_at,
        one.quote,
        one.note,
        Stance(citation.stance),
        citation.share,
    )
