"""From an article to a question that a model proposed, and what was sent for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cli.conftest import PAGE, Clock, Run
from tests.common.test_web import sends
from tests.proposals.conftest import FERRY
from tests.proposals.stub import MODEL, Stub, running, says
from tests.proposals.test_challenges import CASE
from tests.proposals.test_model_forecasts import REASONED
from tests.proposals.test_model_outcomes import NONE, YES

pytestmark = pytest.mark.slow


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with running(monkeypatch) as one:
        monkeypatch.setenv("FORECASTS_MODEL_URL", f"{one.url}/v1")
        monkeypatch.setenv("FORECASTS_MODEL", MODEL)
        monkeypatch.setenv("FORECASTS_MODEL_KEY", "s3cret")
        one.answer = says({"questions": [FERRY, FERRY | {"quotation": "It is not in there."}]})
        yield one


@pytest.fixture
def captured(forecasts: Run) -> None:
    forecasts("capture", "-", input=PAGE)


def test_an_article_becomes_a_question_that_was_proposed(
    forecasts: Run, captured: None, stub: Stub
) -> None:
    shown = forecasts("model", "preview", "1").stdout
    assert stub.requests == []
    made = forecasts("draft", "1")
    assert stub.requests == [json.loads(shown)]
    assert f"1. {FERRY['title']} (closes 2026-03-31)" in made.stdout
    assert f"{MODEL}, article 1: “The council will decide" in made.stdout
    assert "1 proposal dropped: the article does not have the passage quoted." in made.stderr
    assert "To ask it: forecasts model accept 1 P" in made.stderr
    slug = forecasts("model", "accept", "1", "30%").stdout.strip()
    question = forecasts.printed("show", slug)
    assert question["title"] == FERRY["title"]
    assert question["fine_print"] == FERRY["edge_cases"]
    assert "No proposals." in forecasts("model", "proposals").stderr
    assert f"{FERRY['title']} (accepted)" in forecasts("model", "proposals", "--all").stdout
    assert "has been accepted already" in forecasts.refused("model", "accept", "1")


def test_a_proposal_is_changed_or_dismissed(forecasts: Run, captured: None, stub: Stub) -> None:
    forecasts("draft", "1")
    forecasts("draft", "1")
    accept = ("model", "accept", "1", "--closes")
    assert "is not a date" in forecasts.refused(*accept, "soonish")
    own = ("--title", "Will there be a bridge?", "--closes", "end of february", "--criteria", "If.")
    slug = forecasts("model", "accept", "1", *own).stdout.strip()
    assert slug == "will-there-be-a-bridge"
    assert forecasts("model", "dismiss", "2").stdout == "2: dismissed\n"
    decided = {
        one["number"]: one["decision"] for one in forecasts.printed("model", "proposals", "--all")
    }
    assert decided == {1: "changed", 2: "dismissed"}
    assert forecasts("model", "dismiss", "2", "--undo").stdout == "2: open again\n"
    assert "You have no proposal 9" in forecasts.refused("model", "dismiss", "9")
    summed = forecasts("model", "accounts").stdout
    assert f"{MODEL}, questions\n   2 calls, 2,000 tokens, cost 0\n" in summed
    assert "2 proposals: 1 changed, 1 open; 2 dropped with a wrong quotation" in summed


def test_a_forecast_is_hidden_until_one_has_made_ones_own(forecasts: Run, stub: Stub) -> None:
    forecasts("ask", FERRY["title"], "--closes", "2026-03-31", "--slug", "ferry")
    assert FERRY["title"] in forecasts("model", "preview", "ferry").stdout
    stub.answer = says(REASONED)
    hidden = forecasts("model", "forecast", "ferry")
    assert "It is hidden until you have too." in hidden.stdout
    assert "27%" not in hidden.output + forecasts("model", "call", "1").output
    assert "27%" not in forecasts("show", "ferry", "--all").output
    assert "is hidden until you have forecast 'ferry'" in forecasts.refused("model", "reveal", "1")
    other = forecasts.refused("model", "accept", "1")
    assert "Proposal 1 is not a question. For a forecast: forecasts model reveal 1" in other
    listed = "1. forecast on ferry ({})\n"
    assert listed.format("hidden until you have forecast") in forecasts("model", "proposals").stdout
    forecasts("update", "ferry", "20%")
    assert listed.format("not shown yet") in forecasts("model", "proposals").stdout
    shown = forecasts("model", "reveal", "1").stdout
    assert f"{MODEL} on ferry: 27%" in shown
    assert "base rate: 3 of 10" in shown
    assert forecasts.printed("model", "reveal", "1")["forecast"] == 2
    assert f"{MODEL}: 27%" in forecasts("show", "ferry", "--all").stdout
    assert "No proposals." in forecasts("model", "proposals").stderr
    assert listed.format("shown") in forecasts("model", "proposals", "--all").stdout
    [summed] = forecasts.printed("model", "accounts")
    assert (summed["shown"], summed["accepted"], summed["taken"]) == (1, 0, None)
    assert summed["cost_per_accepted"] is None
    assert "1 proposal: 1 shown" in forecasts("model", "accounts").stdout
    again = forecasts.printed("model", "forecast", "ferry")  # shown at once
    assert (again["hidden"], again["value"]) == (False, "27%")
    stub.answer = says(REASONED | {"forecast": "likely"})
    refused = forecasts("model", "forecast", "ferry", exit_code=2)
    assert f"{MODEL} gave no forecast that can be read." in refused.stderr


def test_the_own_forecast_is_challenged_and_nothing_is_sent_to_see_it_again(
    forecasts: Run, stub: Stub
) -> None:
    forecasts("ask", FERRY["title"], "--closes", "2026-03-31", "--slug", "ferry")
    refused = forecasts.refused("model", "challenge", "ferry")
    assert "You have no forecast of 'ferry'" in refused
    assert "forecasts update ferry P" in refused
    assert "No model has challenged" in forecasts.refused("model", "challenge", "ferry", "--last")
    forecasts("update", "ferry", "41%")
    preview = forecasts("model", "preview", "ferry", "--kind", "challenge").stdout
    assert stub.requests == []
    stub.answer = says(CASE | {"points": []})
    asked = forecasts("model", "challenge", "ferry")
    assert stub.requests == [json.loads(preview)]
    assert f"{MODEL} against 41% on ferry:\n   {CASE['case']}" in asked.stdout
    assert "check: Has the vote moved?" in asked.stdout
    assert forecasts("model", "challenge", "ferry", "--last").stdout == asked.stdout
    assert len(stub.requests) == 1
    assert "1. challenge on ferry (shown)" in forecasts("model", "proposals").stdout
    forecasts("model", "dismiss", "1")
    assert "1. challenge on ferry (dismissed)" in forecasts("model", "proposals", "--all").stdout
    stub.answer = says(CASE | {"case": ""})
    refused = forecasts("model", "challenge", "ferry", exit_code=2)
    assert f"{MODEL} gave no case against your forecast." in refused.stderr


def test_an_outcome_with_its_passage_is_proposed(
    forecasts: Run, captured: None, stub: Stub, clock: Clock
) -> None:
    forecasts(
        "ask", "Will the council vote on the ferry?", "--closes", "2026-03-31", "--slug", "vote"
    )
    clock("2026-01-08T12:00:00Z")
    met = "The council of Brenholt met on Monday to talk about the ferry"
    passage = {"quotation": met, "meets": "It met."}
    stub.answer = says(YES | {"passages": [passage], "known_on": "2026-01-08"})
    asked = forecasts("model", "outcome", "vote", "--article", "1")
    assert f"{MODEL} on vote: yes, known 2026-01-08 12:00" in asked.stdout
    assert f"“{met}” (article 1)" in asked.stdout
    assert "To propose it: forecasts model propose 1" in asked.stderr
    assert forecasts("model", "propose", "1").stdout == "vote: proposed yes\n"
    assert "yes" in forecasts("show", "vote").stdout
    stub.answer = says(NONE | {"answer": "not_yet"})
    assert (
        f"{MODEL} on vote: not yet"
        in forecasts("model", "outcome", "vote", "--article", "1").stdout
    )
    assert "2. outcome on vote: not yet (open)" in forecasts("model", "proposals").stdout
    listed = forecasts.printed("model", "proposals", "--all")
    assert [one["answer"] for one in listed] == ["not_yet", "yes"]
    assert "2 proposals: 1 accepted, 1 without an outcome" in forecasts("model", "accounts").stdout
    stub.answer = says(YES)
    refused = forecasts("model", "outcome", "vote", "--article", "1", exit_code=2)
    assert "gave no outcome with a passage that an article has." in refused.stderr


def test_what_was_sent_and_answered_is_one_command_a_year_later(
    forecasts: Run, captured: None, stub: Stub, clock: Clock
) -> None:
    forecasts("draft", "1")
    clock("2027-01-05T12:00:00Z")
    assert "questions, article 1: 1,000 tokens" in forecasts("model", "calls").stdout
    said = forecasts("model", "call", "1").stdout
    assert "The council will decide" in said
    assert '"prompt_tokens": 900' in said
    assert "s3cret" not in said
    assert "You have no call 7" in forecasts.refused("model", "call", "7")
    shown = forecasts("model", "show").stdout
    assert "key: set" in shown
    assert "today: 0 calls, 0 of 200,000 tokens" in shown


def test_a_model_that_cannot_answer_is_one_sentence_and_is_listed(
    forecasts: Run, captured: None, stub: Stub
) -> None:
    stub.answer = sends(b"", 429, Retry_After="30")
    failed = forecasts("draft", "1", exit_code=2)
    assert "is busy (HTTP status 429).\nTry again in 30 seconds." in failed.stderr
    assert (
        "is busy (HTTP status 429). Try again in 30 seconds. (0 tokens"
        in forecasts("model", "calls").stdout
    )
    assert forecasts("questions").exit_code == 0


def test_without_a_model_nothing_is_sent_and_the_commands_say_so(
    forecasts: Run, captured: None
) -> None:
    assert "No model is set, so nothing is sent." in forecasts("model", "show").stdout
    assert forecasts.printed("model", "show") is None
    for words in (("draft", "1"), ("model", "preview", "1")):
        assert "No language model is set, so nothing was sent." in forecasts.refused(*words)
    for words in ("calls", "accounts"):
        assert "No calls of a model yet." in forecasts("model", words).stderr


def test_without_a_model_no_command_loads_its_code_or_connects(forecasts: Run) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2999-12-31", "--slug", "rain")
    program = """
import socket, sys
asked = []
connect = socket.socket.connect
def seen(self, address):
    if self.family != socket.AF_UNIX:
        asked.append(address)
    return connect(self, address)
socket.socket.connect = seen
from forecasts.cli.main import app
for words in (["questions"], ["show", "rain"], ["update", "rain", "30%"], ["today"], ["articles"],
              ["inbox"], ["run"]):
    app(words, standalone_mode=False)
print("loaded", *(name for name in sys.modules if name.startswith("forecasts.proposals")))
print("asked", *asked)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-2:] == ["loaded", "asked"], done.stderr


def test_a_model_is_tried_on_ones_own_past_questions(
    forecasts: Run, stub: Stub, clock: Clock
) -> None:
    for slug, last in (("ferry", "2026-02-10"), ("quay", "2026-02-11"), ("pier", "2027-03-31")):
        forecasts("ask", f"Will the {slug} open?", "--closes", last, "--slug", slug)
        forecasts("update", slug, "40%")
    assert (
        "has not been tried on a question of yours" in forecasts("model", "try", exit_code=2).stderr
    )
    clock("2026-02-20T12:00:00Z")
    for slug in ("ferry", "quay"):
        forecasts("resolve", slug, "no", "--known-at", "2026-02-12")
    stub.answer = says(REASONED | {"evidence_for": [], "evidence_against": [], "forecast": "20%"})
    refused = forecasts.refused("model", "try")
    assert f"Ask {MODEL} 2 times (at most " in refused
    assert "Add --yes." in refused
    assert stub.requests == []
    first = forecasts("model", "try", "--yes", "--most", "1")
    assert len(stub.requests) == 1
    assert "It may know outcomes from its training; 1 question tried." in first.stderr
    both = forecasts.printed("model", "try", "--yes")
    assert len(stub.requests) == 2
    assert {one["name"] for one in both["groups"]} == {MODEL, "alice"}
    [pair] = both["pairs"]
    assert (pair["shared_questions"], pair["better"]) == (2, None)
    assert MODEL not in json.dumps(forecasts.printed("show", "ferry"))  # no forecast of a bot
    assert "Left out: 2 questions tried already." in forecasts("model", "try").stderr
    assert len(stub.requests) == 2


def test_a_trial_ends_after_three_failures_and_goes_on_later(
    forecasts: Run, stub: Stub, clock: Clock
) -> None:
    for number in range(5):
        forecasts(
            "ask", f"Will quay {number} open?", "--closes", "2026-02-10", "--slug", f"q{number}"
        )
        forecasts("update", f"q{number}", "40%")
    clock("2026-02-20T12:00:00Z")
    stub.answer = sends(b"", 503)
    said = forecasts("model", "try", "--yes", exit_code=2).stderr
    assert len(stub.requests) == 3
    assert "q0: 127.0.0.1:" in said
    assert "0 of 5 answered. To go on: forecasts model try" in said
