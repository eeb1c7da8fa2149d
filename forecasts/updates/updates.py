"""Updates: append a forecast with its evidence, withdraw, read forecasts back.

An update or a withdrawal is a new row, and no row is ever changed. A member's current forecast at
a time is the last one made at or before it. Updates are refused unless the question is open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select, true

from forecasts.access.roles import Action, require
from forecasts.access.visibility import forecast_visible
from forecasts.common.errors import LedgerError, NotFound, Refused
from forecasts.common.settings import current_settings
from forecasts.common.times import to_minute
from forecasts.ledger.append import append
from forecasts.ledger.current import forecast_at, has_outcome, is_among
from forecasts.ledger.models import (
    Citation,
    CurrentForecast,
    Evidence,
    Forecast,
    Member,
    Question,
)
from forecasts.questions.registry import newest_wording
from forecasts.questions.standing import QuestionState, current_state, in_batches, rows_with
from forecasts.updates.evidence import (
    CitedEvidence,
    check_count,
    check_reasons,
    cite,
    supported_outcome,
    with_stances,
)
from forecasts.updates.model_uses import Model, check_model, record_models
from forecasts.values.value import Value, check_value, value_of

REPEATED_WITHIN = timedelta(minutes=5)  # a client repeats a request whose answer it missed
States = dict[int, QuestionState]  # by the question's id
Only = Sequence[int] | None  # the numbers of forecasts to read; None: all
_OLDEST_FIRST = (col(Forecast.made_at), col(Forecast.id))
_NEWEST_FIRST = (col(Forecast.made_at).desc(), col(Forecast.id).desc())


class NewForecast(NamedTuple):
    """A forecast to be made, with its reasons and the model behind it."""

    question: Question
    value: Value
    rationale: str = ""
    evidence: Sequence[CitedEvidence] = ()
    model: Model | None = None


@dataclass(frozen=True)
class Saved:
    """A forecast or a withdrawal that was written, and the one it replaced.

    ``before``: the member's current forecast until then, None without one. ``cited``: the evidence
    with its stances; they are about ``outcome`` (``evidence.supported_outcome``).
    """

    forecast: Forecast
    before: Forecast | None
    cited: Sequence[CitedEvidence] = ()
    outcome: str = ""


def update(
    session: Session,
    question: Question,
    value: Value,
    *,
    member: Member,
    now: datetime,
    rationale: str = "",
    evidence: Sequence[CitedEvidence] = (),
    model: Model | None = None,
    origin: str = "cli",
    once: bool = False,
) -> Saved:
    """Return the new forecast, which is written with its evidence, citations and model.

    Evidence without a stance gets the proposed one (``evidence.proposed_stance``). ``once``: the
    current forecast if it is the same and from within ``REPEATED_WITHIN``; nothing is written then.

    The member must be a forecaster. Refused before the question opens, after it closes, once it is
    resolved, above the limit of a day, and for a value that breaks a rule (``values.check_value``).
    Errors for the reasons are those of ``check_reasons`` and ``check_model``.
    """
    one = NewForecast(question, value, rationale, evidence, model)
    states: States = {}
    _check(session, one, states, member, now)
    text = states[question.id].text
    before = current_forecast(session, question, member, at=now, own=True)
    is_same = before is not None and value_of(before) == value
    if once and before is not None and is_same and before.made_at > now - REPEATED_WITHIN:
        return Saved(before, before)
    _Day(session, [question], member, now).count(question)
    cited = with_stances(text, before, value, evidence)
    [id_] = _write(session, [one._replace(evidence=cited)], member, now, origin)
    outcome = supported_outcome(text, before, value) if cited else ""
    return Saved(session.get_one(Forecast, id_), before, cited, outcome)


def update_all(
    session: Session,
    forecasts: Sequence[NewForecast],
    *,
    member: Member,
    now: datetime,
    origin: str = "cli",
) -> range:
    """Return the ids of a member's new forecasts, which are written as by ``update``.

    They are written in order and in one batch, seven times as fast as with ``update`` for each. If
    one is refused, all are; see ``refusals``. BadInput for too much evidence (``check_count``).
    """
    check_count(sum(len(one.evidence) for one in forecasts))
    states: States = {}
    day = _Day(session, [one.question for one in forecasts], member, now)
    for one in forecasts:
        _check(session, one, states, member, now)
        day.count(one.question)
    if not forecasts:
        return range(0)
    last: dict[int, Value] = {}
    stated = []
    for one in forecasts:
        id_ = one.question.id
        if one.evidence:
            before = (
                Forecast(**last[id_].columns())
                if id_ in last
                else current_forecast(session, one.question, member, at=now, own=True)
            )
            cited = with_stances(states[id_].text, before, one.value, one.evidence)
            one = one._replace(evidence=cited)
        stated.append(one)
        last[id_] = one.value
    return _write(session, stated, member, now, origin)


def refusals(
    session: Session, forecasts: Sequence[NewForecast], *, member: Member, now: datetime
) -> list[LedgerError | None]:
    """Return the error with which ``update_all`` would refuse each forecast, None if it would not.

    Nothing is written.
    """
    states: States = {}
    day = _Day(session, [one.question for one in forecasts], member, now)
    found: list[LedgerError | None] = []
    for one in forecasts:
        try:
            _check(session, one, states, member, now)
            day.count(one.question)
        except LedgerError as error:
            found.append(error)
        else:
            found.append(None)
    return found


def _check(
    session: Session, one: NewForecast, states: States, member: Member, now: datetime
) -> None:
    """Refuse a forecast as ``update`` does; ``states`` remembers the questions."""
    id_ = one.question.id
    if id_ not in states:
        states[id_] = _open_state(session, one.question, member, now)
    check_value(one.value, states[id_].text)
    check_reasons(one.rationale, one.evidence)
    if one.model is not None:
        check_model(one.model)


class _Day:
    """How many forecasts a member has made on questions within 24 hours, without imported ones.

    A loop that has lost its end would otherwise fill the history that everyone reads.
    """

    def __init__(
        self, session: Session, questions: Sequence[Question], member: Member, now: datetime
    ) -> None:
        self._most = current_settings().daily_forecasts
        made = select(Forecast.question_id, func.count()).where(
            Forecast.member_id == member.id,
            Forecast.made_at > now - timedelta(days=1),
            col(Forecast.withdrawn).is_(False),
            col(Forecast.import_key).is_(None),
        )
        by_question = made.group_by(col(Forecast.question_id))
        ids = [one.id for one in questions]
        self._made = dict[int, int](rows_with(session, by_question, Forecast.question_id, ids))

    def count(self, question: Question) -> None:
        """Count one more; Refused above the limit."""
        made = self._made.get(question.id, 0)
        if made >= self._most:
            raise Refused(
                f"You have made {made:,} forecasts on {question.slug!r} within 24 hours; at most "
                f"{self._most:,} are accepted.",
                remedy="Forecast it again when your belief has changed. The operator can raise the "
                "limit for bots that need more: FORECASTS_DAILY_FORECASTS.",
                code="daily_limit",
            )
        self._made[question.id] = made + 1


def withdraw(
    session: Session,
    question: Question,
    *,
    member: Member,
    now: datetime,
    rationale: str = "",
    origin: str = "cli",
) -> Saved:
    """Return the withdrawal, a new row that ends the member's current forecast; it is written.

    Refused if the member has no current forecast, or if the question is not open. BadInput for a
    rationale that is too long.
    """
    _open_state(session, question, member, now)
    check_reasons(rationale)
    before = current_forecast(session, question, member, at=now, own=True)
    if before is None:
        raise Refused(
            f"{member.handle} has no current forecast on {question.slug!r}: "
            "there is nothing to withdraw.",
            code="no_forecast",
        )
    ended = NewForecast(question, Value(), rationale)
    [id_] = _write(session, [ended], member, now, origin)
    return Saved(session.get_one(Forecast, id_), before)


def undo(
    session: Session, number: int, *, member: Member, now: datetime, origin: str = "cli"
) -> Saved:
    """Return the new row that repeats the member's forecast before this one; it is written.

    For a mistake. Nothing is erased: it stays in the history, and counts in the score for as long
    as it was current.

    Without a forecast before, the new row is a withdrawal. Refused if the forecast is somebody
    else's, or is not their last one on the question, and as ``update`` and ``withdraw`` refuse.
    """
    mistake = find_forecast(session, number)
    question = session.get_one(Question, mistake.question_id)
    if mistake.member_id != member.id:
        raise Refused(f"Forecast {number} is not yours: nothing was undone.")
    *earlier, last = [row for row, _ in history(session, question, member, newest=2)]
    if last.id != mistake.id:
        raise Refused(
            f"You have a later forecast on {question.slug!r}, made at {to_minute(last.made_at)}: "
            "nothing was undone.",
            remedy="Update it, if it is wrong.",
        )
    before = earlier[-1] if earlier and not earlier[-1].withdrawn else None
    by: dict[str, Any] = {"member": member, "now": now, "origin": origin}
    by["rationale"] = f"Undoes the forecast of {to_minute(mistake.made_at)}."
    try:
        if before is None:
            return withdraw(session, question, **by)
        return update(session, question, value_of(before), **by)
    except Refused as error:
        raise Refused(f"Nothing was undone: {error.message}", remedy=error.advice) from error


def _open_state(
    session: Session, question: Question, member: Member, now: datetime
) -> QuestionState:
    """Return the state of a question that takes the member's forecasts; Refused otherwise."""
    require(session, member, Action.forecast, question, now=now)
    state = current_state(session, question, now=now)
    text = state.text
    if state.accepts_forecasts(now):
        return state
    if now < text.open_time:
        raise Refused(
            f"{state.slug!r} opens at {to_minute(text.open_time)}; it is {to_minute(now)}, and "
            "forecasts made before a question opens are refused.",
            remedy="Forecast once it is open.",
            code="not_open",
        )
    if state.resolution is not None:
        raise Refused(
            f"{state.slug!r} is resolved ({state.resolution.outcome}): "
            "no forecast can be added or withdrawn.",
            code="resolved",
        )
    raise Refused(
        f"{state.slug!r} closed at {to_minute(text.close_time)}; it is {to_minute(now)}, and "
        "forecasts made after the close are refused.",
        remedy="It is awaiting resolution.",
        code="closed",
    )


def _write(
    session: Session, forecasts: Sequence[NewForecast], member: Member, now: datetime, origin: str
) -> range:
    """Return the ids of forecasts (a withdrawal has no value), which are written in one batch."""
    values = [one.value.columns() for one in forecasts]
    count = len(forecasts)
    columns: dict[str, Sequence[Any]] = {
        "question_id": [one.question.id for one in forecasts],
        "member_id": [member.id] * count,
        "made_at": [now] * count,
        "recorded_at": [now] * count,
        **{name: [columns[name] for columns in values] for name in values[0]},
        "withdrawn": [one.value == Value() for one in forecasts],
        "rationale": [one.rationale.strip() for one in forecasts],
        "origin": [origin] * count,
        **{name: [None] * count for name in ("import_key", "claimed_at", "vouched_by_id")},
    }
    ids = append(session, "forecast", columns)
    for id_, one in zip(ids, forecasts, strict=True):
        if one.evidence:
            cite(session, session.get_one(Forecast, id_), one.evidence, member=member, now=now)
    models = [(id_, one.model) for id_, one in zip(ids, forecasts, strict=True) if one.model]
    record_models(session, models)
    return ids


def find_forecast(session: Session, number: int) -> Forecast:
    """Return the forecast with this number; NotFound if the reader may not see it."""
    known = Forecast.id == number, forecast_visible(session)
    found = session.exec(select(Forecast).where(*known)).first() if 0 < number < 2**31 else None
    if found is None:
        raise NotFound(f"There is no forecast {number} in this ledger.")
    return found


def current_forecast(
    session: Session, question: Question, member: Member, *, at: datetime, own: bool = False
) -> Forecast | None:
    """Return the member's current forecast at that time, None without one.

    ``own``: without asking whether the reader may see it, who forecasts in this member's name.
    """
    last = session.exec(
        select(Forecast)
        .where(
            *_on(session, question, own=own),
            Forecast.member_id == member.id,
            Forecast.made_at <= at,
        )
        .order_by(*_NEWEST_FIRST)
        .limit(1)
    ).first()
    return None if last is None or last.withdrawn else last


def current_forecasts(
    session: Session, member: Member, *, at: datetime, unresolved: bool = False
) -> dict[int, Forecast]:
    """Return the member's current forecasts at that time by question id, in one statement.

    ``unresolved``: only those on questions without an outcome.
    """
    which = _are_current(session, member, at)
    open_ = ~has_outcome(Forecast.question_id) if unresolved else true()
    found = session.exec(select(Forecast).where(*which, open_))
    return {forecast.question_id: forecast for forecast in found}


def current_values(
    session: Session, member: Member, questions: Collection[int], *, at: datetime
) -> dict[int, Value]:
    """Return the values of the member's current forecasts on these questions, by id.

    Their rows are not made, which takes a third of the time.
    """
    columns: tuple[Any, ...] = (
        *(Forecast.question_id, Forecast.probability),
        *(Forecast.probabilities, Forecast.quantiles),
    )
    found: dict[int, Value] = {}
    for some in in_batches(questions):
        these = col(CurrentForecast.question_id).in_(some)
        rows = session.exec(select(*columns).where(*_are_current(session, member, at, these)))
        found |= {row.question_id: value_of(row) for row in rows}
    return found


def _are_current(
    session: Session, member: Member, at: datetime, where: ColumnElement[bool] | None = None
) -> tuple[ColumnElement[bool], ...]:
    """Return the SQL conditions: the ``Forecast`` is current at that time, and the member's.

    ``where``: a condition on its ``CurrentForecast``.
    """
    last = select(forecast_at(at)).where(CurrentForecast.member_id == member.id)
    among = is_among(session, last if where is None else last.where(where))
    return among, col(Forecast.withdrawn).is_(False), forecast_visible(session)


def history(
    session: Session,
    question: Question,
    member: Member | None = None,
    *,
    only: Only = None,
    newest: int | None = None,
) -> list[tuple[Forecast, str]]:
    """Return every visible forecast on the question with its member's handle, oldest first.

    ``member``: only the forecasts of this member. ``only``: those with these numbers. ``newest``:
    the last ones, so many.
    """
    statement = (
        select(Forecast, Member.handle)
        .join(Member, col(Member.id) == col(Forecast.member_id))
        .where(*_on(session, question, only), true() if member is None else Member.id == member.id)
        .order_by(*_NEWEST_FIRST)
        .limit(newest)
    )
    return list(reversed(session.exec(statement).all()))


@dataclass(frozen=True)
class Move:
    """A forecast, and the same member's current forecast just before it (None without one)."""

    forecast: Forecast
    handle: str
    before: Forecast | None


def moves(rows: Sequence[tuple[Forecast, str]]) -> list[Move]:
    """Return the rows of ``history`` in order, each with the forecast it replaced."""
    last: dict[int, Forecast] = {}
    found = []
    for forecast, handle in rows:
        before = last.get(forecast.member_id)
        found.append(Move(forecast, handle, None if before and before.withdrawn else before))
        last[forecast.member_id] = forecast
    return found


def forecast_numbers(session: Session, question: Question) -> list[int]:
    """Return the numbers of the visible forecasts on the question, oldest first."""
    numbers = select(Forecast.id).where(*_on(session, question)).order_by(*_OLDEST_FIRST)
    return list(session.exec(numbers))


def citation_numbers(session: Session, question: Question) -> dict[int, int]:
    """Return the forecast of each visible citation on the question, the oldest forecast first."""
    found = session.exec(
        select(Citation.id, Citation.forecast_id)
        .join(Forecast, col(Forecast.id) == col(Citation.forecast_id))
        .where(*_on(session, question))
        .order_by(*_OLDEST_FIRST, col(Citation.id))
    )
    return dict(found.all())


def forecast_counts(session: Session, question_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return how many members have forecast each question, and how many forecasts they made.

    Visible ones count, in one statement; a question without any is left out.
    """
    held = CurrentForecast
    rows = session.exec(
        select(held.question_id, func.count(), func.sum(held.forecasts))
        .where(
            col(held.question_id).in_(question_ids),
            held.forecasts > 0,
            forecast_visible(session, made=held),
        )
        .group_by(col(held.question_id))
    )
    return {question_id: (members, forecasts) for question_id, members, forecasts in rows}


def evidence_of(
    session: Session, question: Question, *, only: Only = None
) -> dict[int, list[tuple[Citation, Evidence]]]:
    """Return the citations of each forecast on the question, by the forecast's id.

    ``only``: those of the forecasts with these numbers.
    """
    cited: dict[int, list[tuple[Citation, Evidence]]] = defaultdict(list)
    for citation, evidence in session.exec(
        select(Citation, Evidence)
        .join(Evidence, col(Evidence.id) == col(Citation.evidence_id))
        .join(Forecast, col(Forecast.id) == col(Citation.forecast_id))
        .where(*_on(session, question, only))
        .order_by(col(Citation.id))
    ):
        cited[citation.forecast_id].append((citation, evidence))
    return dict(cited)


def _on(
    session: Session, question: Question, only: Only = None, *, own: bool = False
) -> Iterator[ColumnElement[bool]]:
    """Yield the SQL conditions: a forecast on the question that the reader may see."""
    yield col(Forecast.question_id) == question.id
    if not own:
        yield forecast_visible(session, question)
    if only is not None:
        yield col(Forecast.id).in_(only)


def members_lacking_options(session: Session, question: Question, *, at: datetime) -> list[str]:
    """Return the handles of members whose current forecast is older than an option, sorted.

    Until they update, a new option counts with the probability of their last option (scoring
    contract, section 5).
    """
    options = newest_wording(session, question).options
    rows = history(session, question)
    current = {handle: forecast for forecast, handle in rows if forecast.made_at <= at}
    return sorted(
        handle
        for handle, forecast in current.items()
        if None in (value_of(forecast).over(options).probabilities or ())
    )
