"""Branches follow their parent, and members of a group each other, in the act that resolves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access import teams
from forecasts.access.members import member_or_new
from forecasts.access.visibility import read_as
from forecasts.common.errors import Forbidden, Refused
from forecasts.ledger import database
from forecasts.ledger.models import GroupKind, Member, Question, Resolution, Role
from forecasts.questions import registry
from forecasts.questions.conditions import branches_of, register_conditional
from forecasts.questions.groups import NewPlace, change_group, register_group
from forecasts.resolution import confirmation, proposals
from forecasts.resolution.dependents import decided
from forecasts.resolution.runs.run import run
from tests.conftest import ask, day, on_both, resolve, say
from tests.examples import examples
from tests.resolution.conftest import attach, close_of, state_of

pytestmark = pytest.mark.slow


def branch(
    session: Session,
    parent: Question,
    member: Member,
    outcomes: Sequence[str] | None = None,
    title: str = "Will tariffs fall?",
) -> list[Question]:
    text = registry.question_text(
        title=title,
        open_time=day(0),
        scheduled_close_time=day(10),
        resolution_criteria="As the gazette says.",
    )
    found = register_conditional(session, parent, text, outcomes, member=member, now=day(0))
    return [one.state.question for one in found]


def withdraw(session: Session, question: Question, member: Member, at: float) -> Resolution:
    return confirmation.withdraw(session, question, reason="a slip", now=day(at), member=member)


def outcome(session: Session, question: Question) -> str | None:
    row = state_of(session, question, 9).resolution
    return None if row is None else row.outcome


def steps(session: Session, question: Question) -> list[tuple[str, str]]:
    return [(row.state, row.outcome) for row in proposals.history(session, question)]


@on_both
def test_the_other_branch_is_annulled_with_its_reason_and_the_living_one_is_scored(
    session: Session, alice: Member
) -> None:
    rain = ask(session, alice, slug="rain")
    yes, no = branch(session, rain, alice)
    for question in (yes, no):
        say(session, question, alice, 0.7, 1)
    settled = resolve(session, rain, alice, "yes", 3, at=4)
    row = state_of(session, no, 4).resolution
    assert row is not None
    assert (row.outcome, row.known_at, row.recorded_at) == ("annulled", day(3), day(4))
    assert (row.note, row.source, row.member_id) == (
        "rain resolved yes; this was asked for no.",
        "condition:rain",
        alice.id,
    )
    assert outcome(session, yes) is None
    assert (settled.outcome, close_of(session, no)) == ("yes", 10)
    with pytest.raises(Refused, match="asked only if 'rain' is no"):
        resolve(session, no, alice, "yes", 5, at=6)
    with pytest.raises(Refused, match="asked only if 'rain' is no"):
        withdraw(session, no, alice, 6)
    resolve(session, yes, alice, "no", 5, at=6)
    assert outcome(session, yes) == "no"


def test_a_correction_restores_what_was_annulled_only_by_the_condition(
    session: Session, alice: Member
) -> None:
    rain = ask(session, alice, slug="rain")
    yes, no = branch(session, rain, alice)
    mine, theirs = branch(session, rain, alice, ["yes", "no"], "Will it snow?")
    resolve(session, no, alice, "yes", 2, at=2)  # its own, known before the parent
    resolve(session, theirs, alice, "annulled", 2, at=2)  # for another reason
    resolve(session, rain, alice, "yes", 3, at=3)
    assert [outcome(session, one) for one in (yes, no, mine, theirs)] == [
        *(None, "annulled", None, "annulled")
    ]
    resolve(session, rain, alice, "no", 3, at=4)
    assert [outcome(session, one) for one in (yes, no, mine, theirs)] == [
        *("annulled", "yes", "annulled", "annulled")
    ]
    assert close_of(session, no) == 2
    assert steps(session, no) == [
        *(("confirmed", "yes"), ("confirmed", "annulled"), ("confirmed", "yes"))
    ]
    withdraw(session, rain, alice, 5)
    assert [outcome(session, one) for one in (yes, no, mine, theirs)] == [
        *(None, "yes", None, "annulled")
    ]
    assert steps(session, yes) == [("confirmed", "annulled"), ("withdrawn", "annulled")]
    resolve(session, rain, alice, "ambiguous", 3, at=6)
    assert {outcome(session, one) for one in (yes, no, mine, theirs)} == {"annulled"}


def test_branches_of_options_numbers_and_dates_follow_too(session: Session, alice: Member) -> None:
    options = {"type": "multiple_choice", "options": ["North", "South", "West"]}
    which = ask(session, alice, slug="which", **options)
    north, south, west = branch(session, which, alice)
    depth = ask(session, alice, slug="depth", type="numeric", lower_bound="0", upper_bound="30")
    ranges = ["..10", "10..20", "20.."]
    low, middle, high = branch(session, depth, alice, ranges, "Will the quay flood?")
    resolve(session, which, alice, "South", 3, at=3)
    assert [outcome(session, one) for one in (north, south, west)] == ["annulled", None, "annulled"]
    for told, living in (("10", middle), ("below_lower_bound", low), ("above_upper_bound", high)):
        resolve(session, depth, alice, told, 3, at=4)
        found = {one.slug for one in (low, middle, high) if outcome(session, one) is None}
        assert found == {living.slug}


def test_branches_of_branches_follow(session: Session, alice: Member) -> None:
    rain = ask(session, alice, slug="rain")
    yes, _ = branch(session, rain, alice)
    below = branch(session, yes, alice, title="Will prices fall?")
    resolve(session, below[0], alice, "yes", 2, at=2)
    resolve(session, rain, alice, "no", 3, at=3)
    assert [outcome(session, one) for one in (yes, *below)] == ["annulled"] * 3
    resolve(session, rain, alice, "yes", 3, at=4)
    assert [outcome(session, one) for one in (yes, *below)] == [None, "yes", None]
    resolve(session, yes, alice, "no", 4, at=5)
    assert [outcome(session, one) for one in below] == ["annulled", None]


def test_branches_that_the_resolver_may_not_see_follow(session: Session, alice: Member) -> None:
    bob, carol = (member_or_new(session, name, now=day(0)) for name in ("bob", "carol"))
    teams.appoint(session, carol, Role.admin, member=carol, now=day(0))
    rain = ask(session, alice, slug="rain")
    text = registry.question_text(
        title="Mine?", open_time=day(0), scheduled_close_time=day(10), visibility="author"
    )
    read_as(session, bob, now=day(0))
    found = register_conditional(session, rain, text, member=bob, now=day(0))
    read_as(session, alice, now=day(1))
    assert branches_of(session, rain, now=day(1)) == []
    resolve(session, rain, alice, "no", 3, at=3)
    read_as(session, bob, now=day(3))
    assert [outcome(session, one.state.question) for one in found] == ["annulled", None]


def test_a_run_annuls_the_other_branch(engine: Engine, tmp_path: object) -> None:
    path = f"{tmp_path}/outcomes.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("question,outcome,known_at\nrain,yes,2026-01-04\n")
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        branch(session, ask(session, alice, slug="rain"), alice)
    attach(engine, "outcomes_file", path=path)
    for at in (5, 6):
        run(engine, now=day(at))
    with database.reading(engine) as session:
        rain = registry.find(session, "rain")
        yes, no = (one.state.question for one in branches_of(session, rain, now=day(6)))
        assert (outcome(session, yes), steps(session, no)) == (None, [("confirmed", "annulled")])


ACTS = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.sampled_from(["yes", "no", "0.4", "annulled", "ambiguous", "withdraw"]),
    ),
    max_size=9,
)


@given(acts=ACTS)
@settings(max_examples=examples(15))
def test_after_any_acts_each_branch_is_right_and_a_second_settling_does_nothing(
    engine: Engine, acts: list[tuple[int, str]]
) -> None:
    """Two conditionals below a parent, one of them below a branch: a tree of seven questions."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        root = ask(session, alice)
        first = branch(session, root, alice, title=f"First {root.id}?")
        other = branch(session, root, alice, title=f"Other {root.id}?")
        below = branch(session, first[0], alice, title=f"Below {root.id}?")
        tree = [root, *first, *other, *below]
        parent = {
            1: (0, "yes"),
            2: (0, "no"),
            3: (0, "yes"),
            4: (0, "no"),
            5: (1, "yes"),
            6: (1, "no"),
        }
        own: dict[int, str] = {}
        for number, (place, act) in enumerate(acts):
            before = [outcome(session, one) for one in tree]
            now = day(1 + number / 100)
            try:
                if act == "withdraw":
                    withdraw(session, tree[place], alice, 1 + number / 100)
                    own.pop(place)
                else:
                    resolve(session, tree[place], alice, act, at=1 + number / 100)
                    own[place] = act
            except Refused:
                assert [outcome(session, one) for one in tree] == before
            expected: list[str | None] = []
            for at in range(7):
                above, needed = parent.get(at, (0, ""))
                told = expected[above] if at else None
                dead = told is not None and told != needed
                expected.append("annulled" if dead else own.get(at))
            assert [outcome(session, one) for one in tree] == expected
            many = [len(steps(session, one)) for one in tree]
            confirmation.settle_branches(session, [one.id for one in tree], alice, now)
            assert [len(steps(session, one)) for one in tree] == many


def group(session: Session, member: Member, kind: str, many: int = 3) -> list[Question]:
    members = [
        NewPlace(
            f"{place}",
            registry.question_text(
                title=f"{kind} {place}?",
                open_time=day(0),
                scheduled_close_time=day(10 + place),
                resolution_criteria="As the gazette says.",
            ),
        )
        for place in range(many)
    ]
    found = register_group(session, kind, members, kind=GroupKind(kind), member=member, now=day(0))
    return [one.state.question for one in found.members]


@pytest.mark.parametrize(
    ("kind", "place", "told", "others"),
    [
        ("exclusive", 1, "yes", ["no", "yes", "no"]),
        ("exclusive", 1, "no", [None, "no", None]),
        ("exhaustive", 0, "yes", ["yes", "no", "no"]),
        ("nested", 1, "yes", [None, "yes", "yes"]),
        ("nested", 1, "no", ["no", "no", None]),
        ("nested", 1, "annulled", [None, "annulled", None]),
        ("independent", 1, "yes", [None, "yes", None]),
    ],
)
def test_one_outcome_decides_others_of_its_group_in_one_act(
    session: Session, alice: Member, kind: str, place: int, told: str, others: list[str | None]
) -> None:
    members = group(session, alice, kind)
    offered = decided(session, members[place], told, now=day(3))
    given = {"known_at": day(2), "now": day(3), "member": alice}
    done = confirmation.confirm_together(session, members[place], told, **given)
    assert [outcome(session, one) for one in members] == others
    assert len(done) == 1 + len(offered)
    assert all(one.resolution.known_at == day(2) for one in done)


def test_the_last_of_an_exhaustive_group_is_yes(session: Session, alice: Member) -> None:
    one, two, three = group(session, alice, "exhaustive")
    resolve(session, one, alice, "no", 2, at=3)
    confirmation.confirm_together(session, two, "no", now=day(3), member=alice)
    assert outcome(session, three) == "yes"
    with pytest.raises(Refused, match="exhaustive"):
        resolve(session, three, alice, "no", 2, at=4)


def test_outcomes_that_the_kind_forbids_are_refused_until_it_is_changed(
    session: Session, alice: Member
) -> None:
    one, two, three = group(session, alice, "exclusive")
    resolve(session, one, alice, "yes", 2, at=3)
    with pytest.raises(Refused, match=r"is exclusive, and .* is yes") as refused:
        resolve(session, two, alice, "yes", 2, at=3)
    assert "change the kind" in str(refused.value.remedy)
    change_group(session, "exclusive", kind=GroupKind.independent, member=alice, now=day(4))
    resolve(session, two, alice, "yes", 2, at=4)
    with pytest.raises(Refused, match="cannot have"):
        change_group(session, "exclusive", kind=GroupKind.exclusive, member=alice, now=day(4))
    assert outcome(session, three) is None


def test_a_run_proposes_what_a_group_forbids(engine: Engine, tmp_path: object) -> None:
    path = f"{tmp_path}/outcomes.csv"
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        one, two, _ = group(session, alice, "exclusive")
        resolve(session, one, alice, "yes", 2, at=3)
        slug = two.slug
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"question,outcome,known_at\n{slug},yes,2026-01-04\n")
    attach(engine, "outcomes_file", slug, path=path)
    run(engine, now=day(5))
    with database.reading(engine) as session:
        assert steps(session, registry.find(session, slug)) == [("proposed", "yes")]


def test_nothing_is_settled_of_a_group_in_an_act_that_may_not_decide_it(
    session: Session, alice: Member, bob: Member
) -> None:
    members = group(session, alice, "exclusive")
    mine = ask(session, bob, slug="mine")
    teams.appoint(session, alice, Role.admin, member=alice, now=day(0))
    read_as(session, bob, now=day(1))
    with pytest.raises(Forbidden):
        confirmation.confirm_together(session, members[0], "yes", now=day(3), member=bob)
    assert decided(session, mine, "yes", now=day(3)) == []
