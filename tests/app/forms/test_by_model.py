"""A model's proposals on an article's page: asked for, corrected, registered, dismissed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from app.forms.by_model import THREAD
from forecasts.access.members import member_named, member_or_new
from forecasts.articles import library
from forecasts.ledger import database
from forecasts.ledger.models import Forecast, Member, ModelCall, ModelDecision
from forecasts.proposals import decisions
from forecasts.questions import registry, revisions, standing
from forecasts.questions.groups import groups
from forecasts.reading.article import CapturedArticle
from tests.app.conftest import confirmed, errors, keys, visit, words
from tests.common.test_web import sends
from tests.conftest import ask as question
from tests.conftest import day
from tests.proposals.conftest import FERRY, TEXT
from tests.proposals.stub import MODEL, Stub, running, says
from tests.proposals.test_model_forecasts import REASONED

pytestmark = pytest.mark.slow

NUMBER = FERRY | {
    "title": "How many cars will the ferry carry in February 2026?",
    "type": "numeric",
    "lower_bound": "0",
    "upper_bound": "9000",
    "unit": "cars",
    "close": "2026-02-28",
}
ENGINE = FERRY | {
    "title": "Will the yard repair the second engine by 31 May 2026?",
    "close": "2026-05-31",
    "quotation": "The yard expects to repair the second engine before the summer.",
}


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with running(monkeypatch) as one:
        monkeypatch.setenv("FORECASTS_MODEL_URL", f"{one.url}/v1")
        monkeypatch.setenv("FORECASTS_MODEL", MODEL)
        one.answer = says({"questions": [FERRY, NUMBER, ENGINE]})
        yield one


@pytest.fixture
def article(engine: Engine) -> int:
    read = CapturedArticle("The ferry", "The Coast Courier", None, day(4), None, TEXT)
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        [(stored, _)] = library.store(ledger, [read], member=alice, captured_at=day(4))
        return stored.id


def answered() -> None:
    """Wait until the model's answer is in the ledger."""
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join(30)


def opened(app: AppTest, article: int) -> AppTest:
    return visit(app, "articles", article=str(article))


def ask(app: AppTest, article: int) -> AppTest:
    opened(app, article)
    app.button(key=f"ask-model-questions-{article}").click().run()
    answered()
    return app.run()


def proposed(app: AppTest) -> list[str]:
    """Return the keys of the fields of the model's cards."""
    found = [key for key in keys(app) if "-model-" in key and key.endswith("-title")]
    return [key.removesuffix("-title") for key in found]


def test_without_a_model_the_page_has_no_button(app: AppTest, article: int) -> None:
    opened(app, article)
    assert [key for key in keys(app) if "model" in key] == []


def test_three_proposals_one_changed_are_registered_and_forecast_in_eight_acts(
    app: AppTest, engine: Engine, article: int, stub: Stub
) -> None:
    opened(app, article)
    app.button(key=f"ask-model-questions-{article}").click().run()  # 1
    answered()
    app.run()
    one, two, three = proposed(app)
    assert f"proposed by {MODEL}" in words(app)
    assert app.text_area(key=f"{one}-criteria").value.startswith(FERRY["criteria"])
    assert app.text_area(key=f"{one}-fine-print").value == FERRY["edge_cases"]
    app.text_area(key=f"{three}-title").input("Will the engine run by 31 May 2026?")  # 2
    typed = ((one, "30%"), (two, "10%=1000, 50%=2000, 90%=4000"), (three, "60%"))
    for key, value in typed:
        app.text_input(key=f"{key}-value").input(value)  # 3, 5, 7
        number = key.rpartition("-")[2]
        [save] = [one for one in keys(app) if one.endswith(f"-model-{number}-save")]
        app.button(key=save).click().run()  # 4, 6, 8
        assert errors(app) == ""
        assert confirmed(app)[-1].startswith("Registered: ")
    with database.reading(engine) as ledger:
        decided = [str(one) for one in ledger.exec(select(ModelDecision.decision))]
        assert decided == ["accepted", "accepted", "changed"]
        made = [registry.find(ledger, "will-the-engine-run-by-31-may-2026")]
        state = standing.current_state(ledger, made[0], now=day(5))
        assert state.text.fine_print == FERRY["edge_cases"]
        assert len(ledger.exec(select(Forecast)).all()) == 3
    assert proposed(opened(app, article)) == []


def test_a_proposal_with_several_last_days_keeps_its_words(
    app: AppTest, engine: Engine, article: int, stub: Stub
) -> None:
    key, *_ = proposed(ask(app, article))
    app.text_input(key=f"{key}-closes").input("31 March, 30 June 2026")
    app.text_input(key=f"{key}-value").input("30, 60")
    [save] = [one for one in keys(app) if one.endswith(f"{key.rpartition('-')[2]}-save")]
    app.button(key=save).click().run()
    with database.reading(engine) as ledger:
        [group] = groups(ledger, now=day(6))
    assert {one.state.text.fine_print for one in group.members} == {FERRY["edge_cases"]}
    assert all(FERRY["source"] in one.state.text.resolution_criteria for one in group.members)


def test_a_proposal_is_dismissed_and_that_is_undone(
    app: AppTest, engine: Engine, article: int, stub: Stub
) -> None:
    ask(app, article)
    [go, *_] = [key for key in keys(app) if key.startswith("dismiss-model-")]
    app.button(key=go).click().run()
    assert len(proposed(app)) == 2
    assert f"Dismissed: “{FERRY['title']}”" in confirmed(app)[-1]
    [undo] = [key for key in keys(app) if key.startswith("undo-") and key.endswith("-go")]
    app.button(key=undo).click().run()
    assert len(proposed(app)) == 3


def test_while_the_model_works_the_page_is_there_and_one_may_stop_waiting(
    app: AppTest, engine: Engine, article: int, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTS_MODEL_TIMEOUT", "30")
    stub.answer = stub.hangs
    opened(app, article)
    app.button(key=f"ask-model-questions-{article}").click().run()
    assert f"{MODEL} is working · 0 s (limit: 30)" in words(app)
    assert [key for key in keys(app) if key.startswith("draft-")]  # the grammar's own
    app.button(key=f"leave-model-questions-{article}").click().run()
    assert f"ask-model-questions-{article}" in keys(app)
    stub.ended.set()
    answered()


def test_an_answer_that_comes_while_the_page_is_drawn_is_not_lost(
    app: AppTest, article: int, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    says_now, real = threading.Event(), decisions.listing

    def held(request: BaseHTTPRequestHandler) -> None:
        says_now.wait(30)
        says({"questions": [FERRY]})(request)

    def listing(*given: Any, **how: Any) -> list[decisions.Listed]:
        found = real(*given, **how)
        is_asked = any(thread.name == THREAD for thread in threading.enumerate())
        if is_asked and not says_now.is_set():
            says_now.set()
            answered()
        return found

    stub.answer = held
    monkeypatch.setattr(decisions, "listing", listing)
    opened(app, article)
    app.button(key=f"ask-model-questions-{article}").click().run()
    assert says_now.is_set()
    assert len(proposed(app)) == 1


def test_a_failure_is_one_sentence_beside_the_button(
    app: AppTest, engine: Engine, article: int, stub: Stub
) -> None:
    stub.answer = sends(b"", 503)
    ask(app, article)
    assert "cannot answer now (HTTP status 503). Try again later." in words(app).replace("\\", "")
    assert f"ask-model-questions-{article}" in keys(app)
    with database.reading(engine) as ledger:
        assert len(ledger.exec(select(ModelCall)).all()) == 1


def test_an_answer_without_a_question_is_one_sentence_beside_the_button(
    app: AppTest, article: int, stub: Stub
) -> None:
    stub.answer = says({"questions": []})
    ask(app, article)
    assert f"{MODEL} found no questions in this article." in words(app).replace("\\", "")
    stub.answer = says({"questions": [FERRY | {"quotation": "Not in it."}]})
    ask(app, article)
    assert "1 part of the answer was dropped: the quotation was wrong" in words(app)


def test_a_call_beyond_the_budget_is_refused_in_place(
    app: AppTest, article: int, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTS_MODEL_TOKENS", "100")
    opened(app, article)
    app.button(key=f"ask-model-questions-{article}").click().run()
    assert "of its 100 tokens of today" in errors(app)
    assert stub.requests == []


def test_a_forecast_is_hidden_until_the_reader_has_forecast_and_then_a_bots(
    app: AppTest, engine: Engine, article: int, stub: Stub
) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        question(ledger, alice, slug="ferry", title=FERRY["title"])
    stub.answer = says(REASONED)
    visit(app, "question", slug="ferry")
    app.button(key="ask-model-forecast-ferry").click().run()
    answered()
    app.run()
    assert "The model's forecast is ready. It is shown after you save yours." in words(app)
    assert "27%" not in words(app)
    app.text_input(key="forecast-ferry#0-value").input("40").run()
    app.button(key="forecast-ferry#0-save").click().run()
    assert "27%" not in words(app)
    [show] = [key for key in keys(app) if key.startswith("reveal-")]
    app.button(key=show).click().run()
    assert confirmed(app)[-1] == f"{MODEL} on “{FERRY['title']}”: 27%."
    assert "Base rate: 3 of 10" in words(app)
    with database.reading(engine) as ledger:
        by = [one.member_id for one in ledger.exec(select(Forecast))]
        assert by == [alice.id, member_named(ledger, MODEL).id]
    assert "ask-model-forecast-ferry" in keys(app)  # for another one


def test_a_forecast_that_was_not_shown_before_the_close_is_shown_after_it(
    app: AppTest, engine: Engine, article: int, stub: Stub
) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        asked = question(ledger, alice, slug="ferry", title=FERRY["title"])
    stub.answer = says(REASONED)
    visit(app, "question", slug="ferry")
    app.button(key="ask-model-forecast-ferry").click().run()
    answered()
    with database.writing(engine) as ledger:
        alice = ledger.get_one(Member, alice.id)
        revisions.close(ledger, asked, at=day(5), member=alice, now=day(5))
    visit(app, "question", slug="ferry")
    [show] = [key for key in keys(app) if key.startswith("reveal-")]
    app.button(key=show).click().run()
    assert confirmed(app)[-1] == f"{MODEL} on “{FERRY['title']}”: 27%."
    assert "Base rate: 3 of 10" in words(app)
    assert "ask-model-forecast-ferry" not in keys(app)


def test_the_request_is_shown_before_it_is_sent_and_every_call_on_the_page_settings(
    app: AppTest, article: int, stub: Stub
) -> None:
    opened(app, article)
    app.session_state[f"request-questions-{article}"] = True
    app.run()
    [shown] = [one.value for one in app.code]
    assert stub.requests == []
    app.button(key=f"ask-model-questions-{article}").click().run()
    answered()
    assert stub.requests == [json.loads(shown)]
    visit(app, "settings")
    assert "1,000 of 200,000 tokens today" in words(app)
    app.session_state["model-call-1"] = True
    app.run()
    assert shown in [one.value for one in app.code]
    app.session_state["model-accounts"] = True
    app.run()
    assert f"**{MODEL}**: questions" in words(app)
    assert "1 call, 1,000 tokens, cost 0" in words(app)
    assert "3 proposals: 3 open" in words(app)
