"""Requests to a platform's API on behalf of one account: its token, waiting and faults.

A server that is busy or out of reach is asked again, after the time that it names (``Retry-After``,
in seconds or as a date) or longer each time; the person is told. Earlier answers are kept (see
``kept``), so each remedy can be: try again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from forecasts.common.errors import Advice, BadInput, CaptureError, NoAnswer, Remedy
from forecasts.common.json_text import no_constant
from forecasts.common.times import to_minute
from forecasts.common.web import Answer, ask

T = TypeVar("T")
# Asked for the platform's ids of questions that need not be fetched again.
Known = Callable[[], Collection[str]]
# Of one request: attempts, and seconds of waiting in all.
ATTEMPTS = 8
MOST_WAITING = 3600.0
LONGEST_BACKOFF = 60.0
# A shorter wait is not worth a message.
UNTOLD = 5.0
LONGEST_ASKED = 30 * 86_400.0
NEWER = "Its API may have changed: look for a newer version of forecast-ledger."


class Shape(BaseModel):
    """An object of an API: the fields that are read. Others are dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True)


@dataclass(frozen=True)
class Site:
    """A platform's API: its name, its address, and where an account's token is found.

    ``signature`` returns the headers and the query parameters that carry the token.
    ``lists_others``: it also sends the forecasts of others on the account's questions.
    """

    name: str
    title: str
    base: str
    token_page: str
    signature: Callable[[str], tuple[Mapping[str, str], Mapping[str, str]]]
    lists_others: bool = False

    @property
    def setting(self) -> str:
        """The environment variable of the token."""
        return f"FORECASTS_{self.name.upper()}_TOKEN"

    @property
    def remedy(self) -> Advice:
        """How to give a token."""
        return Remedy(
            f"Get one at {self.token_page} and set {self.setting}, or keep it in your keyring: "
            "{}",
            "pull",
            self.name,
            remember=True,
        )


@dataclass(frozen=True)
class Client:
    """Asks a site with a token. ``tell`` is told about waits, ``wait`` waits some seconds.

    ``remedy``: how to give another token, if that is not by a command (``Site.remedy``).
    ``most_waiting``: the seconds that a request may wait in all.
    """

    site: Site
    token: SecretStr = field(repr=False)
    tell: Callable[[str], None]
    wait: Callable[[float], None]
    clock: Callable[[], datetime]
    allow_private: bool = False
    remedy: Advice = ""
    most_waiting: float = MOST_WAITING

    def __post_init__(self) -> None:
        secret = self.token.get_secret_value()
        if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
            raise BadInput(
                f"The token for {self.site.title} is empty, or has a space or a character that no "
                "token has.",
                remedy=self.remedy or self.site.remedy,
            )

    def get(self, path: str, parameters: Mapping[str, object], shape: type[T]) -> T:
        """Return the document at a path, checked to have the shape that the API is known for.

        One that is not there (404, 410) is null. CaptureError, which never holds the token or the
        address's query.
        """
        document = self._get(path, parameters)
        try:
            return TypeAdapter(shape).validate_python(document)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "document"
            raise CaptureError(
                f"{self.site.title} sent data of an unknown shape: {where}: {first['msg']}.",
                remedy=NEWER,
            ) from None

    def _get(self, path: str, parameters: Mapping[str, object]) -> Any:
        headers, signed = self.site.signature(self.token.get_secret_value())
        query = urlencode({**parameters, **signed})
        address = f"{self.site.base}{path}" + (f"?{query}" if query else "")
        waited = 0.0
        for attempt in range(1, ATTEMPTS + 1):
            pause = min(2.0 ** (attempt - 1), LONGEST_BACKOFF)
            try:
                answer = ask(
                    address,
                    headers={"Accept": "application/json", **headers},
                    allow_private=self.allow_private,
                )
                return self._document(answer)
            except NoAnswer as error:
                fault = error.message
                pause = (isinstance(error, _Busy) and error.pause) or pause
            if attempt == ATTEMPTS or waited + pause > self.most_waiting:
                break
            if pause >= UNTOLD:
                self.tell(f"{fault} Trying again in {_duration(pause)}.")
            self.wait(pause)
            waited += pause
        at = to_minute(self.clock() + timedelta(seconds=pause))
        when = f"after {at}" if pause > self.most_waiting else "later"
        raise NoAnswer(fault, remedy=again(when))

    def _document(self, answer: Answer) -> Any:
        """Return an answer's JSON document; _Busy, NoAnswer or CaptureError if it has none."""
        title, status = self.site.title, answer.status
        is_page = answer.data.lstrip()[:1] == b"<"
        if status == 429 or status in (408, 425) or status >= 500:
            asks = "asks to wait" if status == 429 else "cannot answer now"
            busy = _Busy(f"{title} {asks} (HTTP status {status}).")
            busy.pause = _retry_after(answer.headers.get("retry-after"), self.clock())
            raise busy
        if status in (401, 403) and not is_page:
            raise CaptureError(
                f"{title} refuses the token (HTTP status {status}).",
                remedy=self.remedy or self.site.remedy,
            )
        if status in (404, 410):
            return None
        if is_page:
            raise CaptureError(
                f"{title} sent a web page instead of data (HTTP status {status}).",
                remedy="If your network has a sign-in page, sign in first. " + again("later"),
            )
        if status != 200:
            raise CaptureError(f"{title} refuses the request (HTTP status {status}).", remedy=NEWER)
        try:
            return json.loads(answer.data, parse_constant=no_constant)
        except RecursionError:
            raise CaptureError(f"{title} sent data that is nested too deeply.") from None
        except ValueError:
            raise NoAnswer(f"{title} sent data that breaks off or is not JSON.") from None


def again(when: str) -> str:
    """Return the remedy for a pull that was interrupted."""
    return f"Try again {when}: it continues where it stopped."


class _Busy(NoAnswer):
    """The server asks to come back, after ``pause`` seconds if it says so."""

    pause: float | None = None


def _retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, which has a number or a date; at least 1."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        seconds = float(header.strip()[:12])
    else:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 1.0), LONGEST_ASKED)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"
