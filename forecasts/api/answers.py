"""Answers: JSON, entity tags, kept answers to retries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import date, datetime
from typing import Any

from fastapi import Request, Response

from forecasts.access.idempotency import keep_answer, kept_answer
from forecasts.api.caller import At, Caller
from forecasts.api.problems import Coded, Outdated
from forecasts.common.errors import Refused
from forecasts.common.json_text import json_ready
from forecasts.common.times import iso


def as_json(value: Any) -> str:
    """Return a value as compact JSON, in the forms of the command line."""
    try:
        return json.dumps(
            value, default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
    except ValueError:  # it has an infinite number
        return json.dumps(json_ready(value), ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value):
        return vars(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def answer(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return JSON text as a response."""
    data = text.encode("utf-8", "replace")
    return Response(data, status, headers, media_type="application/json")


def read(value: Any) -> Response:
    """Return a value as the answer to a request that only reads."""
    return answer(as_json(value))


def acted(caller: Caller, do: Callable[[At], Any], *, status: int = 200) -> Response:
    """Return the result of ``do`` for one act of the caller, stored with it.

    A retry with the same ``Idempotency-Key`` gets the first answer, and nothing is done again.
    """
    key, digest = caller.idempotency_key, caller.request_digest
    with caller.acting() as at:
        if (first := replayed(caller, at)) is not None:
            return first
        text = as_json(do(at))
        if key is not None:
            keep_answer(at.session, at.token, key, digest, status=status, answer=text, now=at.now)
    return answer(text, status)


def replayed(caller: Caller, at: At) -> Response | None:
    """Return the first answer to a request that is a retry, None for any other request."""
    if caller.idempotency_key is None:
        return None
    key, digest = caller.idempotency_key, caller.request_digest
    try:
        kept = kept_answer(at.session, at.token, key, digest, now=at.now)
    except Refused as error:
        raise Coded(error, "key_reused") from None
    if kept is None:
        return None
    return answer(kept.answer, kept.status, {"Idempotent-Replayed": "true"})


def entity_tag(text: str) -> str:
    """Return the ETag of a representation."""
    return f'"{hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]}"'


def tagged(request: Request, value: Any) -> Response:
    """Return a value with its ETag, or 304 if ``If-None-Match`` has that."""
    text = as_json(value)
    tag = entity_tag(text)
    if _names(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    return answer(text, headers={"ETag": tag, "Vary": "Accept, Authorization"})


def require_match(if_match: str | None, value: Any) -> None:
    """Refuse, with Outdated, a change of something that is not as the caller has read it."""
    if if_match is not None and not _names(if_match, entity_tag(as_json(value))):
        raise Outdated(
            "The question has changed since you read it.",
            remedy="Read it again, and repeat the change with its new ETag.",
        )


def _names(header: str | None, tag: str) -> bool:
    if header is None:
        return False
    given = [one.strip().removeprefix("W/") for one in header.split(",")]
    return "*" in given or tag in given
