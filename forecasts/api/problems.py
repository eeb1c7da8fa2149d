"""Errors as ``application/problem+json`` (RFC 9457): the rule, the value, the remedy.

Each error is translated here, once. Pydantic finds the rules that values of a request break; they
are told in our words.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from forecasts.common.errors import (
    Act,
    Advice,
    BadInput,
    CannotTell,
    CaptureError,
    DatabaseError,
    Expired,
    Forbidden,
    LedgerError,
    NotFound,
    Problem,
    Refused,
    Remedy,
    as_command,
    in_words,
)
from forecasts.common.text import cut
from forecasts.views.forecasts import ProblemDocument
from scoring.errors import InputError

MEDIA_TYPE = "application/problem+json"
# The requests for the acts of remedies; the other acts are for the command line.
REQUESTS: dict[Act, str] = {
    "articles": "GET /api/v1/articles/{}",
    "ask": "POST /api/v1/questions",
    "close": "POST /api/v1/questions/{}/close",
    "propose": "POST /api/v1/questions/{}/propose",
    "questions": "GET /api/v1/questions",
    "resolve": "POST /api/v1/questions/{}/resolve",
    "revise": "PATCH /api/v1/questions/{}",
    "update": "POST /api/v1/questions/{}/forecasts",
}
FIELDS = {"because": "note", "option": "options"}
# Shapes of requests whose fields have examples of their own.
_SHAPES = ("GivenForecast", "NewQuestion", "Batch", "Outcome")
EXAMPLES: dict[str, tuple[str, Any]] = json.loads(
    Path(__file__).with_name("fields.json").read_text(encoding="utf-8")
)  # the meaning of each field, and an example
_log = logging.getLogger(__name__)
_MOST_PROBLEMS = 50
# By the type of Pydantic's error, with the fields of its context.
_MUST = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be below {lt}",
    "finite_number": "must be a finite number",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "none_required": "must be left out",
    "too_short": "must have at least {min_length} items, not {actual_length}",
    "too_long": "must have at most {max_length} items, not {actual_length}",
    "string_too_long": "must have at most {max_length} characters",
}
# By the beginning of the type of an error that names another type.
_A = {"float": "a number", "int": "a whole number", "bool": "true or false", "string": "a text"}
_A |= {"list": "a list", "dict": "an object", "model": "an object"}
LONGEST = 2_000  # characters of a sentence, which may repeat a name that was sent
_A_TIME = "must be a time such as 2027-03-31T12:00:00Z"
# A value of several types has an error for each, with the type as the last part of its place.
_TYPES = ("float", "int", "str", "dict[str,any]")


class Unauthenticated(Forbidden):
    """The request has no valid token."""


class Outdated(Refused):
    """The resource has changed since the caller read it (``If-Match``)."""


class TooMany(LedgerError):
    """The member has sent or taken too much; ``seconds`` until more is accepted."""

    def __init__(self, message: str, otherwise: str, *, seconds: int) -> None:
        wait = "a second" if seconds == 1 else f"{seconds:,} seconds"
        super().__init__(message, remedy=f"Wait {wait}, or {otherwise}.")
        self.seconds = seconds


class TooLarge(LedgerError):
    """The request has too many bytes."""


class NoneMade(LedgerError):
    """A batch of which nothing was written: it has the status of its first refused row.

    ``refusals``: by the row's place, the value that names it and its error.
    """

    def __init__(self, refusals: Mapping[str, tuple[str, LedgerError]]) -> None:
        place, (_, self.first) = next(iter(refusals.items()))
        more = f" So are {len(refusals) - 1:,} more." if len(refusals) > 1 else ""
        super().__init__(
            f"{place} is refused, and nothing was written: {self.first.message}{more}",
            remedy=self.first.advice,
        )
        self.problems = [
            problem
            for place, (value, error) in refusals.items()
            for problem in _problems(error) or (Problem(place, value, error.message),)
        ]


# The status and kind of each error; the first class that fits counts.
KINDS: tuple[tuple[type[LedgerError], int, str], ...] = (
    (Unauthenticated, 401, "unauthenticated"),
    (Expired, 401, "unauthenticated"),
    (Forbidden, 403, "forbidden"),
    (NotFound, 404, "not found"),
    (Outdated, 412, "outdated"),
    (TooLarge, 413, "too large"),
    (TooMany, 429, "too many requests"),
    (Refused, 409, "refused"),
    (CannotTell, 409, "cannot tell"),
    (BadInput, 422, "bad input"),
    (CaptureError, 422, "cannot be captured"),
    (DatabaseError, 503, "unavailable"),
)
DESCRIPTIONS = {
    401: "There is no valid token.",
    403: "The member, or the token's scopes, do not allow it.",
    404: "There is nothing of that name that you may see.",
    409: "A rule of the ledger forbids it; nothing was written.",
    422: "A value cannot be read.",
    429: "The token has sent, or the member has taken, too much.",
    503: "The ledger cannot be used now.",
}
OF_STATUS = {
    **{status: kind for _, status, kind in reversed(KINDS)},
    405: "method not allowed",
}


def answer(description: str) -> dict[str, Any]:
    """Return a problem as the answer of an operation in the OpenAPI document."""
    schema = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


_SENTENCES = {404: "There is no such path", 405: "The path does not take this method"}


def status_and_kind(error: LedgerError) -> tuple[int, str]:
    """Return the HTTP status of an error, and its kind in a word or two."""
    return next(((s, kind) for of, s, kind in KINDS if isinstance(error, of)), (500, "error"))


def request(remedy: Remedy) -> str:
    """Return the request for a remedy's act; without one, the command and where it is run."""
    options = remedy.options.items()
    fields = [FIELDS.get(name, name) for name, value in options if value is not True]
    if not remedy.act:
        return ", ".join(f"{name}={value}" for name, value in options)
    if remedy.act not in REQUESTS:
        return f"{as_command(remedy)} (on the command line; no request does it)"
    path = REQUESTS[remedy.act].format(quote((*remedy.arguments, "")[0], safe="")).rstrip("/")
    return f"{path} with {', '.join(fields)}" if fields else path


def document(error: LedgerError) -> ProblemDocument:
    """Return an error as a problem document."""
    first = error.first if isinstance(error, NoneMade) else error
    status, kind = status_and_kind(first)
    found = _document(status, kind, error.message, in_words(error.advice, request))
    problems = [
        Problem(shown(one.place), shown(one.value), shown(one.rule, LONGEST))
        for one in _problems(error)[:_MOST_PROBLEMS]
    ]
    code = getattr(first, "code", "") or found.code
    return found.model_copy(update={"code": code, "problems": problems})


def _document(status: int, title: str, detail: str, remedy: str) -> ProblemDocument:
    return ProblemDocument(
        title=title,
        code=title.replace(" ", "_"),
        status=status,
        detail=shown(detail, LONGEST),
        remedy=remedy,
        problems=[],
    )


def _problems(error: LedgerError) -> Sequence[Problem]:
    return error.problems if isinstance(error, BadInput | NoneMade) else ()


def response(error: LedgerError) -> Response:
    """Return an error as an HTTP response."""
    body = document(error)
    headers = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.seconds)
    elif body.status == 503:
        headers["Retry-After"] = "1"
    elif body.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _json(body, headers)


def _json(body: ProblemDocument, headers: dict[str, str] | None = None) -> Response:
    return Response(body.model_dump_json(), body.status, headers, media_type=MEDIA_TYPE)


def plain(status: int, detail: str, remedy: str = "") -> Response:
    """Return a problem that is not an error of the ledger."""
    return _json(_document(status, OF_STATUS.get(status, "error"), detail, remedy))


def invalid(errors: Any, remedy: str = "See /api/v1/docs for each field.") -> BadInput:
    """Return Pydantic's errors as one of ours: each with its place, value and rule."""
    if errors[0]["type"] == "json_invalid":
        why = errors[0].get("ctx", {}).get("error", "it ends too early")
        return BadInput(f"The body is not JSON: {why}.", remedy="Send JSON in UTF-8.")
    if errors[0]["loc"] == ("body",) and isinstance(errors[0].get("input"), bytes):
        return BadInput(
            "The body is not sent as JSON.",
            remedy="Send the header Content-Type: application/json.",
        )
    found = problems(errors)
    forms = dict.fromkeys(form for one in found if (form := _form(one.place)))
    return invalid_values(found, " ".join([*forms, remedy]))


def _form(place: str) -> str:
    """Return a remedy with the example of the field at a place; "" without one."""
    names = [part for part in place.split(".") if not part.isdigit()]
    for name in reversed(names):
        for key in (*(f"{shape}.{name}" for shape in _SHAPES), name):
            if example := EXAMPLES.get(key, ())[1:]:
                return f'Send "{name}": {json.dumps(example[0], ensure_ascii=False)}.'
    return ""


def invalid_values(problems: Sequence[Problem], remedy: Advice) -> BadInput:
    """Return the error for the values of a request that break rules."""
    return BadInput(
        f"The request has an invalid value: {problems[0]}"
        if len(problems) == 1
        else f"The request has {len(problems)} invalid values.",
        problems=problems,
        remedy=remedy,
    )


def add_handlers(app: FastAPI) -> None:
    """Let the app answer each error as a problem."""
    for kind in (LedgerError, InputError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _answer)


def _answer(request: Request, error: Exception) -> Response:
    """Return any error as a response."""
    match error:
        case LedgerError():
            return response(error)
        case InputError():
            return response(BadInput(str(error)))
        case RequestValidationError() if request.url.path.startswith("/api/v1/"):
            found = error.errors()
            if found[0]["loc"] == ("body",) and isinstance(found[0].get("input"), list):
                return response(invalid(found, 'Send one object; of a batch {"forecasts": [...]}.'))
            return response(invalid(found))
        case RequestValidationError():
            remedy = "docs/bots.md has the fields and the differences."
            return response(invalid(error.errors(), remedy))
        case HTTPException(status_code=400):  # FastAPI could not decode it
            return response(BadInput("The body is not JSON in UTF-8.", remedy="Send it again."))
        case HTTPException():
            said = _SENTENCES.get(error.status_code, error.detail)
            ours = request.url.path.startswith("/api/v1")
            remedy = "See /api/v1/docs." if ours else "See docs/bots.md, and /api/v1/docs."
            plainly = plain(error.status_code, f"{said}.", remedy)
            plainly.headers.update(error.headers or {})
            return plainly
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return plain(500, "Something went wrong.", "The server's log has the details.")


def must(fault: Any) -> str:
    """Return the rule of one of Pydantic's errors, such as "must be at least 1"."""
    kind, context = str(fault["type"]), fault.get("ctx", {})
    if kind in _MUST:
        return _MUST[kind].format(**{name: _figure(value) for name, value in context.items()})
    if kind.startswith(("datetime_", "timezone_")):
        return _A_TIME
    if kind.endswith(("_type", "_parsing", "_from_float")) and kind.partition("_")[0] in _A:
        return f"must be {_A[kind.partition('_')[0]]}"
    return str(fault["msg"]).replace("Input should ", "must ")


def _figure(value: object) -> object:
    """Return a number with separators, and without decimals if it is whole."""
    if not isinstance(value, int | float):
        return value
    return f"{int(value) if value == int(value) else value:,}"


def problems(faults: Sequence[Any]) -> list[Problem]:
    """Return Pydantic's errors as problems, each place once."""
    broken: dict[tuple[Any, ...], list[Any]] = {}
    for fault in faults:
        place = tuple(fault["loc"])
        # The name of an unknown field, such as "strategy", may begin like that of a type.
        is_type = str(place[-1]).startswith((*_TYPES, "function-"))
        if is_type and len(place) > 1 and fault["type"] != "extra_forbidden":
            place = place[:-1]
        broken.setdefault(place, []).append(fault)
    return [
        Problem(".".join(map(str, place)), shown(some[0].get("input")), _sentence(place, some))
        for place, some in broken.items()
    ]


def _sentence(place: tuple[Any, ...], faults: Sequence[Any]) -> str:
    """Return the rules that the value at one place breaks, in a sentence."""
    kind, value = faults[0]["type"], faults[0].get("input")
    last = place[-2:] if isinstance(place[-1], int) else place[-1:]
    name = "The body" if last == ("body",) else ".".join(map(str, last))
    if kind == "missing":
        return f"{name} is missing."
    if kind == "extra_forbidden":
        return f"There is no field {name} here."
    if kind == "value_error":
        return str(faults[0]["msg"]).removeprefix("Value error, ")
    first, *others = dict.fromkeys(must(fault) for fault in faults)
    rule = " or ".join([first, *(other.removeprefix("must be ") for other in others)])
    if kind in ("none_required", "too_short", "too_long", "string_too_long"):
        return f"{name} {rule}."
    return f"{name} {rule}; {shown(repr(value) if isinstance(value, str) else value)} is not."


def shown(value: Any, most: int = 200) -> str:
    """Return a value of a request as its problem repeats it, cut if it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode("utf-8", "replace").decode()  # JSON can send half of a character
    return cut(text, most)


def web_address(given: str) -> str:
    """Return the address of a page without spaces around it; BadInput for another text."""
    address = given.strip()
    if not address.lower().startswith(("https://", "http://")):
        raise BadInput(f"{shown(given)!r} is not a web address.", remedy="Begin it with https://.")
    return address
