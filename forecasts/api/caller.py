"""The caller of a request: their token, and the ledger as they may see and change it.

A handler gets the ledger by ``answers.reads`` or ``answers.acts``. The verbs check the caller's
rights; the session knows the token's scopes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Annotated, TypedDict

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer
from sqlalchemy import Engine
from sqlmodel import Session
from starlette.datastructures import Headers

from forecasts.access import roles, tokens, visibility
from forecasts.access.roles import Scope
from forecasts.api.door import Here
from forecasts.api.problems import TooMany, Unauthenticated
from forecasts.common.errors import DatabaseError, Expired, Forbidden, Remedy
from forecasts.common.settings import Settings
from forecasts.ledger import database
from forecasts.ledger.clock import act_time, ledger_clock
from forecasts.ledger.models import Member, Token
from forecasts.ledger.outages import outages

MOST_REMEMBERED = 10_000  # tokens whose requests are counted
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


class Limiter:
    """Counts the requests of each token: so many a minute, as many at once."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._left: dict[bytes, tuple[float, float]] = {}

    def take(self, secret: str) -> None:
        """Count a request; TooMany if the token has none left."""
        key, now = hashlib.sha256(secret.encode()).digest(), monotonic()
        left, since = self._left.get(key, (self._most, now))
        left = min(self._most, left + (now - since) * self._most / 60)
        if left < 1:
            seconds = max(1, round((1 - left) * 60 / self._most))
            raise TooMany(
                f"This token has sent over {self._most:,.0f} requests in a minute.", seconds=seconds
            )
        self._left.pop(key, None)
        self._left[key] = left - 1, now  # the last used is the last in order
        if len(self._left) > MOST_REMEMBERED:
            del self._left[next(iter(self._left))]


@dataclass
class Ground:
    """The ledger that the API serves, in ``app.state.ground``.

    ``turn``: only one act writes at a time, and within this process the next one follows sooner
    than if each waited for its turn in the database.
    """

    engine: Engine
    clock: Callable[[], datetime]
    settings: Settings
    limiter: Limiter = field(init=False)
    turn: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.limiter = Limiter(self.settings.api_requests_per_minute)


@dataclass(frozen=True)
class Caller:
    """The sender of one request, by their token.

    ``request_digest``: the SHA-256 of method, address and body. ``status``: that of the answer, if
    the request is accepted.
    """

    ground: Ground
    secret: str = field(repr=False)
    idempotency_key: str | None = None
    request_digest: str = ""
    status: int = 200

    @contextmanager
    def admitted(self) -> Iterator[At]:
        """Yield the ledger at one moment, whatever the token's scopes; for checks before an act."""
        with outages.watched() as read:
            now = ledger_clock(self.ground.engine, self.ground.clock)()
            with database.reading(self.ground.engine) as session:
                at = self._admitted(session, now)
                read()
                yield at

    @contextmanager
    def reading(self) -> Iterator[At]:
        """Yield the ledger at one moment, as far as the caller may see it."""
        with self.admitted() as at:
            roles.require_scope(at.session, Scope.read)
            yield at

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
                yield at
        finally:
            ground.turn.release()

    def _admitted(self, session: Session, now: datetime) -> At:
        try:
            token, member = tokens.held(session, self.secret, now=now)
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
    """Return the caller of a request; Unauthenticated, or TooMany for one over the limit."""
    secret = sent_token(request.headers)
    ground: Ground = request.app.state.ground
    ground.limiter.take(secret)
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    status = request.scope["route"].status_code or 200
    return Caller(ground, secret, request_digest=digest.hexdigest(), status=status)


# For the documents; ``caller`` reads the header.
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
