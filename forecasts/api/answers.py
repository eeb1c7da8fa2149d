"""Handlers that read or act, and answers: kept ones for retries, entity tags, Markdown."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from fastapi import Request, Response

from forecasts.access.idempotency import keep_answer, kept_answer
from forecasts.api.caller import Acts, At, Caller, Reads
from forecasts.api.problems import Outdated
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


def reads(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return the handler of a request that reads; its first argument is the ledger."""

    def answered(caller: Caller, do: Callable[[At], Any]) -> Any:
        with caller.reading() as at:
            return do(at)

    return _handler(handler, Reads, answered)


def acts(handler: Callable[..., View]) -> Callable[..., Any]:
    """Return the handler of one act, with retries; its first argument is the ledger."""
    return _handler(handler, Acts, acted)


def acts_once(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return the handler of one act, without retries; its first argument is the ledger."""

    def answered(caller: Caller, do: Callable[[At], Any]) -> Any:
        with caller.acting() as at:
            return do(at)

    return _handler(handler, Reads, answered)


def _handler(
    do: Callable[..., Any], sender: object, answered: Callable[[Caller, Callable[[At], Any]], Any]
) -> Callable[..., Any]:
    """Return ``do`` for FastAPI: it takes the caller in place of the ledger."""

    @wraps(do)
    def handler(caller: Caller, **given: Any) -> Any:
        return answered(caller, lambda at: do(at, **given))

    own = inspect.signature(do, eval_str=True)
    caller = inspect.Parameter("caller", inspect.Parameter.KEYWORD_ONLY, annotation=sender)
    others = [one.replace(kind=caller.kind) for one in list(own.parameters.values())[1:]]
    handler.__signature__ = own.replace(parameters=[caller, *others])  # type: ignore[attr-defined]
    return handler


def acted(caller: Caller, do: Callable[[At], Answer]) -> Answer | Response:
    """Return the result of ``do`` for one act of the caller, stored with it.

    A retry with the same ``Idempotency-Key`` gets the first answer, and nothing is done again.
    """
    key, digest = caller.idempotency_key, caller.request_digest
    with caller.acting() as at:
        if (first := replayed(caller, at)) is not None:
            return first
        done = do(at)
        if key is not None:
            text, status = done.model_dump_json(), caller.status
            keep_answer(at.session, at.token, key, digest, status=status, answer=text, now=at.now)
    return done


def replayed(caller: Caller, at: At) -> Response | None:
    """Return the first answer to a request that is a retry, None for any other request."""
    if caller.idempotency_key is None:
        return None
    key, digest = caller.idempotency_key, caller.request_digest
    kept = kept_answer(at.session, at.token, key, digest, now=at.now)
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
