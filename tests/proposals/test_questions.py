"""Questions from an article: proposed by a model, checked, and decided by a person."""

from __future__ import annotations

import json
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from sqlmodel import select

from forecasts.access import roles, teams, tokens
from forecasts.access.members import find_member, member_named
from forecasts.common.errors import Forbidden, NotFound, Refused
from forecasts.ledger import database
from forecasts.ledger.models import (
    AnswerState,
    Decision,
    Forecast,
    Member,
    MemberKind,
    ModelAnswer,
    ModelCall,
    ModelDecision,
    ModelProposal,
    Question,
    Role,
)
from forecasts.ledger.verification import verify
from forecasts.operations import privacy
from forecasts.proposals import calls, decisions
from forecasts.proposals.endpoint import Endpoint, Unanswered
from forecasts.proposals.kinds import Wanted
from forecasts.questions import discards, passages
from forecasts.questions.registry import question_text
from forecasts.questions.standing import current_state
from forecasts.values.value import Value
from forecasts.views.proposals import proposals
from tests.conftest import ask, day, on_both
from tests.proposals.conftest import FERRY, NOW, TEXT, Desk
from tests.proposals.stub import MODEL, Stub, says


def proposed(*questions: dict[str, Any]) -> Any:
    return says({"questions": list(questions)})


def about(member: Member, desk: Desk) -> calls.Subject:
    return calls.Subject(member, "questions", article=desk.article)


def open_drafts(desk: Desk) -> list[decisions.Listed]:
    with desk.acting() as (session, member, _):
        return decisions.listing(session, member)


def accept(desk: Desk, number: int, value: Value | None = None, **changed: Any) -> str:
    """Return the ID of the question that alice asks from a proposal."""
    with desk.acting() as (session, member, now):
        draft, _ = decisions.draft_of(session, number, member)
        fields = {
            "title": draft.question,
            **draft.type_fields,
            "resolution_criteria": draft.criteria,
            "fine_print": draft.fine_print,
            "open_time": now,
            "scheduled_close_time": day(89.9),
        }
        text = question_text(**fields | changed)
        asked = decisions.accept(session, number, text, value, member=member, now=now)
        return asked.question.slug


@on_both
def test_a_proposal_is_stored_with_its_call_and_asks_nothing_by_itself(
    desk: Desk, stub: Stub
) -> None:
    stub.answer = proposed(FERRY)
    asked = desk.ask(stub, price_in=1, price_out=10)
    assert (len(asked.proposals), asked.misquoted, asked.unusable) == (1, 0, 0)
    [listed] = open_drafts(desk)
    draft = listed.draft
    assert (draft.question, draft.model, draft.number) == (
        FERRY["title"],
        MODEL,
        asked.proposals[0],
    )
    assert draft.close_date is not None
    assert draft.close_date.isoformat() == "2026-03-31"
    assert TEXT[draft.start : draft.end] == FERRY["quotation"]
    assert draft.criteria == f"{FERRY['criteria']}\n\nSource: {FERRY['source']}"
    assert draft.fine_print == FERRY["edge_cases"]
    with desk.acting() as (session, _, _):
        [call] = session.exec(select(ModelCall))
        [answer] = session.exec(select(ModelAnswer))
        assert (call.kind, call.article_id, call.model) == ("questions", desk.article, MODEL)
        assert call.host == stub.url.removeprefix("http://")
        assert (answer.state, answer.tokens_in, answer.tokens_out) == ("answered", 900, 100)
        assert answer.cost == pytest.approx(0.0019)
        assert member_named(session, MODEL).kind == MemberKind.bot
        assert session.get_one(ModelProposal, draft.number).member_id == call.member_id
        assert session.exec(select(Question)).all() == []
        assert verify(session).broken is None
    assert stub.elsewhere == []


def test_the_request_has_the_article_in_its_part_and_no_other_question(
    desk: Desk, stub: Stub
) -> None:
    with desk.acting() as (session, member, _):
        ask(session, member, title="Will the secret merger close?", slug="merger")
        shown = calls.preview(
            session, stub.endpoint(), Wanted("questions", article=desk.article), now=NOW
        )
    desk.ask(stub)
    [sent] = stub.requests
    system, user = (one["content"] for one in sent["messages"])
    assert TEXT.partition("\n")[0] in user
    assert TEXT.partition("\n")[0] not in system
    assert user.startswith("<data>\n{")
    assert user.endswith("}\n</data>")
    assert "merger" not in str(sent)
    with desk.acting() as (session, _, _):
        [call] = session.exec(select(ModelCall))
        assert call.request == shown  # as the preview said


@pytest.mark.parametrize(
    "changed",
    [
        {"quotation": "The council will decide by the end of April 2026."},
        {"quotation": FERRY["quotation"].replace("council", "Council")},
        {"quotation": ""},
    ],
)
def test_a_quotation_that_is_not_in_the_source_drops_its_proposal(
    desk: Desk, stub: Stub, changed: dict[str, Any]
) -> None:
    stub.answer = proposed(FERRY | changed, FERRY)
    asked = desk.ask(stub)
    assert (len(asked.proposals), asked.misquoted) == (1, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"close": "2025-12-31"},  # it has passed
        {"close": "soon"},
        {"close": "0000-99-99"},
        {"title": "The ferry is replaced"},
        {"title": " ?"},
        {"type": "multiple_choice", "options": ["A bridge"]},
        {"type": "multiple_choice", "options": ["Bridge", "bridge"]},
        {"type": "numeric", "lower_bound": "1", "upper_bound": "many"},
        {"type": "numeric", "lower_bound": "", "upper_bound": "10"},
    ],
)
def test_a_proposal_that_could_not_be_asked_is_dropped_and_counted(
    desk: Desk, stub: Stub, changed: dict[str, Any]
) -> None:
    stub.answer = proposed(FERRY | changed)
    asked = desk.ask(stub)
    assert (asked.proposals, asked.unusable + asked.misquoted) == ((), 1)


def test_types_with_options_and_bounds_are_read_by_our_parsers(desk: Desk, stub: Stub) -> None:
    stub.answer = proposed(
        FERRY | {"title": "Which?", "type": "multiple_choice", "options": ["A bridge", "Other"]},
        FERRY | {"title": "How many cars?", "type": "numeric", "lower_bound": "0",
                 "upper_bound": "900", "unit": "cars"},
        FERRY | {"title": "When?", "type": "date", "lower_bound": "2026-02-01",
                 "upper_bound": "2026-12-31", "close": "31 March 2026"},
        FERRY | {"title": "WHEN?"},
    )  # fmt: skip
    asked = desk.ask(stub)
    assert (len(asked.proposals), asked.unusable) == (3, 1)  # a title repeated is dropped
    choice, number, when = (one.draft for one in open_drafts(desk))
    assert choice.options == ("A bridge", "Other")
    assert (number.lower_bound, number.upper_bound, number.unit) == ("0", "900", "cars")
    assert (when.kind, str(when.close_date)) == ("date", "2026-03-31")


def test_an_answer_in_another_form_is_asked_for_once_more_with_the_fault(
    desk: Desk, stub: Stub
) -> None:
    stub.replies(says("Here are your questions!"), proposed(FERRY))
    assert len(desk.ask(stub).proposals) == 1
    first, second = stub.requests
    assert [one["role"] for one in second["messages"]] == ["system", "user", "assistant", "user"]
    assert second["messages"][:2] == first["messages"]
    assert "it is not one JSON document" in second["messages"][-1]["content"]
    with desk.acting() as (session, _, _):
        states = session.exec(select(ModelAnswer.state)).all()
        assert list(states) == [AnswerState.unusable, AnswerState.answered]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("nothing", "it is not one JSON document"),
        ("\ud800", "it is not one JSON document"),
        ({}, "questions: Field required"),
        (
            {"questions": [FERRY | {"act": "resolve"}]},
            "questions.0: Extra inputs are not permitted",
        ),
        ({"questions": [FERRY] * 6}, "List should have at most 5 items"),
        ({"questions": [FERRY | {"title": "x" * 301}]}, "at most 300 characters"),
        (
            {"questions": [FERRY | {"close": 20260331}]},
            "questions.0.close: Input should be a valid",
        ),
        ({"questions": [FERRY | {"criteria": "\ud800"}]}, "questions.0.criteria: Input should be"),
        ({"questions": [FERRY | {"criteria": "\0"}]}, "it contains NUL"),
    ],
)
def test_an_answer_that_stays_in_another_form_is_a_plain_sentence(
    desk: Desk, stub: Stub, content: Any, words: str
) -> None:
    stub.answer = says(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(Unanswered, match=f"did not answer in the form asked for: .*{words}"):
        desk.ask(stub)
    assert len(stub.requests) == 2
    assert open_drafts(desk) == []


def test_a_failed_call_is_kept_with_its_reason(desk: Desk, stub: Stub) -> None:
    stub.answer = stub.hangs
    with pytest.raises(Unanswered):
        desk.ask(stub, seconds=0.2, price_out=1)
    with desk.acting() as (session, member, _):
        [(call, answer)] = calls.listing(session, member, now=NOW)
        assert answer is not None
        # It can have been answered after that, and charged.
        assert (answer.state, answer.tokens_out, answer.cost) == ("failed", 4_000, 0.004)
        assert answer.tokens_in + answer.tokens_out == call.most_tokens
        assert "did not answer within 0.2 seconds" in answer.reason
        assert call.request != ""
        assert calls.last_answer(session, about(member, desk)) == answer


def test_an_endpoint_that_was_not_reached_used_nothing(desk: Desk, stub: Stub) -> None:
    gone = Endpoint("http://127.0.0.1:1/v1", MODEL, price_in=1)
    with pytest.raises(Unanswered, match="cannot be reached"):
        desk.asks(gone, Wanted("questions", article=desk.article))
    with desk.acting() as (session, member, _):
        [(_, answer)] = calls.listing(session, member, now=NOW)
        assert answer is not None
        assert (answer.tokens_in, answer.tokens_out, answer.cost) == (0, 0, 0)


def test_a_refusal_costs_what_the_server_says(desk: Desk, stub: Stub) -> None:
    stub.answer = says("", choices=[{"message": {"content": None, "refusal": "I cannot."}}])
    with pytest.raises(Unanswered, match="refuses"):
        desk.ask(stub, price_in=1, price_out=100)
    with desk.acting() as (session, member, _):
        [(_, answer)] = calls.listing(session, member, now=NOW)
        assert answer is not None
        assert (answer.tokens_in, answer.tokens_out) == (900, 100)
        assert answer.cost == pytest.approx((900 + 100 * 100) / 1e6)


def test_a_call_is_written_before_it_is_sent_and_one_that_was_killed_counts_as_the_most(
    desk: Desk, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def killed(*_: Any) -> Any:
        with database.reading(desk.engine) as session:
            seen.append(len(session.exec(select(ModelCall)).all()))
        raise KeyboardInterrupt

    monkeypatch.setattr(calls, "send", killed)
    with pytest.raises(KeyboardInterrupt):
        desk.ask(stub)
    assert seen == [1]
    with desk.acting() as (session, member, now):
        [(call, answer)] = calls.listing(session, member, now=NOW)
        assert answer is not None
        assert answer.reason == "The call was cancelled."
        lost = ModelCall(**call.model_dump(exclude={"id"}))
        session.add(lost)
        session.flush()
        used = calls.used_today(session, stub.endpoint(price_out=1), now=now)
        assert used.calls == 2
        assert used.tokens == 2 * call.most_tokens
        assert used.cost == pytest.approx(call.most_tokens / 1e6)
        assert calls.waiting(session, about(member, desk), since=NOW) == lost
        assert calls.waiting(session, about(member, desk), since=day(5)) is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tokens": 4_000}, r"has used 0 of its 4,000 tokens of today, and this could take 5,"),
        ({"cost": 0.01, "price_out": 10}, r"has cost 0 of 0\.01 today, and this could cost 0\.04"),
    ],
)
def test_nothing_is_sent_beyond_the_budget_of_the_day(
    desk: Desk, stub: Stub, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        desk.ask(stub, **settings)
    assert stub.requests == []


def test_what_was_used_counts_until_midnight(desk: Desk, stub: Stub) -> None:
    desk.ask(stub)
    with pytest.raises(Refused, match="has used 1,000 of its 6,000 tokens"):
        desk.ask(stub, tokens=6_000)
    with desk.acting() as (session, _, _):
        assert calls.used_today(session, stub.endpoint(), now=day(5)).tokens == 0


def test_only_those_named_may_ask_the_model(desk: Desk, stub: Stub) -> None:
    with desk.acting() as (session, member, now):
        roles.ensure_admin(session, member, now=now)
    desk.ask(stub, callers=("carol",))  # an admin may
    desk.handle = "bob"
    for callers in (("bob",), ("forecaster",), ()):
        desk.ask(stub, callers=callers)
    for callers in (("carol",), ("resolver",), ("carol", "admin")):
        with pytest.raises(Forbidden, match="bob may not ask the model here"):
            desk.ask(stub, callers=callers)
    desk.handle = "alice"
    with desk.acting() as (session, member, now):
        bob = member_named(session, "bob")
        teams.appoint(session, bob, Role.viewer, member=member, now=now)
    desk.handle = "bob"
    with pytest.raises(Forbidden):
        desk.ask(stub, callers=("bob",))
    assert len(stub.requests) == 4


def test_a_person_with_the_models_name_is_not_taken_for_it(desk: Desk, stub: Stub) -> None:
    desk.handle = MODEL
    with pytest.raises(Refused, match="A person in this ledger has the name 'stub-small'"):
        desk.ask(stub)
    assert stub.requests == []


@on_both
def test_an_accepted_proposal_is_the_members_own_question(desk: Desk, stub: Stub) -> None:
    stub.answer = proposed(FERRY)
    [number] = desk.ask(stub).proposals
    slug = accept(desk, number, Value(0.3))
    assert open_drafts(desk) == []
    with desk.acting() as (session, member, now):
        question = session.exec(select(Question).where(Question.slug == slug)).one()
        assert question.member_id == member.id
        state = current_state(session, question, now=now)
        assert state.text.fine_print == FERRY["edge_cases"]
        [(source, article)] = passages.sources(session, question)
        assert (article.id, source.quote) == (desk.article, FERRY["quotation"])
        [decision] = session.exec(select(ModelDecision))
        assert (decision.decision, decision.made_question_id) == ("accepted", question.id)
        [forecast] = session.exec(select(Forecast))
        assert forecast.member_id == member.id
        assert verify(session).broken is None
    with pytest.raises(Refused, match=f"Proposal {number} has been accepted already"):
        accept(desk, number, title="Another?")


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "Will the ferry be replaced by 31 March 2026?"},
        {"resolution_criteria": "Yes if the mayor says so."},
        {"fine_print": ""},
        {"scheduled_close_time": day(60)},
    ],
)
def test_a_changed_proposal_is_told_from_an_accepted_one(
    desk: Desk, stub: Stub, changed: dict[str, Any]
) -> None:
    stub.answer = proposed(FERRY)
    [number] = desk.ask(stub).proposals
    accept(desk, number, **changed)
    with desk.acting() as (session, _, _):
        assert session.exec(select(ModelDecision.decision)).one() == Decision.changed


def test_a_dismissal_can_be_taken_back_and_a_discarded_question_reopens_its_proposal(
    desk: Desk, stub: Stub
) -> None:
    stub.answer = proposed(FERRY)
    [number] = desk.ask(stub).proposals
    with desk.acting() as (session, member, now):
        decisions.dismiss(session, number, member=member, now=now)
        assert decisions.listing(session, member) == []
        [one] = decisions.listing(session, member, decided=True)
        assert one.decision == "dismissed"
        with pytest.raises(Refused, match="has been dismissed already"):
            decisions.dismiss(session, number, member=member, now=now)
        decisions.reopen(session, number, member=member, now=now)
        assert len(decisions.listing(session, member)) == 1
        with pytest.raises(Refused, match="is not dismissed"):
            decisions.reopen(session, number, member=member, now=now)
    slug = accept(desk, number)
    with desk.acting() as (session, member, now):
        question = session.exec(select(Question).where(Question.slug == slug)).one()
        discards.discard(session, question, member=member, now=now)
        assert len(decisions.listing(session, member)) == 1


def test_calls_and_proposals_are_those_of_the_one_who_asked(desk: Desk, stub: Stub) -> None:
    stub.answer = proposed(FERRY)
    with desk.acting() as (session, member, now):
        roles.ensure_admin(session, member, now=now)
    desk.handle = "bob"
    asked = desk.ask(stub)
    desk.handle = "carol"
    with desk.acting() as (session, carol, now):
        assert decisions.listing(session, carol) == []
        assert calls.listing(session, carol, now=now) == []
        with pytest.raises(NotFound):
            calls.find_call(session, asked.call, carol, now=now)
        with pytest.raises(NotFound):
            decisions.dismiss(session, asked.proposals[0], member=carol, now=now)
    desk.handle = "alice"
    with desk.acting() as (session, alice, now):  # an admin sees the calls, and decides nothing
        assert len(calls.listing(session, alice, now=now)) == 1
        with pytest.raises(NotFound):
            decisions.dismiss(session, asked.proposals[0], member=alice, now=now)


@on_both
def test_the_texts_go_with_their_member_and_the_hash_and_the_figures_stay(
    desk: Desk, stub: Stub
) -> None:
    stub.answer = proposed(FERRY)
    desk.handle = "bob"
    desk.ask(stub)
    with database.writing(desk.engine) as session:
        privacy.remove(session, "bob", member=None, now=NOW)
    with database.reading(desk.engine) as session:
        [call] = session.exec(select(ModelCall))
        [answer] = session.exec(select(ModelAnswer))
        [proposal] = session.exec(select(ModelProposal))
        assert {call.request, answer.answer, proposal.content} == {"[removed]"}
        assert len(call.prompt_hash) == 64
        assert (answer.tokens_in, answer.tokens_out) == (900, 100)
        assert verify(session).broken is None
        bob = member_named(session, "removed member 2")
        assert decisions.listing(session, bob) == []


@on_both
@pytest.mark.parametrize("said", [{"questions": [FERRY]}, "Alice lives in Brenholt."])
def test_nothing_that_comes_for_a_removed_member_is_kept(desk: Desk, stub: Stub, said: Any) -> None:
    desk.handle = "bob"

    def late(request: BaseHTTPRequestHandler) -> None:
        with database.writing(desk.engine) as session:
            privacy.remove(session, "bob", member=None, now=NOW)
        says(said)(request)

    stub.answer = late
    with suppress(Unanswered):
        assert desk.ask(stub).proposals == ()
    assert len(stub.requests) == 1  # no repair either
    with database.reading(desk.engine) as session:
        [call] = session.exec(select(ModelCall))
        [answer] = session.exec(select(ModelAnswer))
        assert (call.request, answer.answer) == ("[removed]", "")
        assert (answer.tokens_in, answer.tokens_out) == (900, 100)
        assert session.exec(select(ModelProposal)).all() == []
        assert find_member(session, "bob") is None
        assert verify(session).broken is None


def test_the_bot_of_somebody_else_is_not_taken_for_the_model(desk: Desk, stub: Stub) -> None:
    with desk.acting() as (session, alice, now):
        tokens.create(session, MODEL, owner=alice, member=None, now=now)
    desk.ask(stub)
    desk.handle = "bob"
    with pytest.raises(Refused, match=f"'{MODEL}' is the bot of alice, whose forecasts yours"):
        desk.ask(stub)
    assert len(stub.requests) == 1


def test_an_article_without_text_is_not_sent(desk: Desk, stub: Stub) -> None:
    number = desk.capture("", url="https://example.org/a")
    with pytest.raises(Refused, match="has no text to send"):
        desk.ask(stub, number)
    assert stub.requests == []


def test_an_outcome_that_the_article_tells_and_a_question_like_it_are_shown(
    desk: Desk, stub: Stub
) -> None:
    with desk.acting() as (session, member, _):
        ask(session, member, title=FERRY["title"], slug="ferry", scheduled_close_time=day(89.9))
    stub.answer = proposed(FERRY)
    desk.ask(stub)
    with desk.acting() as (session, member, now):
        [one] = proposals(session, decisions.listing(session, member), now=now)
    assert one.like == "ferry"
