"""Groups, conditionals and links over the API, as far as the caller sees their questions."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from forecasts.access import tokens
from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import LinkKind, Visibility
from forecasts.questions.conditions import register_conditional
from forecasts.questions.groups import add_to_group
from forecasts.questions.links import link
from forecasts.questions.registry import find, newest_wording
from forecasts.questions.revisions import reworded
from tests.conftest import ask, day

V1 = "/api/v1"
GROUP: dict[str, Any] = {
    "title": "Will Brenholt open its bridge?",
    "kind": "nested",
    "criteria": "As the minutes say.",
    "id": "bridge",
    "members": [
        {"label": "March 2026", "forecast": {"probability": 0.3, "rationale": "Ice."}},
        {"label": "June 2026", "forecast": {"probability": 0.2}},
        {"label": "then", "closes": "2026-12-31"},
    ],
}
JUNE = 0.2
MARCH = "will-brenholt-open-its-bridge-march-2026"


def test_a_group_is_asked_changed_and_read_back(api: TestClient) -> None:
    made = api.post(f"{V1}/groups", json=GROUP)
    assert made.status_code == 201, made.text
    march, june, then = made.json()["members"]
    assert (march["label"], march["forecast"]["probability"]) == ("March 2026", 0.3)
    assert then["close_time"].startswith("2026-12-31T23:59:59")
    assert api.get(f"{V1}/groups/bridge").json() == made.json()
    assert api.get(f"{V1}/groups").json() == {"groups": [made.json()], "next": None}
    place = api.get(f"{V1}/questions/{june['question']}").json()["group"]
    assert (place["id"], place["label"]) == ("bridge", "June 2026")
    [found] = api.get(f"{V1}/coherence").json()["contradictions"]
    assert [(one["said"], one["coherent"]) for one in found["moves"]] == [(0.3, 0.25), (0.2, 0.25)]
    only = api.get(f"{V1}/coherence", params={"question": then["question"]})
    assert only.json() == {"contradictions": []}
    changed = api.patch(f"{V1}/groups/bridge", json={"kind": "independent"})
    assert changed.json()["kind"] == "independent"
    left = api.post(f"{V1}/questions/{june['question']}/leave-group")
    assert left.json()["group"] is None
    added = {"question": june["question"], "label": "June", "before": march["question"]}
    again = api.post(f"{V1}/groups/bridge/add", json=added).json()
    assert [one["label"] for one in again["members"]] == ["June", "March 2026", "then"]
    wrong = GROUP | {"members": [{"label": "a", "forecast": {"probability": 7}}], "closes": "May"}
    refused = api.post(f"{V1}/groups", json=wrong).json()
    assert refused["problems"][0]["place"] == "body.members.0.forecast.probability"


def test_a_conditional_and_links_are_made_and_read_back(api: TestClient) -> None:
    api.post(f"{V1}/groups", json=GROUP)
    parent = "will-brenholt-open-its-bridge-june-2026"
    body = {
        "title": "Will tolls rise?",
        "closes": "2026-06-30",
        "criteria": "So.",
        "outcomes": [{"outcome": "yes", "forecast": {"probability": 0.6}}, {"outcome": "no"}],
    }
    made = api.post(f"{V1}/questions/{parent}/conditional", json=body)
    assert made.status_code == 201, made.text
    yes, no = made.json()["branches"]
    assert (yes["condition"], yes["forecast"]["probability"], no["forecast"]) == ("yes", 0.6, None)
    assert api.get(f"{V1}/questions/{parent}/conditional").json() == made.json()
    assert made.json()["implied"] == [
        {"title": "Will tolls rise?", "both": {"yes": pytest.approx(JUNE * 0.6)}, "total": None}
    ]
    said = api.post(f"{V1}/questions/{no['question']}/forecasts", json={"probability": 0.1})
    assert said.status_code == 201, said.text
    [whole] = api.get(f"{V1}/questions/{parent}/conditional").json()["implied"]
    assert whole["both"]["no"] == pytest.approx((1 - JUNE) * 0.1)
    assert whole["total"] == pytest.approx(JUNE * 0.6 + (1 - JUNE) * 0.1)
    shown = api.get(f"{V1}/questions/{no['question']}").json()
    assert shown["condition"]["outcome"] == "no"
    sent = {"other": no["question"], "kind": "causes", "reason": "Costs."}
    made = api.post(f"{V1}/questions/{parent}/link", json=sent).json()
    assert api.get(f"{V1}/questions/{parent}").json()["links"] == [made]
    ends = {"other": no["question"], "kind": "causes"}
    assert api.post(f"{V1}/questions/{parent}/unlink", json=ends).status_code == 201
    assert api.get(f"{V1}/questions/{parent}").json()["links"] == []


def test_nothing_tells_of_a_question_that_the_caller_may_not_see(
    client: TestClient, engine: Engine
) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        by: dict[str, Any] = {"member": alice, "now": day(0.5)}
        seen = ask(session, alice, slug="seen", title="Will it rain?")
        secret = {"visibility": Visibility.author, "title": "Will the secret out?"}
        hidden = ask(session, alice, slug="hidden", **secret)
        text = reworded(newest_wording(session, seen), title="If so?", visibility=Visibility.author)
        register_conditional(session, seen, text, **by)
        link(session, seen, hidden, LinkKind.implies, reason="secret", **by)
        bob = member_or_new(session, "bob", now=day(0.5))
        secret_of_bob = tokens.create(session, "bot", owner=bob, **by | {"member": None}).secret
    stranger = {"Authorization": f"Bearer {secret_of_bob}"}
    shared = client.post(f"{V1}/groups", json=GROUP, headers=stranger)
    assert shared.status_code == 201, shared.text
    with database.writing(engine) as session:
        hidden, first = find(session, "hidden"), find(session, MARCH)
        place: dict[str, Any] = {"before": first, "member": alice, "now": day(1.1)}
        assert len(add_to_group(session, "bridge", hidden, "secret", **place).members) == 4
    for path in ("groups", "groups/bridge", "questions/seen", "questions/seen/conditional"):
        found = client.get(f"{V1}/{path}", headers=stranger)
        assert found.status_code == 200, found.text
        assert "secret" not in found.text, path
        assert "hidden" not in found.text.replace("crowd_hidden", ""), path
    shown = client.get(f"{V1}/questions/seen", headers=stranger).json()
    assert (shown["branches"], shown["links"]) == ([], [])
