"""Forecasts: one, a batch, a withdrawal; read them back with their evidence and receipts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from fastapi import APIRouter
from pydantic import ValidationError

from forecasts.access.roles import Scope
from forecasts.access.visibility import crowd_is_hidden
from forecasts.api import problems
from forecasts.api.caller import At, Scoped, acts, reads
from forecasts.api.paging import PAGE_SIZE, Cursor, Limit, place
from forecasts.api.problems import NoneMade, shown
from forecasts.api.v1 import requests
from forecasts.common.errors import Advice, BadInput, LedgerError, Problem, Refused
from forecasts.ledger.models import Question, QuestionText, QuestionType
from forecasts.ledger.receipts import Receipt, receipt, receipts
from forecasts.questions import registry
from forecasts.questions.registry import newest_wording
from forecasts.updates import updates
from forecasts.updates.evidence import check_cited, check_reasons
from forecasts.updates.model_uses import check_model
from forecasts.values.value import check_value
from forecasts.views import forecasts as views
from forecasts.views.forecasts import (
    BatchResult,
    BatchRow,
    CitedEvidence,
    EvidenceList,
    Forecasts,
    NewForecast,
)

router = APIRouter(tags=["Forecasts"], route_class=Scoped)


@router.get("/questions/{id}/forecasts")
@reads
def list_forecasts(
    at: At, id: requests.Named, limit: Limit = PAGE_SIZE, cursor: Cursor = None
) -> Forecasts:
    """List the forecasts on a question that you may see, oldest first, with their reasons."""
    question = registry.find(at.session, id)
    hidden = crowd_is_hidden(at.session, question)
    every = updates.forecast_numbers(at.session, question)
    shown, following = place(cursor, at.now).page(every, limit)
    found = views.forecasts(at.session, question, only=shown)
    return Forecasts(forecasts=found, crowd_hidden=hidden, next=following)


@router.get("/questions/{id}/evidence")
@reads
def list_evidence(
    at: At, id: requests.Named, limit: Limit = PAGE_SIZE, cursor: Cursor = None
) -> EvidenceList:
    """List the evidence on a question that you may see, with the forecasts that cite it."""
    question = registry.find(at.session, id)
    citing = updates.citation_numbers(at.session, question)
    shown, following = place(cursor, at.now).page(list(citing), limit)
    forecasts = list({citing[number] for number in shown})
    cited = updates.evidence_of(at.session, question, only=forecasts)
    found = [
        CitedEvidence(**vars(views.evidence(*piece)), forecast=row.id, member=handle)
        for row, handle in updates.history(at.session, question, only=forecasts)
        for piece in cited[row.id]
        if piece[0].id in shown
    ]
    return EvidenceList(evidence=found, next=following)


@router.post("/questions/{id}/forecasts", status_code=201)
@acts(Scope.forecast)
def make_forecast(at: At, id: requests.Named, body: requests.GivenForecast) -> NewForecast:
    """Forecast a question, or update your forecast. The receipt proves it."""
    question = registry.find(at.session, id)
    try:
        saved = updates.update(
            at.session, question, body.value, origin=requests.ORIGIN, **body.reasons, **at.by
        )
    except LedgerError as error:
        raise explained(at, question, body, error) from None
    return views.new_forecast(at.session, question, saved.forecast, at.member)


@router.post("/questions/{id}/withdraw", status_code=201)
@acts(Scope.forecast)
def withdraw_forecast(
    at: At, id: requests.Named, body: requests.Withdrawal | None = None
) -> NewForecast:
    """Withdraw your forecast. The time it was active still counts."""
    question = registry.find(at.session, id)
    saved = updates.withdraw(
        at.session,
        question,
        rationale=body.rationale if body else "",
        origin=requests.ORIGIN,
        **at.by,
    )
    return views.new_forecast(at.session, question, saved.forecast, at.member)


@router.post("/forecasts", status_code=201)
@acts(Scope.forecast)
def make_forecasts(at: At, body: requests.Batch) -> BatchResult:
    """Make up to 10,000 forecasts in one act: all of them, or none if one is refused.

    With `partial`, those that the rules allow are made, and each other one has its problem. Without
    it, a refusal has the status and code of the first refused row, and `problems` names them all.
    """
    rows = _rows(at, body)
    refused = {n: one for n, one in enumerate(rows) if isinstance(one, LedgerError)}
    if refused and not body.partial:
        raise NoneMade(
            {
                _place(number): (str(dict(body.forecasts[number]).get("question")), error)
                for number, error in refused.items()
            }
        )
    given = [one for one in rows if isinstance(one, updates.NewForecast)]
    numbers = updates.update_all(at.session, given, origin=requests.ORIGIN, **at.by)
    made = zip(numbers, receipts(at.session, list(numbers)), strict=True)
    results = []
    for one in rows:
        if isinstance(one, LedgerError):
            results.append(BatchRow(problem=problems.document(one)))
        else:
            number, proof = next(made)
            results.append(BatchRow(number=number, receipt=proof))
    return BatchResult(accepted=len(given), refused=len(refused), results=results)


def _rows(at: At, body: requests.Batch) -> list[updates.NewForecast | LedgerError]:
    """Return each row of the batch as a forecast that the rules allow, or as its refusal."""

    @cache
    def question(name: str) -> Question | LedgerError:
        try:
            return registry.find(at.session, name)
        except LedgerError as error:
            return error

    found: list[updates.NewForecast | LedgerError] = []
    for number, row in enumerate(body.forecasts):
        if isinstance(row, dict):
            found.append(malformed(row, _place(number)))
        else:
            of = question(row.question)
            found.append(of if isinstance(of, LedgerError) else row.on(of))
    given = [one for one in found if isinstance(one, updates.NewForecast)]
    errors = iter(updates.refusals(at.session, given, **at.by))
    for number, (row, one) in enumerate(zip(body.forecasts, found, strict=True)):
        if isinstance(one, LedgerError) or isinstance(row, dict):
            continue
        if (error := next(errors)) is not None:
            found[number] = explained(at, one.question, row, error, _place(number))
    return found


def _place(number: int) -> str:
    return f"body.forecasts.{number}"


@router.get("/forecasts/{number}/receipt")
@reads
def show_receipt(at: At, number: int) -> Receipt:
    """Show the receipt of a forecast that you may see."""
    return receipt(at.session, updates.find_forecast(at.session, number))


# Of values, by the type of the question; those of the verbs are for typed text.
_QUANTILES = (
    "Give quantiles: {} within the bounds that rise with their levels, such as {}. The "
    'probabilities outside the bounds are "below" and "above".'
)
_REMEDIES = {
    QuestionType.binary: "Give probability: a number from 0 to 1, such as 0.71.",
    QuestionType.multiple_choice: "Give probabilities: one from 0 to 1 for each option, in their "
    "order, with the sum 1.",
    QuestionType.numeric: _QUANTILES.format("numbers", '{"0.1": 120, "0.5": 140, "0.9": 170}'),
    QuestionType.date: _QUANTILES.format(
        "days", '{"0.1": "2027-01-05", "0.5": "2027-03-31", "0.9": "2027-08-01"}'
    ),
}


def explained(
    at: At, question: Question, row: requests.Stated, error: LedgerError, place: str = "body"
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


def wrong_values(row: requests.Stated, text: QuestionText, place: str = "body") -> BadInput | None:
    """Return the values of a forecast that break a rule on this question, None without any."""
    reasons = row.reasons
    cited, model = reasons["evidence"], reasons["model"]
    checks: list[tuple[str, object, Callable[[], object]]] = [
        *(
            (name, getattr(row, name), partial(check_value, row.value, text))
            for name in row.every_given
        ),
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
                is_value = name in row.every_given
                found[problem] = _REMEDIES[QuestionType(text.type)] if is_value else error.advice
    if not found:
        return None
    advice = (given if isinstance(given, tuple) else (given,) for given in found.values())
    remedy = tuple(dict.fromkeys(part for parts in advice for part in parts))
    return problems.invalid_values(list(found), remedy)
