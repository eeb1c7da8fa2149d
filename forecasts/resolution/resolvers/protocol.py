"""The interface of a resolver kind: its settings, the question it receives, and its answer.

A kind is a module with ``Settings``, a pydantic model, and ``look(asked, settings, now, fetch)``.
``look`` returns a ``Finding``, or None while the outcome is not known yet, or raises
``CannotTell``, which needs a person unless it is ``temporary``. Any other error is tried again.
``look`` reads its sources through ``fetch`` alone, which keeps every document, so that anyone can
check later why a question resolved. ``now`` is one moment for the whole run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from forecasts.common import limits
from forecasts.common.errors import BadInput, LedgerError, Problem, Remedy
from forecasts.common.permitted_sources import require_public
from forecasts.common.vocabulary import QuestionType
from forecasts.values.outcomes import read_outcome
from forecasts.values.outline import Outline

T = TypeVar("T")

_WITH_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


@dataclass(frozen=True)
class Asked:
    """The question as a resolver sees it, in UTC. ``proposed``: it has an open proposal."""

    slug: str
    title: str
    type: QuestionType
    open_time: datetime
    close_time: datetime
    scheduled_close_time: datetime
    scheduled_resolve_time: datetime | None = None
    options: tuple[str, ...] = ()
    proposed: bool = False

    def require_outcome(self, outcome: str) -> None:
        """Refuse an outcome that the question cannot have; BadInput names the possible ones."""
        try:
            read_outcome(outcome, Outline(self.type, self.options))
        except BadInput as error:
            raise BadInput(
                f"{outcome!r} is not an outcome of {self.slug!r}.", remedy=error.advice
            ) from None


@dataclass(frozen=True)
class Seen:
    """A document that a resolver read: its address, bytes, time, and media type.

    ``made``: its parsed forms, so that a thousand questions with one source parse it once.
    """

    address: str
    content: bytes
    at: datetime
    media: str = ""
    made: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def sha256(self) -> str:
        """The digest of the bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def once(self, how: Hashable, make: Callable[[], T]) -> T:
        """Return the result of ``make``, called once for each ``how``, or raise its LedgerError."""
        return once(self.made, how, make)


def once(made: dict[Any, Any], key: Hashable, make: Callable[[], T]) -> T:
    """Return the result that ``make`` had or has for the key, or raise its LedgerError."""
    if key not in made:
        try:
            made[key] = make()
        except LedgerError as error:
            error.__context__ = None
            made[key] = error
    found = made[key]
    if isinstance(found, LedgerError):
        # Without its traceback, whose frames would keep the documents in memory.
        raise found.with_traceback(None)
    return cast("T", found)


@dataclass(frozen=True)
class Finding:
    """The outcome that a resolver found, when it became known, its source, and its evidence."""

    outcome: str
    known_at: datetime
    source: str = ""
    note: str = ""
    seen: tuple[Seen, ...] = ()


Fetch = Callable[[str], Seen]


def _source(text: str) -> str:
    """Return a web address or a file path unchanged; ValueError if it is neither."""
    parts = urlsplit(text)
    if not _WITH_SCHEME.match(text):
        return text
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is neither an https:// address nor a file")
    if parts.username is not None or parts.password is not None:
        raise ValueError("contains a name or a password, which every reader would see")
    return text


Days = Annotated[float, Field(ge=0, le=3650)]
PLACE = "place"  # marks a setting that is a file or a page
Source = Annotated[str, AfterValidator(_source), PLACE]


class Settings(BaseModel):
    """The base of every kind's settings: unknown names are refused, and nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Look = Callable[[Asked, Any, datetime, Fetch], Finding | None]


@dataclass(frozen=True)
class Kind:
    """One kind of resolver, and the object of the entry points ``forecasts.resolvers``.

    ``only_proposes``: its findings need a person. ``is_model``: a language model gives them, so
    they count in a quorum only, all models as one witness, beside another. ``fallback``: it finds
    an outcome because nothing else happened, so its finding does not count while another resolver
    of the question fails.
    ``measured``: its numbers are measurements, not typed by anyone, so that one outside the bounds
    is an outcome. ``fits``: raises BadInput for settings that do not fit the question.
    ``not_before``: returns the earliest time of a finding; it is asked once a day all the same.
    ``reads``: it reads others' documents, so it looks in a child process with limits (``worker``).
    """

    settings: type[BaseModel]
    look: Look
    only_proposes: bool = False
    is_model: bool = False
    fallback: bool = False
    measured: bool = False
    reads: bool = True
    fits: Callable[[Asked, Any], None] | None = None
    not_before: Callable[[Asked, Any], datetime] | None = None

    def read(self, name: str, given: Mapping[str, Any]) -> BaseModel:
        """Return the validated settings; BadInput lists each problem."""
        try:
            return self.settings.model_validate(given)
        except ValidationError as error:
            problems = [
                Problem(
                    ".".join(str(part) for part in item["loc"]) or name,
                    str(item["input"])[:80],
                    item["msg"].removeprefix("Value error, "),
                )
                for item in error.errors()
            ]
            known = ", ".join(self.settings.model_fields)
            raise BadInput(
                f"The settings do not fit the resolver kind {name}.",
                problems=problems,
                remedy=(f"Its settings: {known}.", Remedy("To see them: {}", "resolver kinds")),
            ) from None

    @property
    def places(self) -> list[str]:
        """The names of the settings that are a file or a page."""
        return [name for name, of in self.settings.model_fields.items() if PLACE in of.metadata]

    def check(self, name: str, given: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
        """Return the settings to store; BadInput for any that cannot work for the question."""
        size = len(json.dumps(given, default=str))
        if size > limits.SETTINGS_BYTES:
            raise BadInput(
                f"The settings take {limits.format_bytes(size)}; at most "
                f"{limits.format_bytes(limits.SETTINGS_BYTES)} are kept.",
                remedy="Shorten them, or read another source.",
            )
        settings = self.read(name, given)
        for place in self.places:
            if (address := getattr(settings, place)) is not None:
                require_public(address)
        if self.fits is not None:
            self.fits(asked, settings)
        return settings.model_dump(mode="json", exclude_defaults=True)
