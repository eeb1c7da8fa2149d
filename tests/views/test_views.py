"""What the ledger shows is views: of every operation, and with reasons that came later."""

from __future__ import annotations

from datetime import timedelta

from fastapi.routing import APIRoute
from sqlmodel import Session

from forecasts.access.members import member_or_new
from forecasts.api.server import ROUTERS
from forecasts.ledger.receipts import Receipt
from forecasts.updates import comments, updates
from forecasts.values.value import Value
from forecasts.views.forecasts import forecasts
from forecasts.views.view import View
from tests.conftest import ask, day

# Whole documents with a JSON Schema of their own.
DOCUMENTS = {"/report", "/compare"}


def test_every_operation_answers_with_a_view() -> None:
    routes = [one for router in ROUTERS for one in router.routes]
    answers = {
        one.path: one.response_model
        for one in routes
        if isinstance(one, APIRoute) and one.path not in DOCUMENTS
    }
    assert len(answers) > 20
    assert {
        path: of
        for path, of in answers.items()
        if not (isinstance(of, type) and issubclass(of, View | Receipt))
    } == {}


def test_reasons_that_came_as_comments_are_reasons(session: Session) -> None:
    alice = member_or_new(session, "alice", now=day(0))
    question = ask(session, alice, slug="rain")
    by = {"member": alice, "now": day(1)}
    updates.update(session, question, Value(probability=0.3), rationale="a front", **by)
    later = day(1) + timedelta(minutes=1)
    said = {"member": alice, "now": later, "explains_forecast": True}
    comments.comment(session, question, "and low pressure", **said)
    [shown] = forecasts(session, question)
    assert shown.rationale == "a front\n\nand low pressure"
