"""Groups, conditionals and links in the façade's shapes; ``real_client`` has the client's calls."""

from __future__ import annotations

from typing import Any

import pytest

from forecasts.api.metaculus.posts import CONDITIONALS, GROUPS
from forecasts.ledger.models import GroupKind, LinkKind, QuestionText
from forecasts.questions import links, revisions
from forecasts.questions.conditions import register_conditional
from forecasts.questions.groups import NewPlace, register_group
from forecasts.questions.registry import question_text
from tests.api.metaculus.conftest import Arena
from tests.conftest import acting, ask, day, resolve

pytestmark = pytest.mark.slow


def wording(title: str, **fields: Any) -> QuestionText:
    text = {
        "open_time": day(0),
        "scheduled_close_time": day(10),
        "resolution_criteria": "As the gazette says.",
    }
    return question_text(title=title, **text | fields)


def furnish_group(arena: Arena, **fields: Any) -> tuple[int, list[int]]:
    """Return the number of the post of a group by alice, and those of its members."""
    with acting(arena.engine, "a-binary-one") as (session, _, alice):
        members = [
            NewPlace(name, wording(f"Rain by {name}?", **fields)) for name in ("May", "June")
        ]
        group = register_group(
            session, "Rain?", members, kind=GroupKind.nested, member=alice, now=day(1)
        )
        return GROUPS + group.id, [one.state.id for one in group.members]


def furnish_branches(arena: Arena, parent: str, **fields: Any) -> list[int]:
    """Return the numbers of the branches of a conditional by alice."""
    outcomes = fields.pop("outcomes", None)
    with acting(arena.engine, parent) as (session, question, alice):
        text = wording("Will tariffs fall?", **fields)
        by = {"member": alice, "now": day(1)}
        found = register_conditional(session, question, text, outcomes, **by)
        return [one.state.id for one in found]


def asked(arena: Arena, **fields: Any) -> list[Any]:
    kinds = ["binary", "group_of_questions", "conditional"]
    return list(arena.bot.get("/posts/", forecast_type=kinds, **fields)["results"])


def hide(arena: Arena, number: int) -> None:
    """Let only alice see a question from now on."""
    with acting(arena.engine, str(number)) as (session, question, alice):
        revisions.revise(session, question, visibility="author", member=alice, now=day(1))


def test_a_group_is_one_post_where_groups_are_asked_for(arena: Arena) -> None:
    number, members = furnish_group(arena)
    assert [post["id"] for post in arena.bot.get("/posts/", limit=2)["results"]] == members[::-1]
    group, single = asked(arena)
    assert (group["id"], single["id"]) == (number, arena.numbers["binary"])
    assert (group["title"], "question" in group) == ("Rain?", False)
    inside = group["group_of_questions"]
    assert (inside["kind"], inside["id"]) == ("nested", number)
    assert inside["resolution_criteria"] == "As the gazette says."
    shown = [(one["id"], one["label"], one["post_id"]) for one in inside["questions"]]
    assert shown == [(members[0], "May", number), (members[1], "June", number)]
    assert arena.bot.get(f"/posts/{number}/") == group
    assert arena.bot.client.get(f"/posts/{number + 1}/").status_code == 404


def test_a_family_without_a_group_is_separate_questions(arena: Arena) -> None:
    for name in ("May", "June"):
        arena.ask(title=f"Rain in {name}?", family="rain")
    assert ["question" in post for post in asked(arena)] == [True] * 3


def test_texts_that_differ_are_labelled_since_the_client_shows_the_groups(arena: Arena) -> None:
    number, [_, june] = furnish_group(arena)
    with acting(arena.engine, str(june)) as (session, question, alice):
        by = {"member": alice, "now": day(1)}
        revisions.revise(session, question, resolution_criteria="As the mayor says.", **by)
    inside = arena.bot.get(f"/posts/{number}/")["group_of_questions"]
    assert inside["resolution_criteria"] == "May: As the gazette says.\n\nJune: As the mayor says."


def test_a_group_is_closed_and_resolved_once_each_of_its_questions_is(arena: Arena) -> None:
    number, members = furnish_group(arena, scheduled_close_time=day(8))
    for now, status, closed in ((6, "open", None), (9, "closed", "2026-01-09T00:00:00Z")):
        arena.clock.time = day(now)
        group = arena.bot.get(f"/posts/{number}/")
        assert (group["status"], group["actual_close_time"]) == (status, closed)
    for member, resolved in zip(members[::-1], (None, "2026-01-10T00:00:00Z"), strict=True):
        with acting(arena.engine, str(member)) as (session, question, alice):
            resolve(session, question, alice, "no", at=9)
        group = arena.bot.get(f"/posts/{number}/")
        assert group["actual_resolve_time"] == resolved


def test_a_comment_on_a_group_is_about_the_question_forecast_last(arena: Arena) -> None:
    number, members = furnish_group(arena)
    for member in members[::-1]:
        [made] = arena.bot.post(
            "/questions/forecast/", [{"question": member, "probability_yes": 0.5}]
        )
        arena.clock.pass_(minutes=1)
        comment = {"on_post": number, "text": "So.", "included_forecast": True}
        assert arena.bot.post("/comments/create/", comment)["forecast_id"] == made["id"]
    assert arena.bot.get("/comments/", post=number)["count"] == 2
    assert arena.bot.get("/comments/", post=members[0])["count"] == 1


def test_a_group_without_a_hidden_member_does_not_show_it(arena: Arena) -> None:
    number, [may, june] = furnish_group(arena)
    hide(arena, may)
    assert "Rain by May?" not in str(asked(arena))
    [shown] = arena.bot.get(f"/posts/{number}/")["group_of_questions"]["questions"]
    assert shown["id"] == june
    hide(arena, june)
    assert arena.bot.client.get(f"/posts/{number}/").status_code == 404
    assert arena.alice.client.get(f"/posts/{number}/").status_code == 200


def test_a_conditional_has_its_parent_and_both_branches(arena: Arena) -> None:
    yes, no = furnish_branches(arena, "a-binary-one")
    number = CONDITIONALS + yes
    separate = arena.bot.get("/posts/", forecast_type="binary")["results"]
    assert [post["id"] for post in separate] == [no, yes, arena.numbers["binary"]]
    post = asked(arena)[0]
    assert (post["id"], post["title"], post["status"]) == (number, "Will tariffs fall?", "open")
    inside = post["conditional"]
    assert inside["condition"] == arena.bot.question(arena.numbers["binary"])
    assert [inside[f"question_{one}"]["id"] for one in ("yes", "no")] == [yes, no]
    child = inside["condition_child"]
    assert (child["id"], child["title"], child["type"]) == (number, post["title"], "binary")
    on_child = [{"question": number, "probability_yes": 0.5}]
    arena.bot.post("/questions/forecast/", on_child, status=404)
    assert arena.bot.get(f"/posts/{number}/") == post
    assert arena.bot.client.get(f"/posts/{CONDITIONALS + no}/").status_code == 404


def test_the_living_branch_is_scored_and_the_other_annulled(arena: Arena) -> None:
    yes, no = furnish_branches(arena, "a-binary-one")
    for number in (yes, no):
        sent = [{"question": number, "probability_yes": 0.4}]
        arena.bot.post("/questions/forecast/", sent)
    arena.clock.time = day(12)
    with acting(arena.engine, "a-binary-one") as (session, question, alice):
        resolve(session, question, alice, "no", at=11)
    inside = arena.bot.get(f"/posts/{CONDITIONALS + yes}/")["conditional"]
    assert inside["condition"]["resolution"] == "no"
    assert inside["question_yes"]["resolution"] == "annulled"
    assert inside["condition_child"]["resolution"] is None
    with acting(arena.engine, str(no)) as (session, question, alice):
        resolve(session, question, alice, "yes", at=11)
    post = arena.bot.get(f"/posts/{CONDITIONALS + yes}/")
    assert (post["resolved"], post["conditional"]["condition_child"]["resolution"]) == (True, "yes")
    assert "brier_score" in str(post["conditional"]["question_no"]["my_forecasts"]["score_data"])
    assert post["conditional"]["question_yes"]["my_forecasts"]["score_data"] == {}


def test_branches_of_any_other_parent_are_separate_questions(arena: Arena) -> None:
    options = furnish_branches(arena, "a-multiple-choice-one")
    ranges = furnish_branches(arena, "a-numeric-one", outcomes=["..10", "10.."])
    only = furnish_branches(arena, "a-binary-one", outcomes=["yes"])
    singles = [post["question"]["id"] for post in asked(arena)]
    assert singles == [*only, *ranges[::-1], *options[::-1], arena.numbers["binary"]]


def test_a_conditional_with_a_hidden_branch_or_parent_is_not_shown(arena: Arena) -> None:
    yes, no = furnish_branches(arena, "a-binary-one")
    hide(arena, no)
    assert arena.bot.client.get(f"/posts/{CONDITIONALS + yes}/").status_code == 404
    assert [post["id"] for post in asked(arena)] == [yes, arena.numbers["binary"]]
    assert arena.alice.client.get(f"/posts/{CONDITIONALS + yes}/").status_code == 200


def new_link(one: int, other: int, **fields: Any) -> dict[str, Any]:
    sent = {"question1_id": one, "question2_id": other, "direction": 1, "strength": 2}
    return sent | {"type": "causal"} | fields


def test_links_are_read_as_they_were_sent_and_removed(arena: Arena) -> None:
    one, other = arena.numbers["binary"], arena.numbers["date"]
    sent = [
        new_link(one, other),
        new_link(other, one, strength=5),
        new_link(other, one, direction=-1, strength=1),
    ]
    made = [arena.bot.post("/coherence/links/create/", link) for link in sent]
    assert arena.bot.post("/coherence/links/create/", sent[2]) == made[2]
    for number in (one, other):
        read = arena.bot.get(f"/coherence/question/{number}/links/")
        assert read["size"] == 3
        for link, shown in zip(made, read["data"], strict=True):
            assert link.items() <= shown.items()
            assert shown["question1"] == arena.bot.question(link["question1_id"])
    turned = arena.bot.post("/coherence/links/create/", new_link(one, other, direction=-1))
    assert (turned["question1_id"], turned["strength"]) == (one, 2)
    for link in (made[0], made[1], turned):
        path = f"/coherence/links/{link['id']}/delete/"
        assert [arena.bot.client.delete(path).status_code for _ in range(2)] == [204, 404]
    assert arena.bot.get(f"/coherence/question/{one}/links/") == {"size": 0, "data": []}


def test_each_kind_of_the_ledger_has_the_closest_direction(arena: Arena) -> None:
    with acting(arena.engine, "a-binary-one") as (session, one, alice):
        for number, kind in enumerate(LinkKind):
            other = ask(session, alice, slug=f"other-{number}")
            links.link(session, one, other, kind, strength="certain", member=alice, now=day(1))
    found = arena.bot.get(f"/coherence/question/{arena.numbers['binary']}/links/")["data"]
    assert [one["direction"] for one in found] == [1, -1, 1, 1]
    assert {one["strength"] for one in found} == {5}


def test_a_link_needs_two_questions_that_one_may_see(arena: Arena) -> None:
    one, other = arena.numbers["binary"], arena.numbers["date"]
    made = arena.alice.post("/coherence/links/create/", new_link(one, other))
    assert arena.bot.client.delete(f"/coherence/links/{made['id']}/delete/").status_code == 403
    hide(arena, other)
    assert arena.bot.get(f"/coherence/question/{one}/links/")["data"] == []
    assert arena.bot.client.delete(f"/coherence/links/{made['id']}/delete/").status_code == 404
    for number in (other, 999):
        arena.bot.post("/coherence/links/create/", new_link(one, number), status=404)
        assert arena.bot.client.get(f"/coherence/question/{number}/links/").status_code == 404
    arena.bot.post("/coherence/links/create/", new_link(one, one), status=422)
    for wrong in ({"direction": 0}, {"strength": 3}, {"type": "other"}, {"note": "x"}):
        sent = new_link(one, arena.numbers["numeric"]) | wrong
        arena.bot.post("/coherence/links/create/", sent, status=422)


def test_linked_questions_need_an_update_until_they_have_one(arena: Arena) -> None:
    one, other = arena.numbers["binary"], arena.ask(slug="other")
    link = arena.alice.post("/coherence/links/create/", new_link(one, other))

    def stale(**sent: Any) -> list[Any]:
        path = f"/coherence/question/{one}/links/needs-update/"
        answer = arena.bot.client.request("GET", path, json=sent).json()
        assert all(one["id"] == link["id"] for one in answer["links"])
        return [question["id"] for question in answer["questions"]]

    for number in (other, one):
        assert stale() == []
        arena.bot.post("/questions/forecast/", [{"question": number, "probability_yes": 0.5}])
        arena.clock.pass_(minutes=1)
    assert stale(datetime=day(1).isoformat()) == [other]
    assert stale(user_id_for_links=arena.alice.id) == [other]
    assert stale(user_id_for_links=arena.bot.id) == []
    assert stale(datetime=day(2).isoformat()) == []
    arena.bot.post("/questions/forecast/", [{"question": other, "probability_yes": 0.6}])
    assert stale() == []
