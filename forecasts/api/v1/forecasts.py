"""Forecasts: one, a batch, a withdrawal; read them back with their evidence and receipts."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from forecasts.access.visibility import crowd_is_hidden
from forecasts.api import answers, problems
from forecasts.api.caller import Acts, At, Reads
from forecasts.api.v1 import requests, shapes
from forecasts.common.errors import LedgerError
from forecasts.exchange.question_json import forecast_documents, forecast_fields
from forecasts.ledger.models import Forecast, Question
from forecasts.ledger.receipts import receipt, receipts
from forecasts.questions import registry
from forecasts.questions.standing import current_state
from forecasts.updates import updates
from forecasts.updates.updates import NewForecast

router = APIRouter(tags=["Forecasts"])


@router.get("/questions/{id}/forecasts", response_model=shapes.Forecasts)
def list_forecasts(caller: Reads, id: str) -> Response:
    """List the forecasts on a question that you may see, oldest first, with their reasons."""
    with caller.reading() as at:
        state = current_state(at.session, registry.find(at.session, id), now=at.now)
        hidden = crowd_is_hidden(at.session, state.question)
        found = forecast_documents(at.session, state)
    return answers.read({"forecasts": found, "crowd_hidden": hidden})


@router.get("/questions/{id}/evidence", response_model=shapes.EvidenceList)
def list_evidence(caller: Reads, id: str) -> Response:
    """List the evidence on a question that you may see, with the forecasts that cite it."""
    with caller.reading() as at:
        state = current_state(at.session, registry.find(at.session, id), now=at.now)
        cited = [
            piece | {"forecast": one["number"], "member": one["member"]}
            for one in forecast_documents(at.session, state)
            for piece in one["evidence"]
        ]
    return answers.read({"evidence": cited})


@router.post("/questions/{id}/forecasts", status_code=201, response_model=shapes.Made)
def make_forecast(caller: Acts, id: str, body: requests.Forecast) -> Response:
    """Forecast a question, or update your forecast. The receipt proves it."""

    def do(at: At) -> Any:
        question = registry.find(at.session, id)
        made = updates.update(
            at.session, question, body.value, origin=requests.ORIGIN, **body.reasons, **at.by
        )
        return _made(at, question, made)

    return answers.acted(caller, do, status=201)


@router.post("/questions/{id}/withdraw", status_code=201, response_model=shapes.Made)
def withdraw_forecast(caller: Acts, id: str, body: requests.Reason) -> Response:
    """Withdraw your forecast. The time it was active still counts."""

    def do(at: At) -> Any:
        question = registry.find(at.session, id)
        row = updates.withdraw(
            at.session, question, rationale=body.rationale, origin=requests.ORIGIN, **at.by
        )
        return _made(at, question, row)

    return answers.acted(caller, do, status=201)


def _made(at: At, question: Question, row: Forecast) -> dict[str, Any]:
    return {
        "number": row.id,
        "question": question.slug,
        "member": at.member.handle,
        **(forecast_fields(row) or {}),
        "receipt": receipt(at.session, row),
    }


@router.post("/forecasts", status_code=201, response_model=shapes.BatchResult)
def make_forecasts(caller: Acts, body: requests.Batch) -> Response:
    """Make up to 10,000 forecasts in one act: all of them, or none if one is refused.

    With `partial`, those that the rules allow are made, and each other one has its problem.
    """

    def do(at: At) -> Any:
        given, refused = _read(at, body)
        ids = iter(updates.update_all(at.session, given, origin=requests.ORIGIN, **at.by))
        made = iter(receipts(at.session, numbers := list(ids)))
        numbers_left = iter(numbers)
        results = [
            {"number": next(numbers_left), "receipt": next(made), "problem": None}
            if error is None
            else {"number": None, "receipt": None, "problem": problems.document(error)}
            for error in refused
        ]
        accepted = len(numbers)
        return {"accepted": accepted, "refused": len(refused) - accepted, "results": results}

    return answers.acted(caller, do, status=201)


def _read(at: At, body: requests.Batch) -> tuple[list[NewForecast], list[LedgerError | None]]:
    """Return the forecasts to make, and for each row of the batch its refusal, if any."""
    known: dict[str, Question | LedgerError] = {}
    given: list[NewForecast] = []
    found: list[LedgerError | None] = []
    for row in body.forecasts:
        question = known.get(row.question)
        if question is None:
            question = known[row.question] = _find(at, row.question)
        if isinstance(question, LedgerError):
            if not body.partial:
                raise question
            found.append(question)
        else:
            found.append(None)
            given.append(row.on(question))
    if not body.partial:
        return given, found
    refusals = updates.refusals(at.session, given, **at.by)
    allowed = [one for one, error in zip(given, refusals, strict=True) if error is None]
    rest = iter(refusals)
    return allowed, [next(rest) if error is None else error for error in found]


def _find(at: At, id: str) -> Question | LedgerError:
    try:
        return registry.find(at.session, id)
    except LedgerError as error:
        return error


@router.get("/forecasts/{number}/receipt", response_model=shapes.Receipt)
def show_receipt(caller: Reads, number: int) -> Response:
    """Show the receipt of a forecast that you may see."""
    with caller.reading() as at:
        found = receipt(at.session, updates.find_forecast(at.session, number))
    return answers.read(found)
