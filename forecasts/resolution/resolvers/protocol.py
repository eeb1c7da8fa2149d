"""What a resolver is asked, what it may read, and what it answers.

A kind of resolver is a module with two things: ``Settings``, a pydantic model of what is set for a
question, and ``look(asked, settings, now, fetch)``. It returns a ``Finding``, or None while there
is no answer yet, or raises ``CannotTell`` with the reason: "not yet" is looked at again without a
word, and "cannot tell" needs a person. It reads the world through ``fetch`` alone, which keeps what
it gave, so that anybody can check later why a question resolved; ``now`` is one moment a run.
What else goes wrong is tried again; so is a ``CannotTell`` that is ``passing``, as what cannot be
read at all is: the next answer may be whole.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from forecasts.common import limits
from forecasts.common.errors import BadInput, LedgerError, Problem
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.questions.outcomes import read_outcome
from forecasts.resolution.resolvers.files import require_public

T = TypeVar("T")

_WITH_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_SHOWN = 80  # signs of a wrong value that a message repeats


@dataclass(frozen=True)
class Asked:
    """The question as a resolver sees it; times are UTC. ``proposed``: an outcome waits already."""

    slug: str
    title: str
    type: QuestionType
    open_time: datetime
    close_time: datetime
    scheduled_close_time: datetime
    scheduled_resolve_time: datetime | None = None
    options: tuple[str, ...] = ()
    proposed: bool = False

    @property
    def possible(self) -> set[str] | None:
        """The outcomes that can be named beforehand; None of a number or a date."""
        return {
            QuestionType.binary: {"yes", "no"},
            QuestionType.multiple_choice: set(self.options),
        }.get(self.type)

    def require_outcome(self, outcome: str) -> None:
        """Refuse what the question cannot come out as; BadInput says what is possible."""
        # Not validated: a resolver is not shown the bounds that a whole wording has.
        text = QuestionText.model_construct(
            title=self.title,
            type=self.type,
            options=list(self.options),
            open_time=self.open_time,
            scheduled_close_time=self.scheduled_close_time,
        )
        try:
            read_outcome(outcome, text)
        except BadInput as error:
            raise BadInput(
                f"{outcome!r} is no outcome of {self.slug!r}.", remedy=error.remedy
            ) from None


class Made:
    """What was made of bytes, so that a thousand questions that look there make it once.

    What was asked for last is kept, as far as it was made of no more than ``most`` bytes in all:
    it can take ten times as much of memory.
    """

    def __init__(self, most: int = limits.SOURCE_BYTES) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()
        self._size = 0

    def once(self, key: Hashable, size: int, make: Callable[[], T]) -> T:
        """Return what ``make`` returns, or raise the LedgerError that it has ended in."""
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            while self._kept and self._size + size > self._most:
                self._size -= self._kept.popitem(last=False)[1][0]
            made: T | LedgerError
            try:
                made = make()
            except LedgerError as error:
                made, size = error, 0
                error.__context__ = None
            self._kept[key] = size, made
            self._size += size
        found = self._kept[key][1]
        if isinstance(found, LedgerError):
            raise found.with_traceback(None)
        return cast("T", found)


@dataclass(frozen=True)
class Seen:
    """What a resolver was shown: from where, when, the bytes, and what the server called them."""

    address: str
    content: bytes
    at: datetime
    media: str = ""
    made: Made = field(default_factory=Made, compare=False, repr=False)

    @cached_property
    def sha256(self) -> str:
        """The digest of the bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def once(self, how: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` makes of the bytes; once a run, for all who make it just so."""
        return self.made.once((self.address, self.sha256, how), len(self.content), make)


@dataclass(frozen=True)
class Finding:
    """What a resolver found: the outcome, when it became known, what says so, and what was seen."""

    outcome: str
    known_at: datetime
    source: str = ""
    note: str = ""
    seen: tuple[Seen, ...] = ()


Fetch = Callable[[str], Seen]


def _source(text: str) -> str:
    """Return an address on the web, or the path of a file, as it is."""
    parts = urlsplit(text)
    if not _WITH_SCHEME.match(text):
        return text
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is neither an address that begins with https:// nor a file")
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a name or a password in it, which everybody who reads would see")
    return text


PLACE = "place"  # marks a setting that names a file or a page
Source = Annotated[str, AfterValidator(_source), PLACE]


class Settings(BaseModel):
    """What every kind's settings have in common: nothing unknown, and nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Look = Callable[[Asked, Any, datetime, Fetch], Finding | None]


@dataclass(frozen=True)
class Kind:
    """One kind of resolver; the object that a package names by ``forecasts.resolvers``.

    ``only_proposes``: whatever it finds waits for a person. ``of_silence``: it speaks because
    nobody else did, and so not while another resolver of the question could not look.
    ``reads_off``: its numbers are read off, where others pass on what somebody has written down; so
    one beyond the question's bounds is no slip. ``fits``,
    where given, raises BadInput for settings that do not go with the question. ``not_before``,
    where given, says before which moment it has nothing to look for; it is still asked once a day.
    """

    settings: type[BaseModel]
    look: Look
    only_proposes: bool = False
    of_silence: bool = False
    reads_off: bool = False
    fits: Callable[[Asked, Any], None] | None = None
    not_before: Callable[[Asked, Any], datetime] | None = None

    def read(self, name: str, given: Mapping[str, Any]) -> BaseModel:
        """Return the settings as the kind takes them; BadInput names each that is wrong."""
        try:
            return self.settings.model_validate(given)
        except ValidationError as error:
            problems = [
                Problem(
                    ".".join(str(part) for part in item["loc"]) or name,
                    str(item["input"])[:_SHOWN],
                    item["msg"].removeprefix("Value error, "),
                )
                for item in error.errors()
            ]
            known = ", ".join(self.settings.model_fields)
            raise BadInput(
                f"The settings are not those of the resolver {name}.",
                problems=problems,
                remedy=f"It has: {known}. See: forecasts resolver kinds.",
            ) from None

    @property
    def places(self) -> list[str]:
        """The names of the settings that name a file or a page."""
        return [name for name, of in self.settings.model_fields.items() if PLACE in of.metadata]

    def check(self, name: str, given: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
        """Return the settings as they are stored; BadInput for any that cannot serve."""
        settings = self.read(name, given)
        for place in self.places:
            if (address := getattr(settings, place)) is not None:
                require_public(address)
        if self.fits is not None:
            self.fits(asked, settings)
        return settings.model_dump(mode="json", exclude_defaults=True)
