"""The account of a model: its calls, its cost, and the decisions on its proposals."""

from __future__ import annotations

import pytest
from sqlmodel import select

from forecasts.access import roles
from forecasts.ledger.models import ModelCall, PolicyKind, Question
from forecasts.proposals import decisions, model_outcomes
from forecasts.proposals.accounts import Account, accounts
from forecasts.proposals.endpoint import Unanswered
from forecasts.proposals.kinds import Wanted
from forecasts.questions import discards, registry, revisions
from forecasts.resolution import assignments
from forecasts.views.model_accounts import account_lines, model_account
from tests.common.test_web import sends
from tests.conftest import ask, day, on_both, resolve
from tests.proposals.conftest import FERRY, NOW, TEXT, Desk
from tests.proposals.stub import MODEL, Stub, says
from tests.proposals.test_model_outcomes import NONE, VOTED, YES
from tests.proposals.test_questions import accept, proposed

OTHERS = [FERRY | {"title": f"Will there be {many} ferries by 31 March 2026?"} for many in range(4)]


def account(desk: Desk) -> Account:
    with desk.acting() as (session, member, now):
        [one] = accounts(session, member, now=now)
    return one


@on_both
def test_decisions_and_dropped_parts_are_counted_with_the_cost(desk: Desk, stub: Stub) -> None:
    stub.answer = proposed(*OTHERS, FERRY | {"quotation": "It is not in there."})
    numbers = desk.ask(stub, price_in=1, price_out=10).proposals
    accept(desk, numbers[0])
    accept(desk, numbers[1], title="Will the ferry go?")
    with desk.acting() as (session, member, now):
        decisions.dismiss(session, numbers[2], member=member, now=now)
        decisions.dismiss(session, numbers[3], member=member, now=now)
        decisions.reopen(session, numbers[3], member=member, now=now)
    one = account(desk)
    assert (one.model, one.kind, one.calls, one.answered) == (MODEL, "questions", 1, 1)
    assert (one.accepted, one.changed, one.dismissed, one.open) == (1, 1, 1, 1)
    assert (one.proposals, one.misquoted, one.dropped) == (4, 1, 0)
    assert one.tokens == 1_000
    assert one.cost_per_accepted == pytest.approx(0.0019 / 2)
    assert account_lines(model_account(one)) == [
        "1 call, 1,000 tokens, cost 0.0019 (0.00095 for each accepted proposal)",
        "4 proposals: 1 accepted, 1 changed, 1 dismissed, 1 open; 1 dropped with a wrong quotation",
        "accepted 67% (95%: 9% to 97%, 1 article or question, too few to judge)",
    ]


def test_an_article_counts_once_however_many_proposals_it_gave(desk: Desk, stub: Stub) -> None:
    stub.answer = proposed(*OTHERS)
    numbers = desk.ask(stub).proposals
    stub.answer = proposed(FERRY)
    [other] = desk.ask(stub, desk.capture(f"{TEXT} More.")).proposals
    with desk.acting() as (session, member, now):
        for number in numbers:
            decisions.dismiss(session, number, member=member, now=now)
    accept(desk, other)
    taken = account(desk).taken
    assert (taken.groups, taken.mean) == (2, 0.5)


def test_each_end_of_a_call_is_counted(desk: Desk, stub: Stub) -> None:
    stub.replies(says("Here you are!"), sends(b"", 500))
    with pytest.raises(Unanswered):
        desk.ask(stub)
    stub.answer = proposed()
    desk.ask(stub)
    with desk.acting() as (session, _, _):
        lost = session.exec(select(ModelCall)).first()
        assert lost is not None
        session.add(ModelCall(**lost.model_dump(exclude={"id"})))
    one = account(desk)
    assert (one.calls, one.answered, one.unusable, one.failed, one.cut_off) == (4, 1, 1, 1, 1)
    assert (one.proposals, one.cost_per_accepted, one.taken.mean) == (0, None, None)
    assert account_lines(model_account(one)) == [
        f"4 calls, {one.tokens:,} tokens, cost 0; 1 failed; 1 answered in another form; 1 cut off",
        "0 proposals",
    ]


def test_accepted_questions_that_were_annulled_or_reworded_are_counted(
    desk: Desk, stub: Stub
) -> None:
    stub.answer = proposed(*OTHERS)
    slugs = [accept(desk, number) for number in desk.ask(stub).proposals]
    with desk.acting() as (session, alice, _):
        roles.ensure_admin(session, alice, now=NOW)
        annulled, reworded, prolonged, discarded = (
            session.exec(select(Question).where(Question.slug == slug)).one() for slug in slugs
        )
        how = {"member": alice, "now": day(5)}
        resolve(session, annulled, alice, "annulled", known=4.5, at=5)
        for question, fields in (
            (reworded, {"title": "Will the ferry be gone?"}),
            (prolonged, {"scheduled_close_time": day(95)}),
        ):
            revisions.revise(session, question, reason="clearer", **fields, **how)
        discards.discard(session, discarded, **how)
    one = account(desk)
    assert (one.accepted, one.open, one.annulled, one.reworded) == (3, 1, 1, 1)
    said = account_lines(model_account(one))[-1]
    assert said == "of the accepted questions: 1 annulled or ambiguous, 1 reworded later"


@on_both
def test_proposed_outcomes_are_compared_with_final_ones_accepted_or_not(
    desk: Desk, stub: Stub
) -> None:
    article = desk.capture(VOTED)
    numbers: dict[str, int] = {}
    for said in ("right", "twice", "disputable", "unresolved", "not-yet", "twice"):
        with desk.acting() as (session, alice, _):
            if said not in numbers:
                ask(session, alice, slug=said)
        answer = YES if said != "not-yet" else NONE | {"answer": "not_yet"}
        stub.answer = says(answer if said not in numbers else YES | {"outcome": "No"})
        wanted = Wanted("outcome", question=said, articles=(article,))
        [numbers[said]] = desk.asks(stub.endpoint(), wanted).proposals
    assert account(desk).agreed.mean is None
    with desk.acting() as (session, alice, now):
        model_outcomes.accept(session, numbers["right"], member=alice, now=now)
        decisions.dismiss(session, numbers["twice"], member=alice, now=now)
        roles.ensure_admin(session, alice, now=now)
        disputable = registry.find(session, "disputable")
        how = {"dispute_days": 3, "member": alice, "now": now}
        assignments.set_policy(session, disputable, PolicyKind.confirm, **how)
        for slug in ("right", "twice", "disputable", "not-yet"):
            resolve(session, registry.find(session, slug), alice, "yes", known=3, at=4)
    one = account(desk)
    assert (one.agreed.groups, one.agreed.mean) == (2, 0.75)  # twice: yes, and no
    said = account_lines(model_account(one))[-1]
    assert (
        said == "agreed with the final outcome 75% (95%: 20% to 97%, 2 questions, too few to judge)"
    )


def test_an_account_has_the_members_own_calls_and_an_admins_has_all(desk: Desk, stub: Stub) -> None:
    with desk.acting() as (session, alice, now):
        roles.ensure_admin(session, alice, now=now)
    stub.answer = proposed(FERRY)
    for desk.handle in ("bob", "alice"):
        desk.ask(stub)
    assert account(desk).calls == 2
    desk.handle = "bob"
    assert (account(desk).calls, account(desk).open) == (1, 1)
    desk.handle = "carol"
    with desk.acting() as (session, carol, now):
        assert accounts(session, carol, now=now) == []
