"""Refused forecasts: the verbs' errors with the place of each wrong value."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import ValidationError

from forecasts.api import problems
from forecasts.api.caller import At
from forecasts.api.rules import shown
from forecasts.api.v1 import requests
from forecasts.common.errors import Advice, BadInput, LedgerError, Problem, Refused
from forecasts.ledger.models import Question, QuestionText, QuestionType
from forecasts.questions.registry import newest_wording
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


def explained(
    at: At, question: Question, row: requests.Forecast, error: LedgerError, place: str = "body"
) -> LedgerError:
    """Return the refusal of a forecast: its wrong values with their places, if it has any."""
    if type(error) not in (Refused, BadInput) or (isinstance(error, Refused) and error.code):
        return error  # of the member, or of the question
    return wrong_values(row, newest_wording(at.session, question), place) or error


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
