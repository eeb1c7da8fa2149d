"""Answers kept for retries: the same key and request get the same answer, and act once.

The answer is written in the act's own transaction, so that either both are stored or neither: a
caller whose connection broke repeats the request with its key.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from forecasts.common.errors import BadInput, Refused
from forecasts.ledger.models import IdempotentAnswer, Token

KEPT_FOR = timedelta(days=7)
_MOST_CHARACTERS = 200


def kept_answer(
    session: Session, token: Token, key: str, request_digest: str, *, now: datetime
) -> IdempotentAnswer | None:
    """Return the answer to an earlier request with this key, None for the first one.

    Refused for a key that came with another request; BadInput for one that cannot be kept.
    """
    if not key.isprintable() or not 0 < len(key) <= _MOST_CHARACTERS:
        raise BadInput(
            f"An Idempotency-Key has 1 to {_MOST_CHARACTERS} printable characters.",
            remedy="Send a UUID.",
        )
    kept = session.exec(
        select(IdempotentAnswer).where(
            IdempotentAnswer.token_id == token.id, IdempotentAnswer.key == key
        )
    ).first()
    if kept is None or kept.recorded_at <= now - KEPT_FOR:
        return None
    if kept.request_digest != request_digest:
        raise Refused(
            f"The Idempotency-Key {key!r} was already used for another request.",
            remedy="Send a new key with each new request, and the same key only with a retry.",
            code="key_reused",
        )
    return kept


def keep_answer(
    session: Session,
    token: Token,
    key: str,
    request_digest: str,
    *,
    status: int,
    answer: str,
    now: datetime,
) -> None:
    """Write the answer to a request, and delete those that are too old."""
    session.exec(
        delete(IdempotentAnswer).where(col(IdempotentAnswer.recorded_at) <= now - KEPT_FOR)
    )
    session.add(
        IdempotentAnswer(
            token_id=token.id,
            key=key,
            request_digest=request_digest,
            status=status,
            answer=answer,
            recorded_at=now,
        )
    )
