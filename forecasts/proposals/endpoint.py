"""The language model that the operator has set: its address, its budget, and one request to it.

Any API of the OpenAI form will do: Ollama, vLLM, llama.cpp, or a provider. Without a setting there
is no endpoint, and nothing is sent. Its address may be private, as the only one that is not checked
for that: the operator chose it. Nothing in an answer can cause another request.

Rejected: ``httpx``, whose timeout is for each read, so that a slow server holds a thread for hours
(``common.web`` has one deadline for everything, ignores proxies and follows no redirect of a POST);
a library of gateways, of which one had poisoned releases.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from forecasts.common.errors import Advice, BadInput, CaptureError, Refused, Unreached
from forecasts.common.json_text import no_constant
from forecasts.common.settings import Settings
from forecasts.common.web import Answer, ask

ANSWER_BYTES = 500_000
_CHARACTERS = 3  # of a token, at least in most texts: an estimate that is rather too high
_MOST_TOKENS = 10**9  # that a server may claim
_SET = "FORECASTS_MODEL_URL"
_CHECK = "To see the settings: forecasts model show."
_AGAIN = "Try again, or set another model."


@dataclass(frozen=True)
class Endpoint:
    """The model's address and name, its key, its budget of a day, and the members who may ask."""

    url: str
    model: str
    key: SecretStr | None = field(default=None, repr=False)
    tokens: int = 200_000
    cost: float | None = None
    price_in: float = 0
    price_out: float = 0
    seconds: float = 60
    callers: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The host of its address, with the port if it is not the usual one."""
        return httpx.URL(self.url).netloc.decode("ascii")

    def cost_of(self, tokens_in: int, tokens_out: int) -> float:
        """Return the cost of so many tokens."""
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6


@dataclass(frozen=True)
class Reply:
    """A model's answer: its text, the tokens that it took, and the response as received."""

    text: str
    tokens_in: int
    tokens_out: int
    received: str = field(repr=False)


class Unanswered(CaptureError):
    """The model gave no answer that can be read; ``received``: the response, if there was one.

    ``used``: the tokens that were sent and answered; None if that is not known.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: Advice,
        received: str = "",
        used: tuple[int, int] | None = (0, 0),
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.received = received
        self.used = used


def configured(settings: Settings) -> Endpoint | None:
    """Return the model of the settings, None if none is set; BadInput for unusable settings."""
    if settings.model_url is None:
        return None
    url = settings.model_url.strip().rstrip("/")
    try:
        parsed = httpx.URL(url)
        is_usable = parsed.scheme in ("http", "https") and parsed.host and not parsed.query
        is_usable = is_usable and not parsed.userinfo
    except (httpx.InvalidURL, ValueError, TypeError):
        is_usable = False
    if not is_usable:
        raise BadInput(
            f"{_SET} is not the address of a model.",
            remedy="Give one such as http://localhost:11434/v1, without a password or a query.",
        )
    if not (settings.model or "").strip():
        raise BadInput(
            f"{_SET} is set, but FORECASTS_MODEL is not.", remedy="Set it to the model's name."
        )
    key = settings.model_key
    if key is None and parsed.scheme == "https":
        key = _kept_key()
    return Endpoint(
        url,
        (settings.model or "").strip(),
        key,
        settings.model_tokens,
        settings.model_cost,
        settings.model_price_in,
        settings.model_price_out,
        settings.model_timeout,
        tuple(filter(None, map(str.strip, (settings.model_callers or "").split(",")))),
    )


def _kept_key() -> SecretStr | None:
    """Return the key that is kept in the system's keyring, if it has one."""
    try:
        import keyring

        stored = keyring.get_password("forecast-ledger", "model")
    except Exception:  # not installed, or it fails in as many ways as there are systems
        return None
    return SecretStr(stored) if stored else None


def required(settings: Settings) -> Endpoint:
    """Return the model of the settings; Refused if none is set."""
    found = configured(settings)
    if found is None:
        raise Refused(
            "No language model is set, so nothing was sent.",
            remedy=f"Set {_SET} and FORECASTS_MODEL (docs/models.md).",
        )
    return found


def tokens_in(text: str) -> int:
    """Return an estimate of the tokens in a text, rather too high."""
    return len(text.encode("utf-8", "replace")) // _CHARACTERS + 1


def send(endpoint: Endpoint, request: str) -> Reply:
    """Return the model's answer to a request; raises Unanswered, which says why there is none.

    One request is sent. It ends after ``endpoint.seconds`` or ``ANSWER_BYTES``, whichever is first.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if endpoint.key is not None:
        headers["Authorization"] = f"Bearer {endpoint.key.get_secret_value()}"
    try:
        answer = ask(
            f"{endpoint.url}/chat/completions",
            headers=headers,
            data=request.encode(),
            allow_private=True,
            seconds=endpoint.seconds,
            max_bytes=ANSWER_BYTES,
        )
    except CaptureError as error:
        remedy = f"Try again later, or check that {endpoint.model} runs there. {_CHECK}"
        # It may have answered all the same, and charge for it.
        used = (0, 0) if isinstance(error, Unreached) else None
        raise Unanswered(error.message, remedy=remedy, used=used) from None
    received = answer.data.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if answer.status != 200:
        raise _refused(endpoint, answer, received)
    return _read(endpoint, request, received)


def _refused(endpoint: Endpoint, answer: Answer, received: str) -> Unanswered:
    """Return the error for an answer with another status than 200."""
    host, status = endpoint.host, answer.status
    if status in (401, 403):
        said, remedy = "does not accept the key", "Set FORECASTS_MODEL_KEY to a valid one."
    elif status == 404:
        said = f"has no model {endpoint.model!r}"
        remedy = f"Check {_SET} and FORECASTS_MODEL: forecasts model show"
    elif status == 429:
        wait = answer.headers.get("retry-after", "")
        when = f"in {int(wait):,} seconds" if wait.isdecimal() and len(wait) < 7 else "later"
        said, remedy = "is busy", f"Try again {when}."
    elif status >= 500:
        said, remedy = "cannot answer now", f"Try again later. {_CHECK}"
    elif status < 400:
        said, remedy = "answers with a redirect, which is not followed", f"Correct {_SET}."
    else:
        said, remedy = "does not accept the request", "Try another model or server."
    return Unanswered(f"{host} {said} (HTTP status {status}).", remedy=remedy, received=received)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Message(_Part):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Part):
    message: _Message
    finish_reason: str | None = None


class _Usage(_Part):
    prompt_tokens: int = Field(ge=0, le=_MOST_TOKENS)
    completion_tokens: int = Field(ge=0, le=_MOST_TOKENS)


class _Completion(_Part):
    choices: list[_Choice] = Field(min_length=1)
    usage: Any = None


def _read(endpoint: Endpoint, request: str, received: str) -> Reply:
    try:
        completion = _Completion.model_validate(json.loads(received, parse_constant=no_constant))
    except (ValueError, RecursionError):
        raise Unanswered(
            f"{endpoint.host} did not answer like an OpenAI-compatible API.",
            remedy=f"Check that {_SET} is complete; most end in /v1.",
            received=received,
            used=None,
        ) from None
    choice = completion.choices[0]
    text = (choice.message.content or "").encode("utf-8", "replace").decode()
    used = tokens_in(request), tokens_in(text)
    try:
        usage = _Usage.model_validate(completion.usage)
        used = usage.prompt_tokens, usage.completion_tokens
    except ValidationError:
        pass  # the estimate holds
    reason = ""
    if choice.message.refusal:
        reason = f"{endpoint.model} refuses to answer."
    elif choice.finish_reason == "length":
        reason = f"The answer of {endpoint.model} is too long and was cut off."
    elif choice.finish_reason == "content_filter":
        reason = f"{endpoint.model} was stopped by its server's filter."
    elif not text.strip():
        reason = f"{endpoint.model} gave an empty answer."
    if reason:
        raise Unanswered(reason, remedy=_AGAIN, received=received, used=used)
    return Reply(text, *used, received)
