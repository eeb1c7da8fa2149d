"""The caller of a request: their token, and the ledger as they may see and change it.

A handler gets the ledger by ``reads`` or ``acts``, which declare the scope that its route needs; a
``Scoped`` route asks for it before the request is looked at. The verbs check the caller's rights.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import wraps
from threading import Lock
from time import thread_time
from typing import Annotated, Any, NamedTuple, TypedDict, TypeVar

from fastapi import Depends, Header, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from sqlalchemy import Engine
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from forecasts.access import roles, tokens, visibility
from forecasts.access.idempotency import keep_answer, kept_answer
from forecasts.access.roles import Scope
from forecasts.api.door import Here
from forecasts.api.problems import Outdated, Unauthenticated
from forecasts.api.turns import (
    MOST_REMEMBERED,
    SLOTS,
    SLOTS_OF_READERS,
    SLOTS_OF_STRANGERS,
    Quota,
    Turns,
)
from forecasts.common.errors import DatabaseError, Expired, Forbidden, Remedy
from forecasts.common.settings import Settings
from forecasts.ledger import database
from forecasts.ledger.append import count_entered
from forecasts.ledger.clock import act_time, ledger_clock
from forecasts.ledger.models import Member, Token
from forecasts.ledger.outages import outages
from forecasts.views.view import View

PATIENCE = 30  # seconds for the turn to write in this process
_REMEDY = Remedy("To make a bot and its token: {}", "token create", "NAME")


class By(TypedDict):
    """The keywords that tell a verb who acts, and when."""

    member: Member
    now: datetime


@dataclass(frozen=True)
class At(Here):
    """The ledger for one request, with the token of its sender."""

    member: Member
    token: Token

    @property
    def by(self) -> By:
        """The member and the time, as a verb's keywords."""
        return {"member": self.member, "now": self.now}


class Holder(NamedTuple):
    """The holder of a token: their id, and its scopes, which never change; None: it has all."""

    member: int
    scopes: Sequence[str] | None


@dataclass
class Ground:
    """The ledger that the API serves, in ``app.state.ground``.

    ``turn``: only one act writes at a time, and within this process the next one follows sooner
    than if each waited for its turn in the database.
    """

    engine: Engine
    clock: Callable[[], datetime]
    settings: Settings
    turn: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        chosen = self.settings
        self.requests = Quota(
            chosen.api_requests_per_minute,
            60,
            "This token has sent over {} requests in a minute.",
            "send forecasts in batches",
        )
        self.rows = Quota(
            chosen.api_rows,
            600,
            "You have written over {} rows in 10 minutes.",
            "let the operator raise FORECASTS_API_ROWS",
        )
        used = "Your requests have used over {} s of a processor in a few minutes."
        otherwise = "let the operator raise FORECASTS_API_PROCESSOR_SECONDS"
        seconds = chosen.api_processor_seconds
        self.turns = Turns(SLOTS, Quota(seconds, 600, used, otherwise))
        # Less, since nothing else computes for so long at a time.
        self.reader_turns = Turns(SLOTS_OF_READERS, Quota(seconds / 10, 200, used, otherwise))
        self._strangers = asyncio.Semaphore(SLOTS_OF_STRANGERS)
        self._known: dict[bytes, Holder] = {}  # by their tokens, which were valid once

    async def holder_of(self, secret: str) -> Holder:
        """Return the token's holder, to queue their request and to check the token's scope.

        Unauthenticated or Expired for a token that has never been valid; the request itself asks
        whether it still is. TooMany if it has sent too many requests.
        """
        key = hashlib.sha256(secret.encode()).digest()
        self.requests.require(key)
        self.requests.take(key, 1)
        if key not in self._known:
            async with self._strangers:
                holder = await run_in_threadpool(Caller(self, secret).holder)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = holder
        return self._known[key]


@dataclass(frozen=True)
class Caller:
    """The sender of one request, by their token.

    The gate of the API makes it, in the request's ``caller``. ``scopes``: of the token; None: all.
    ``processor``: where its seconds of a processor are counted. ``request_digest``: the SHA-256 of
    method, address and body. ``status``: that of the answer, if the request is accepted.
    """

    ground: Ground
    secret: str = field(repr=False)
    scopes: Sequence[str] | None = None
    processor: Quota | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    request_digest: str = ""
    status: int = 200

    @property
    def allow_private(self) -> bool:
        """Whether articles may be fetched from private addresses."""
        return self.ground.settings.allow_private_addresses

    @contextmanager
    def reading(self) -> Iterator[At]:
        """Yield the ledger at one moment, as far as the caller may see it."""
        with outages.watched() as read:
            now = ledger_clock(self.ground.engine, self.ground.clock)()
            with database.reading(self.ground.engine) as session:
                at = self._admitted(session, now)
                read()
                with self._counted(at):
                    yield at

    def holder(self) -> Holder:
        """Return the holder of the token; Unauthenticated or Expired without a valid token."""
        with self.reading() as at:
            return Holder(at.member.id, at.token.scopes)

    @contextmanager
    def acting(self) -> Iterator[At]:
        """Yield the ledger for one act of the caller, stored when the block ends."""
        ground = self.ground
        if not ground.turn.acquire(timeout=PATIENCE):
            raise DatabaseError("The ledger is busy: too many want to write.", remedy="Try again.")
        try:
            with (
                outages.watched() as read,
                database.writing(ground.engine, ground.clock) as session,
            ):
                at = self._admitted(session, act_time(session))
                read()
                ground.rows.require(at.member.id)
                with self._counted(at):
                    yield at
                ground.rows.take(at.member.id, count_entered(session))
        finally:
            ground.turn.release()

    @contextmanager
    def _counted(self, at: At) -> Iterator[None]:
        began = thread_time()
        try:
            yield
        finally:
            if self.processor is not None:
                self.processor.take(at.member.id, thread_time() - began)

    def _admitted(self, session: Session, now: datetime) -> At:
        try:
            token, member, _ = tokens.held(session, self.secret, now=now)
        except Expired:
            raise
        except Forbidden:
            raise Unauthenticated("The token is not valid here.", remedy=_REMEDY) from None
        visibility.read_as(session, member, now=now)
        roles.limit_scopes(session, token.scopes)
        return At(session, member, now, token)


def sent_token(headers: Headers) -> str:
    """Return the token of ``Authorization: Bearer …`` (or ``Token …``, as other clients say).

    Unauthenticated without one.
    """
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.casefold() not in ("bearer", "token") or not secret.strip():
        raise Unauthenticated("The request has no token.", remedy=_REMEDY)
    return secret.strip()


async def caller(request: Request) -> Caller:
    """Return the caller of a request, with its digest."""
    who: Caller = request.scope["caller"]
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    status = request.scope["route"].status_code or 200
    return replace(who, request_digest=digest.hexdigest(), status=status)


# For the documents; the gate reads the header.
SECURITY = Security(
    HTTPBearer(
        auto_error=False, scheme_name="token", description="A token of forecasts token create"
    )
)


async def retryable(
    who: Annotated[Caller, Depends(caller)],
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=200,
            description="A key of your own of 1 to 200 printable characters, such as a UUID. A "
            "retry with the same key and body gets the first answer again, for 7 days.",
        ),
    ] = None,
) -> Caller:
    """Return the caller of a request that may be repeated after a broken connection."""
    return replace(who, idempotency_key=idempotency_key)


Reads = Annotated[Caller, Depends(caller)]
Acts = Annotated[Caller, Depends(retryable)]


MARKDOWN = "text/markdown"
Answer = TypeVar("Answer", bound=View)
Handler = TypeVar("Handler", bound=Callable[..., Any])


def wants_markdown(request: Request) -> bool:
    """Return whether the request asks for Markdown rather than JSON."""
    accepted = request.headers.get("accept", "")
    return MARKDOWN in accepted and "application/json" not in accepted


def markdown(text: str) -> Response:
    """Return Markdown as a response."""
    return Response(text, headers={"Vary": "Accept, Authorization"}, media_type=MARKDOWN)


class Scoped(APIRoute):
    """A route whose token needs the scope that its handler declares.

    TypeError for a handler without one.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        scope: Scope | None = getattr(endpoint, "scope", None)
        if scope is None:
            raise TypeError(f"The handler of {path} declares no scope: see forecasts.api.caller.")
        self.scope = scope
        super().__init__(path, endpoint, **given)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of a request, which first refuses a token without the scope."""
        answer, scope = super().get_route_handler(), self.scope

        async def answered(request: Request) -> Response:
            who: Caller = request.scope["caller"]
            try:
                roles.require_one_of(who.scopes, scope)
            except Forbidden:
                await run_in_threadpool(who.holder)  # a token that has been revoked is told so
                raise
            return await answer(request)

        return answered


def needs(scope: Scope) -> Callable[[Handler], Handler]:
    """Return a decorator that declares the scope of a handler's route."""

    def declared(handler: Handler) -> Handler:
        handler.scope = scope  # type: ignore[attr-defined]
        return handler

    return declared


def reads(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return the handler of a request that reads; its first argument is the ledger."""
    return needs(Scope.read)(_handler(handler, Reads, _read))


def acts(scope: Scope) -> Callable[[Callable[..., View]], Callable[..., Any]]:
    """Return a decorator for the handler of one act, with retries; it first takes the ledger."""
    return lambda handler: needs(scope)(_handler(handler, Acts, acted))


def acts_once(scope: Scope) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator as ``acts`` does, without retries."""
    return lambda handler: needs(scope)(_handler(handler, Reads, acted))


def _read(caller: Caller, do: Callable[[At], Any]) -> Any:
    with caller.reading() as at:
        return do(at)


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
