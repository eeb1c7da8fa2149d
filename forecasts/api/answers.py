"""Answers to acts and to conditional requests: kept ones for retries, entity tags."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request, Response

from forecasts.access.idempotency import keep_answer, kept_answer
from forecasts.api.caller import At, Caller
from forecasts.api.problems import Coded, Outdated
from forecasts.common.errors import Refused
from forecasts.views.view import View

MARKDOWN = "text/markdown"
Answer = TypeVar("Answer", bound=View)


def wants_markdown(request: Request) -> bool:
    """Return whether the request asks for Markdown rather than JSON."""
    accepted = request.headers.get("accept", "")
    return MARKDOWN in accepted and "application/json" not in accepted


def markdown(text: str) -> Response:
    """Return Markdown as a response."""
    return Response(text, headers={"Vary": "Accept, Authorization"}, media_type=MARKDOWN)


def acted(caller: Caller, do: Callable[[At], Answer], *, status: int = 201) -> Answer | Response:
    """Return the result of ``do`` for one act of the caller, stored with it.

    ``status``: that of the operation. A retry with the same ``Idempotency-Key`` gets the first
    answer, and nothing is done again.
    """
    key, digest = caller.idempotency_key, caller.request_digest
    with caller.acting() as at:
        if (first := replayed(caller, at)) is not None:
            return first
        done = do(at)
        if key is not None:
            text = done.model_dump_json()
            keep_answer(at.session, at.token, key, digest, status=status, answer=text, now=at.now)
    return done


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
    headers = {"Idempotent-Replayed": "true"}
    return Response(kept.answer, kept.status, headers, media_type="application/json")


def entity_tag(view: View) -> str:
    """Return the ETag of a view."""
    return f'"{hashlib.sha256(view.model_dump_json().encode()).hexdigest()[:32]}"'


def tagged(request: Request, response: Response, view: Answer) -> Answer | Response:
    """Return a view, its ETag in the response; or 304 if ``If-None-Match`` has that."""
    tag = entity_tag(view)
    if _names(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    response.headers.update({"ETag": tag, "Vary": "Accept, Authorization"})
    return view


def require_match(if_match: str | None, view: View) -> None:
    """Refuse, with Outdated, a change of something that is not as the caller has read it."""
    if if_match is not None and not _names(if_match, entity_tag(view)):
        raise Outdated(
            "The question has changed since you read it.",
            remedy="Read it again, and repeat the change with its new ETag.",
        )


def _names(header: str | None, tag: str) -> bool:
    if header is None:
        return False
    given = [one.strip().removeprefix("W/") for one in header.split(",")]
    return "*" in given or tag in given
