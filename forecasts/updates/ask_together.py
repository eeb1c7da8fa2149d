"""Questions asked and forecast in one act: members of a group, branches of a conditional."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, tzinfo
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlmodel import Session

from forecasts.common.errors import BadInput
from forecasts.ledger.models import GroupKind, Member, Question, QuestionText
from forecasts.questions.conditions import Branch, register_conditional
from forecasts.questions.groups import Group, NewPlace, register_group
from forecasts.questions.passages import Passage
from forecasts.questions.registry import newest_wording
from forecasts.questions.revisions import reworded
from forecasts.questions.standing import QuestionState
from forecasts.updates.ask import kept_to_author, needs_criteria
from forecasts.updates.updates import NewForecast, update_all
from forecasts.values.typed_dates import last_moment, read_date, typed_deadline
from forecasts.values.value import Value


class First(NamedTuple):
    """A first forecast, with its reasons: rationale, evidence and model, as in ``NewForecast``."""

    value: Value
    reasons: Mapping[str, Any] = MappingProxyType({})


class NewMember(NamedTuple):
    """A member of a new group: its label, its wording, and its first forecast, if any."""

    label: str
    text: QuestionText
    first: First | None = None


def member_close(
    typed: str, title: str, label: str, *, now: datetime, zone: tzinfo | None = None
) -> datetime:
    """Return the end of forecasting on a member of a group.

    As typed, as the group's title names it, or as its label, if that is a date. BadInput otherwise.
    """
    if not typed.strip() and typed_deadline(title, now=now, zone=zone) is None:
        with suppress(BadInput):
            return read_date(label, now=now, zone=zone)
    return last_moment(typed, title, now=now, zone=zone)


def ask_members(
    session: Session,
    title: str,
    members: Sequence[NewMember],
    *,
    kind: GroupKind = GroupKind.independent,
    member: Member,
    now: datetime,
    slug: str | None = None,
    sources: Sequence[Passage] = (),
    audience_chosen: bool = False,
    origin: str = "cli",
) -> Group:
    """Return the new group, which is written with its questions and their first forecasts.

    Visible as in ``ask``. Errors as in ``register_group`` and ``update_all``.
    """
    places = []
    for one in members:
        is_kept = not audience_chosen and needs_criteria(session, one.text)
        places.append(NewPlace(one.label, kept_to_author(one.text) if is_kept else one.text))
    by: dict[str, Any] = {"member": member, "now": now}
    group = register_group(session, title, places, kind=kind, slug=slug, sources=sources, **by)
    states = [one.state for one in group.members]
    _forecast(session, states, [one.first for one in members], origin=origin, **by)
    return group


def ask_conditional(
    session: Session,
    parent: Question,
    text: QuestionText,
    firsts: Mapping[str, First | None],
    *,
    member: Member,
    now: datetime,
    sources: Sequence[Passage] = (),
    audience_chosen: bool = False,
    origin: str = "cli",
) -> list[Branch]:
    """Return the branches, which are written with their first forecasts.

    ``firsts``: by outcome of the parent, in order; without any, its usual outcomes. They have the
    parent's audience, unless another one was chosen, and are else visible as in ``ask``. Errors as
    in ``register_conditional`` and ``update_all``.
    """
    if not audience_chosen:
        above = newest_wording(session, parent)
        text = reworded(text, visibility=above.visibility, team_id=above.team_id)
        text = kept_to_author(text) if needs_criteria(session, text) else text
    by: dict[str, Any] = {"member": member, "now": now}
    found = register_conditional(session, parent, text, [*firsts] or None, sources=sources, **by)
    states = [one.state for one in found]
    _forecast(session, states, firsts.values(), origin=origin, **by)
    return found


def _forecast(
    session: Session,
    states: Sequence[QuestionState],
    firsts: Iterable[First | None],
    *,
    member: Member,
    now: datetime,
    origin: str,
) -> None:
    new = [
        NewForecast(state.question, first.value, **first.reasons)
        for state, first in zip_longest(states, firsts)
        if first is not None
    ]
    if new:
        update_all(session, new, member=member, now=now, origin=origin)
