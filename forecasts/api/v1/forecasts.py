"""Forecasts: one, a batch, a withdrawal; read them back with their evidence and receipts."""

from __future__ import annotations

from fastapi import APIRouter, Response

from forecasts.access.visibility import crowd_is_hidden
from forecasts.api import answers, problems
from forecasts.api.caller import Acts, At, Reads
from forecasts.api.paging import PAGE_SIZE, Cursor, Limit, place
from forecasts.api.problems import NoneMade
from forecasts.api.v1 import refusals, requests
from forecasts.common.errors import LedgerError
from forecasts.ledger.models import Question
from forecasts.ledger.receipts import Receipt, receipt, receipts
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.views import forecasts as views
from forecasts.views.forecasts import CitedEvidence, EvidenceList, Forecasts, NewForecast
from forecasts.views.problems import BatchResult, BatchRow

router = APIRouter(tags=["Forecasts"])


@router.get("/questions/{id}/forecasts")
def list_forecasts(
    caller: Reads, id: str, limit: Limit = PAGE_SIZE, cursor: Cursor = None
) -> Forecasts:
    """List the forecasts on a question that you may see, oldest first, with their reasons."""
    with caller.reading() as at:
        question = registry.find(at.session, id)
        hidden = crowd_is_hidden(at.session, question)
        every = updates.forecast_numbers(at.session, question)
        shown, following = place(cursor, at.now).page(every, limit)
        found = views.forecasts(at.session, question, only=shown)
    return Forecasts(forecasts=found, crowd_hidden=hidden, next=following)


@router.get("/questions/{id}/evidence")
def list_evidence(
    caller: Reads, id: str, limit: Limit = PAGE_SIZE, cursor: Cursor = None
) -> EvidenceList:
    """List the evidence on a question that you may see, with the forecasts that cite it."""
    with caller.reading() as at:
        question = registry.find(at.session, id)
        citing = updates.citation_numbers(at.session, question)
        shown, following = place(cursor, at.now).page(list(citing), limit)
        forecasts = list({citing[number] for number in shown})
        members = updates.history(at.session, question, only=forecasts)
        cited = updates.evidence_of(at.session, question, only=forecasts)
        found = [
            CitedEvidence(**vars(views.evidence(*piece)), forecast=row.id, member=handle)
            for row, handle in members
            for piece in cited[row.id]
            if piece[0].id in shown
        ]
    return EvidenceList(evidence=found, next=following)


@router.post("/questions/{id}/forecasts", status_code=201, response_model=NewForecast)
def make_forecast(caller: Acts, id: str, body: requests.Forecast) -> NewForecast | Response:
    """Forecast a question, or update your forecast. The receipt proves it."""

    def do(at: At) -> NewForecast:
        question = registry.find(at.session, id)
        with refusals.told(at, question, body):
            saved = updates.update(
                at.session, question, body.value, origin=requests.ORIGIN, **body.reasons, **at.by
            )
        return views.new_forecast(at.session, question, saved.forecast, at.member)

    return answers.acted(caller, do)


@router.post("/questions/{id}/withdraw", status_code=201, response_model=NewForecast)
def withdraw_forecast(caller: Acts, id: str, body: requests.Reason) -> NewForecast | Response:
    """Withdraw your forecast. The time it was active still counts."""

    def do(at: At) -> NewForecast:
        question = registry.find(at.session, id)
        with refusals.coded(at, question):
            saved = updates.withdraw(
                at.session, question, rationale=body.rationale, origin=requests.ORIGIN, **at.by
            )
        return views.new_forecast(at.session, question, saved.forecast, at.member)

    return answers.acted(caller, do)


@router.post("/forecasts", status_code=201, response_model=BatchResult)
def make_forecasts(caller: Acts, body: requests.Batch) -> BatchResult | Response:
    """Make up to 10,000 forecasts in one act: all of them, or none if one is refused.

    With `partial`, those that the rules allow are made, and each other one has its problem. Without
    it, a refusal has the status and code of the first refused row, and `problems` names them all.
    """

    def do(at: At) -> BatchResult:
        rows = _read(at, body)
        if body.partial or _errors(rows):
            rows = _checked(at, body, rows)
        if not body.partial:
            _require_all(body, rows)
        given = [one for one in rows if isinstance(one, updates.NewForecast)]
        try:
            numbers = updates.update_all(at.session, given, origin=requests.ORIGIN, **at.by)
        except LedgerError:
            if not body.partial:
                _require_all(body, _checked(at, body, rows))
            raise
        made = iter(zip(numbers, receipts(at.session, list(numbers)), strict=True))
        results = [
            BatchRow(problem=problems.document(one))
            if isinstance(one, LedgerError)
            else BatchRow(**dict(zip(("number", "receipt"), next(made), strict=True)))
            for one in rows
        ]
        accepted = len(numbers)
        return BatchResult(accepted=accepted, refused=len(rows) - accepted, results=results)

    return answers.acted(caller, do)


_Row = updates.NewForecast | LedgerError  # a forecast to make, or its refusal


def _read(at: At, body: requests.Batch) -> list[_Row]:
    """Return each row of the batch as a forecast on its question."""
    known: dict[str, Question | LedgerError] = {}
    found: list[_Row] = []
    for number, row in enumerate(body.forecasts):
        if isinstance(row, dict):
            found.append(refusals.malformed(row, _place(number)))
            continue
        question = known.get(row.question)
        if question is None:
            question = known[row.question] = _find(at, row.question)
        found.append(question if isinstance(question, LedgerError) else row.on(question))
    return found


def _checked(at: At, body: requests.Batch, rows: list[_Row]) -> list[_Row]:
    """Return the rows, each forecast that the rules forbid as its refusal."""
    given = [one for one in rows if isinstance(one, updates.NewForecast)]
    errors = iter(updates.refusals(at.session, given, **at.by))
    found: list[_Row] = []
    for number, (row, one) in enumerate(zip(body.forecasts, rows, strict=True)):
        error = next(errors) if isinstance(one, updates.NewForecast) else None
        if error is not None and isinstance(one, updates.NewForecast) and not isinstance(row, dict):
            error = refusals.explained(at, one.question, row, error, _place(number))
        found.append(error or one)
    return found


def _require_all(body: requests.Batch, rows: list[_Row]) -> None:
    """Refuse the batch if one of its rows is refused, with the problems of all of them."""
    if errors := _errors(rows):
        named = {
            _place(number): (str(dict(body.forecasts[number]).get("question")), error)
            for number, error in errors.items()
        }
        raise NoneMade(named)


def _errors(rows: list[_Row]) -> dict[int, LedgerError]:
    return {number: one for number, one in enumerate(rows) if isinstance(one, LedgerError)}


def _place(number: int) -> str:
    return f"body.forecasts.{number}"


def _find(at: At, id: str) -> Question | LedgerError:
    try:
        return registry.find(at.session, id)
    except LedgerError as error:
        return error


@router.get("/forecasts/{number}/receipt")
def show_receipt(caller: Reads, number: int) -> Receipt:
    """Show the receipt of a forecast that you may see."""
    with caller.reading() as at:
        return receipt(at.session, updates.find_forecast(at.session, number))
