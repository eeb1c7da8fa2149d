"""Refused forecasts: the verbs' errors with the code, or with the place of each wrong value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import ValidationError

from forecasts.api import problems
from forecasts.api.caller import At
from forecasts.api.problems import Code, Coded
from forecasts.api.rules import shown
from forecasts.api.v1 import requests
from forecasts.common.errors import Advice, BadInput, LedgerError, Problem, Refused
from forecasts.ledger.models import Question, QuestionText, QuestionType
from forecasts.questions.standing import QuestionState, current_state
from forecasts.updates.evidence import check_cited, check_reasons
from forecasts.updates.model_uses import check_model
from forecasts.values.value import check_value

# Of values, by the type of the question; those of the verbs are for typed text.
_QUANTILES = (
    "Give quantiles: figures within the bounds that rise with their levels. The probabilities "
    'outside the bounds are "below" and "above".'
)
_REMEDIES = {
    QuestionType.binary: "Give probability: a number from 0 to 1, such as 0.71.",
    QuestionType.multiple_choice: "Give probabilities: one from 0 to 1 for each option, in their "
    "order, with the sum 1.",
    QuestionType.numeric: _QUANTILES,
    QuestionType.date: _QUANTILES,
}


@contextmanager
def told(at: At, question: Question, row: requests.Forecast) -> Iterator[None]:
    """Let a refusal of the forecast in a request's body say more; see ``explained``."""
    try:
        yield
    except LedgerError as error:
        raise explained(at, question, row, error, "body") from None


@contextmanager
def coded(at: At, question: Question, otherwise: Code | None = "no_forecast") -> Iterator[None]:
    """Let a refusal have its code: by default that of a withdrawal."""
    try:
        yield
    except Refused as error:
        if type(error) is not Refused:  # a member who may not forecast
            raise
        code = _code(current_state(at.session, question, now=at.now), at.now) or otherwise
        if code is None:
            raise
        raise Coded(error, code) from None


def explained(
    at: At, question: Question, row: requests.Forecast, error: LedgerError, place: str
) -> LedgerError:
    """Return the refusal of a forecast with its code, or as the wrong values with their places."""
    if type(error) not in (Refused, BadInput):  # a member who may not forecast
        return error
    state = current_state(at.session, question, now=at.now)
    if isinstance(error, Refused) and (code := _code(state, at.now)):
        return Coded(error, code)
    return wrong_values(row, state.text, place) or error


def malformed(row: dict[str, Any], place: str) -> BadInput:
    """Return the errors of a batch's row that does not have the form of a forecast."""
    try:
        requests.BatchForecast.model_validate(row)
    except ValidationError as error:
        found = error.errors()
        return problems.invalid([one | {"loc": (place, *one["loc"])} for one in found])
    raise ValueError("The row has the form of a forecast.")


def wrong_values(
    row: requests.Forecast, text: QuestionText, place: str = "body"
) -> BadInput | None:
    """Return the values of a forecast that break a rule on this question, None without any."""
    given, reasons = row.given, row.reasons
    cited, model = reasons["evidence"], reasons["model"]
    checks: list[tuple[str, object, Callable[[], object]]] = [
        (given, getattr(row, given), partial(check_value, row.value, text)),
        ("rationale", row.rationale, partial(check_reasons, row.rationale)),
    ]
    for number, one in enumerate(cited):
        checks.append((f"evidence.{number}", one.url or one.note, partial(check_cited, [one])))
    checks.append(("evidence", f"{len(cited):,} pieces", partial(check_cited, cited)))
    if model is not None:
        checks.append(("model", model.name, partial(check_model, model)))
    found: dict[Problem, Advice] = {}  # with their remedies
    for name, value, check in checks:
        try:
            check()
        except (Refused, BadInput) as error:
            if error.message not in [one.rule for one in found]:  # of a piece, and so of all
                problem = Problem(f"{place}.{name}", shown(value), error.message)
                is_value = name == given
                found[problem] = _REMEDIES[QuestionType(text.type)] if is_value else error.advice
    if not found:
        return None
    advice = (given if isinstance(given, tuple) else (given,) for given in found.values())
    remedy = tuple(dict.fromkeys(part for parts in advice for part in parts))
    return problems.invalid_values(list(found), remedy)


def _code(state: QuestionState, now: datetime) -> Code | None:
    """Return the reason for which a question takes no forecasts, None if it takes them."""
    if state.accepts_forecasts(now):
        return None
    if now < state.text.open_time:
        return "not_open"
    return "closed" if state.resolution is None else "resolved"
