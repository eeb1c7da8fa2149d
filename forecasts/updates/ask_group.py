"""A group in one line: an event with several deadlines, and a probability for each.

Each yes makes the later ones yes, so the group is nested. Rejected: lists of levels ("exceed 80,
90, 100"), whose numbers look like probabilities, and names after a colon, which a question with
options asks for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise, zip_longest
from typing import Any

import numpy as np
from sqlmodel import Session

from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.text import count
from forecasts.common.vocabulary import GroupKind
from forecasts.ledger.models import Member
from forecasts.questions.groups import Group
from forecasts.questions.passages import Passage
from forecasts.questions.registry import question_text
from forecasts.updates.ask import needs_criteria
from forecasts.updates.ask_together import First, NewMember, ask_members
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.outline import Outline
from forecasts.values.typed_dates import NamedDate, typed_deadline
from forecasts.values.value import Value
from forecasts.values.value_parsing import read_percent_field
from forecasts.values.worlds import LEAST, Ties, nearest, sets

_LISTED = re.compile(r"(?i)(?P<stem>.+) (?P<by>by|before|until) (?P<days>[^?]+)\?(?P<typed>[^?]*)")
_BETWEEN = re.compile(r"(?i)\s*,\s*(?:and |or )?|\s*;\s*|\s+(?:and|or|&)\s+")
_YEAR = re.compile(r"(?:19|20|21)\d\d")
_BARE_YEAR = re.compile(rf"(?:{_YEAR.pattern})$")
_NUMBERS = re.compile(r"\s*[,;/]\s*|\s+(?=[\d.<>~])")


@dataclass(frozen=True)
class Deadline:
    """A member of a group to be asked: its label, its question, and its last moment."""

    label: str
    title: str
    closes: datetime


@dataclass(frozen=True)
class GroupLine:
    """The reading of a line that asks for several deadlines.

    ``probabilities``: in their order; empty without any.
    """

    title: str
    members: tuple[Deadline, ...]
    probabilities: tuple[float, ...] = ()

    def require_whole(self) -> None:
        """Raise BadInput unless there is a probability for each deadline, and they are in order."""
        if len(self.probabilities) != len(self.members):
            raise BadInput(
                f"{count(len(self.members), 'deadline')}, "
                f"{count(len(self.probabilities), 'probability', 'probabilities')}.",
                remedy="Type a probability for each, such as: "
                + ", ".join(str(10 * place) for place in range(1, len(self.members) + 1)),
            )
        for one, later in pairwise(self.members):
            if later.closes <= one.closes:
                raise BadInput(
                    f"{later.label} does not come after {one.label}.",
                    remedy="Put the earliest deadline first.",
                )

    @property
    def coherent(self) -> tuple[float, ...] | None:
        """The probabilities nearest to these that do not contradict each other; None: these."""
        labels = [one.label for one in self.members]
        if len(self.probabilities) != len(labels):
            return None
        ties = Ties({one: Outline() for one in labels}, [(GroupKind.nested, labels)])
        p = np.array([self.probabilities])
        fits = nearest(p, sets(ties)[0])
        return None if np.abs(fits - p).max() < LEAST else tuple(fits[0].round(3).tolist())


def read_probabilities(typed: str) -> tuple[float, ...]:
    """Return the probabilities of a list such as "10, 30%, 60"; BadInput for others."""
    typed = re.sub(r"\s+%", "%", typed.strip(" :()").rstrip("."))
    return tuple(read_percent_field(one) for one in _NUMBERS.split(typed) if one)


def read_days(
    stem: str, by: str, days: str, *, now: datetime, zone: tzinfo | None = None
) -> tuple[Deadline, ...]:
    """Return the members for a list of days, blank for one day or other words.

    A year is carried over from the next day that has one, or else from the one before.

    >>> noon = datetime.fromisoformat("2026-12-02T12:00Z")
    >>> [one.label for one in read_days("Will it open", "by", "March, June 2028", now=noon)]
    ['March 2028', 'June 2028']
    """
    names = list[str]()
    for name in _BETWEEN.split(days.strip()):
        if names and _BARE_YEAR.match(name) and not _YEAR.search(names[-1]):
            names[-1] += f", {name}"  # of one date: "March 1, 2027"
        else:
            names.append(name)
    if len(names) < 2 or not all(names):
        return ()
    found = list[Deadline]()
    for place, name in enumerate(names):
        ahead = (_YEAR.search(one) for one in names[place:])
        year = next((one[0] for one in ahead if one), None)
        before = _YEAR.search(found[-1].label) if found else None
        own = None
        if _YEAR.search(name) is None and year is not None:
            name = f"{name} {year}"
        elif year is None and before is not None:
            for carried in (int(before[0]), int(before[0]) + 1):
                own = _read(stem, by, f"{name} {carried}", now, zone)
                if own is not None and own[1].moment > found[-1].closes:
                    break
        own = own or _read(stem, by, name, now, zone)
        if own is None:
            return ()
        label, named = own
        found.append(Deadline(label, f"{stem} {by} {label}?", named.moment))
    return tuple(found)


def _read(
    stem: str, by: str, name: str, now: datetime, zone: tzinfo | None
) -> tuple[str, NamedDate] | None:
    """Return a day of the list with its reading; None for other words."""
    try:
        named = typed_deadline(f"{stem} {by} {name}?", now=now, zone=zone)
    except LedgerError:
        return None
    return (name, named) if named is not None and named.phrase.endswith(name) else None


def read_group(typed: str, *, now: datetime, zone: tzinfo | None = None) -> GroupLine | None:
    """Return the reading of a line with several deadlines; None for any other line.

    Two days joined by "or" are two readings of one day unless each has its probability. BadInput
    for probabilities that cannot be read.

    >>> noon = datetime.fromisoformat("2026-12-02T12:00Z")
    >>> line = read_group("Will it open by March, June 2027? 10, 30", now=noon)
    >>> [one.title for one in line.members], line.probabilities
    (['Will it open by March 2027?', 'Will it open by June 2027?'], (0.1, 0.3))
    """
    listed = _LISTED.fullmatch(" ".join(typed.split()))
    if listed is None or not _BETWEEN.search(listed["days"]):
        return None
    members = read_days(listed["stem"], listed["by"], listed["days"], now=now, zone=zone)
    if not members:
        return None
    probabilities = read_probabilities(listed["typed"])
    if len(probabilities) != len(members) and not re.search("[,;]", listed["days"]):
        return None
    return GroupLine(f"{listed['stem']}?", members, probabilities)


@dataclass(frozen=True)
class AskedGroup:
    """A new group as it was registered. ``kept_private``: as in ``ask.Asked``."""

    group: Group
    probabilities: tuple[float, ...]
    kept_private: bool

    @property
    def count(self) -> int:
        """How many questions it has."""
        return len(self.group.members)

    @property
    def forecasts(self) -> int:
        """How many forecasts were made."""
        return len(self.probabilities)


def ask_group(
    session: Session,
    line: GroupLine,
    *,
    member: Member,
    now: datetime,
    sources: Sequence[Passage] = (),
    audience_chosen: bool = False,
    evidence: Sequence[CitedEvidence] = (),
    origin: str = "cli",
    **fields: Any,
) -> AskedGroup:
    """Return the new nested group, which is written with its members and their forecasts.

    ``fields``: of each question, as in ``registry.question_text``; the family is the group's.
    ``evidence``: of each forecast. Visible as in ``ask``. Errors as in ``register_group`` and
    ``update_all``.
    """
    texts = [
        question_text(title=one.title, open_time=now, scheduled_close_time=one.closes, **fields)
        for one in line.members
    ]
    kept_private = not audience_chosen and needs_criteria(session, texts[0])
    firsts = [First(Value(p), {"evidence": evidence}) for p in line.probabilities]
    group = ask_members(
        session,
        line.title,
        [
            NewMember(one.label, text, first)
            for one, text, first in zip_longest(line.members, texts, firsts)
        ],
        kind=GroupKind.nested,
        member=member,
        now=now,
        sources=sources,
        audience_chosen=audience_chosen,
        origin=origin,
    )
    return AskedGroup(group, line.probabilities, kept_private)
