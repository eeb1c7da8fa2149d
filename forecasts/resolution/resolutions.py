"""Resolutions: read a question's rows, and those attached to them.

Writing one is in ``confirmation`` and ``proposals``.
"""

from __future__ import annotations

from typing import TypeVar

from sqlmodel import Session, col, select

from forecasts.access import visibility
from forecasts.ledger.models import Dispute, Exhibit, Question, Resolution

Attached = TypeVar("Attached", Dispute, Exhibit)


def history(session: Session, question: Question) -> list[Resolution]:
    """Return every row of the question's resolution history, in the order written."""
    visibility.require_visible(session, question)
    return list(
        session.exec(
            select(Resolution)
            .where(Resolution.question_id == question.id)
            .order_by(col(Resolution.id))
        )
    )


def by_resolution(
    session: Session, question: Question, table: type[Attached]
) -> dict[int, list[Attached]]:
    """Return the rows of ``table`` on the question's resolutions, by the id of the resolution."""
    visibility.require_visible(session, question)
    found: dict[int, list[Attached]] = {}
    for row in session.exec(
        select(table)
        .join(Resolution, col(Resolution.id) == col(table.resolution_id))
        .where(Resolution.question_id == question.id)
        .order_by(col(table.id))
    ):
        found.setdefault(row.resolution_id, []).append(row)
    return found
