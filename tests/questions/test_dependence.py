"""Groups, conditionals and links: registered, changed, found, and hidden with their questions."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from sqlmodel import Session

from forecasts.access import teams
from forecasts.access.visibility import read_as
from forecasts.common.errors import BadInput, Forbidden, NotFound, Refused
from forecasts.folder.dependence import foreseen
from forecasts.ledger.models import (
    GroupKind,
    LinkKind,
    LinkStrength,
    Member,
    Question,
    QuestionText,
    Role,
)
from forecasts.questions.conditions import branches_of, condition_of, register_conditional
from forecasts.questions.discards import discard
from forecasts.questions.families import join_family, tell_apart
from forecasts.questions.groups import (
    Group,
    NewPlace,
    add_to_group,
    change_group,
    find_group,
    group_of,
    groups,
    member_title,
    register_group,
    take_out,
)
from forecasts.questions.links import link, links, links_of, unlink
from forecasts.questions.registry import find, newest_wording, question_text
from forecasts.questions.revisions import append_wording, close, reopen, revise, reworded
from forecasts.questions.same_questions import likely_same, same_pairs
from forecasts.questions.standing import current_state
from forecasts.resolution.confirmation import confirm, withdraw
from forecasts.scores.coherence import hanging
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.values.dependence import contradicted, holds, implied, overlap, read_condition
from forecasts.values.outline import Outline
from forecasts.views.ties import LATE, ties
from tests.conftest import ask, day, on_both, resolve, say

MONTHS = ("March", "June", "December")


def wording(title: str, close: float = 10, **fields: Any) -> QuestionText:
    return question_text(
        **{
            "title": title,
            "open_time": day(0),
            "scheduled_close_time": day(close),
            "resolution_criteria": "As the gazette says.",
        }
        | fields
    )


def bridge(session: Session, member: Member, **given: Any) -> Group:
    title = "Will Brenholt open its bridge?"
    members = [
        NewPlace(month, wording(member_title(title, month), 10 * place))
        for place, month in enumerate(MONTHS, start=1)
    ]
    given = {"kind": GroupKind.nested, "member": member, "now": day(0), **given}
    return register_group(session, title, members, **given)


def test_members_and_branches_are_not_proposed_as_the_same(session: Session, alice: Member) -> None:
    titles = ("Will the bridge of Brenholt open?", "Will Brenholt's bridge open?")
    texts = [wording(title) for title in titles]
    ask(session, alice, title=texts[0].title, slug="own")
    assert len(same_pairs(session, now=day(1))) == 0
    places = [NewPlace(str(place), text) for place, text in enumerate(texts)]
    places[0] = NewPlace("0", wording(f"{titles[0]}!"))
    register_group(session, "Bridges", places, member=alice, now=day(0))
    assert [pair.one.slug for pair in same_pairs(session, now=day(1))] == ["own", "own"]
    options = ask(
        session, alice, title="Who wins?", type="multiple_choice", options=["Red", "Reds"]
    )
    register_conditional(session, options, wording("Will taxes rise?"), member=alice, now=day(0))
    assert len(same_pairs(session, now=day(1))) == 2


def labels(group: Group | None) -> list[str]:
    assert group is not None
    return [one.label for one in group.members]


@on_both
def test_a_group_is_one_act_and_the_family_of_its_members(session: Session, alice: Member) -> None:
    group = bridge(session, alice)
    assert (group.slug, group.kind) == ("will-brenholt-open-its-bridge", GroupKind.nested)
    assert labels(group) == list(MONTHS)
    assert [one.state.text.family for one in group.members] == [group.slug] * 3
    assert group.members[1].state.text.title == "Will Brenholt open its bridge? (June)"
    june = group.members[1].state.question
    assert group_of(session, june, now=day(1)) == find_group(session, group.slug, now=day(1))
    assert groups(session, now=day(1)) == [group]
    with pytest.raises(NotFound):
        find_group(session, "another", now=day(1))


@pytest.mark.parametrize(
    ("members", "kind", "said"),
    [
        ([NewPlace("March", wording("A?"))], "independent", "at least two"),
        ([NewPlace("March", wording("A?")), NewPlace("march ", wording("B?"))], "nested", "label"),
        (
            [NewPlace("June", wording("A?", 9)), NewPlace("May", wording("B?", 8))],
            "nested",
            "each yes",
        ),
        (
            [
                NewPlace("A", wording("A?")),
                NewPlace("B", wording("B?", type="numeric", lower_bound="0", upper_bound="9")),
            ],
            "exclusive",
            "answers yes and no",
        ),
        ([NewPlace(" ", wording("A?")), NewPlace("B", wording("B?"))], "nested", "blank label"),
    ],
)
def test_members_that_a_group_cannot_have_are_refused(
    session: Session, alice: Member, members: list[NewPlace], kind: str, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        register_group(session, "T", members, kind=GroupKind(kind), member=alice, now=day(0))
    assert groups(session, now=day(0)) == []


def test_members_come_and_go_and_the_family_of_one_that_comes_comes_along(
    session: Session, alice: Member
) -> None:
    group = bridge(session, alice)
    first = group.members[0].state.question
    rain = ask(session, alice, slug="rain", family="wet")
    snow = ask(session, alice, slug="snow", family="wet")
    by = {"member": alice, "now": day(1)}
    with pytest.raises(BadInput, match="each yes"):
        add_to_group(session, group.slug, rain, "then", **by)
    add_to_group(session, group.slug, rain, "February", before=first, **by)
    assert labels(group_of(session, rain, now=day(1))) == ["February", *MONTHS]
    assert {newest_wording(session, one).family for one in (rain, snow)} == {group.slug}
    with pytest.raises(Refused, match="already"):
        add_to_group(session, group.slug, rain, "again", **by)
    assert take_out(session, rain, **by) == group.slug
    assert group_of(session, rain, now=day(1)) is None
    assert labels(find_group(session, group.slug, now=day(1))) == list(MONTHS)
    assert newest_wording(session, rain).family == group.slug
    with pytest.raises(Refused, match="not in a group"):
        take_out(session, rain, **by)


def test_title_and_kind_change_and_no_id_is_anothers(session: Session, alice: Member) -> None:
    group = bridge(session, alice)
    by = {"member": alice, "now": day(1)}
    changed = change_group(session, group.slug, title="The bridge", **by)
    assert (changed.title, changed.kind, changed.members) == (
        "The bridge",
        group.kind,
        group.members,
    )
    changed = change_group(session, group.slug, kind=GroupKind.independent, **by)
    assert (changed.title, changed.kind) == ("The bridge", GroupKind.independent)
    with pytest.raises(Refused, match="nothing was changed"):
        change_group(session, group.slug, kind=GroupKind.independent, **by)
    ask(session, alice, slug="rain", family="wet")
    two = [NewPlace(name, wording(f"{name}?")) for name in "ab"]
    for taken in ("rain", "wet", group.slug):
        with pytest.raises(Refused, match=f"The ID '{taken}' is already taken"):
            register_group(session, "T", two, slug=taken, member=alice, now=day(0))
    for invalid in ("not an id", "-a", "a" * 101):
        with pytest.raises(Refused, match="cannot be a group's ID"):
            register_group(session, "T", two, slug=invalid, member=alice, now=day(0))


def test_a_group_has_only_the_members_that_its_reader_may_see(
    session: Session, alice: Member, bob: Member
) -> None:
    group = bridge(session, alice)
    mine = ask(session, alice, slug="mine", visibility="author", scheduled_close_time=day(30))
    add_to_group(session, group.slug, mine, "secret", member=alice, now=day(1))
    private = [NewPlace(name, wording(f"{name}?", visibility="author")) for name in "ab"]
    hidden = register_group(session, "Hidden", private, member=alice, now=day(0))
    read_as(session, bob, now=day(1))
    assert labels(find_group(session, group.slug, now=day(1))) == list(MONTHS)
    assert [one.slug for one in groups(session, now=day(1))] == [group.slug]
    with pytest.raises(NotFound):
        find_group(session, hidden.slug, now=day(1))
    with pytest.raises(Forbidden):
        change_group(session, group.slug, title="Bob's", member=bob, now=day(1))
    own = ask(session, bob, scheduled_close_time=day(40))
    with pytest.raises(Forbidden):
        add_to_group(session, group.slug, own, "x", member=bob, now=day(1))


@on_both
def test_of_an_exhaustive_group_some_of_which_are_hidden_at_most_one_comes_true(
    session: Session, alice: Member, bob: Member
) -> None:
    texts = [wording("A?"), wording("B?"), wording("C?", visibility="author")]
    places = [NewPlace(text.title, text) for text in texts]
    whole = register_group(
        session, "Which?", places, kind=GroupKind.exhaustive, member=alice, now=day(0)
    )
    assert whole.kind == GroupKind.exhaustive
    read_as(session, bob, now=day(1))
    assert find_group(session, whole.slug, now=day(1)).kind == GroupKind.exclusive
    read_as(session, alice, now=day(1))
    discard(session, whole.members[2].state.question, member=alice, now=day(1))
    assert find_group(session, whole.slug, now=day(1)).kind == GroupKind.exclusive
    # Another title does not change the kind.
    change_group(session, whole.slug, title="Who?", member=alice, now=day(2))
    with pytest.raises(Refused, match="nothing was changed"):
        change_group(session, whole.slug, kind=GroupKind.exhaustive, member=alice, now=day(2))


@on_both
def test_a_conditional_is_both_branches_in_its_parents_family(
    session: Session, alice: Member
) -> None:
    rain = ask(session, alice, slug="rain")
    text = wording("Will tariffs fall?", background="Talks.")
    yes, no = register_conditional(session, rain, text, member=alice, now=day(0))
    assert (yes.outcome, no.outcome) == ("yes", "no")
    assert yes.state.text.title == "If “Will it rain?” is yes: Will tariffs fall?"
    assert {one.state.text.background for one in (yes, no)} == {"Talks."}
    families = {one.state.text.family for one in (yes, no)}
    assert families == {newest_wording(session, rain).family} == {"rain"}
    assert branches_of(session, rain, now=day(0)) == [yes, no]
    assert condition_of(session, no.state.question, now=day(0)) == no
    assert condition_of(session, rain, now=day(0)) is None
    one, other = register_conditional(
        session, no.state.question, wording("Below?"), member=alice, now=day(0)
    )
    assert {one.state.text.family, other.state.text.family} == {"rain"}
    by: dict[str, Any] = {"member": alice, "now": day(0)}
    with pytest.raises(Refused, match="asked under an outcome"):
        discard(session, no.state.question, **by)
    for branch in (one, other, no):
        discard(session, branch.state.question, **by)


def test_a_condition_must_be_on_outcomes_that_exclude_each_other(
    session: Session, alice: Member
) -> None:
    depth = ask(session, alice, type="numeric", lower_bound="0", upper_bound="30")
    by = {"member": alice, "now": day(0)}
    for outcomes, said in (
        (None, "given as ranges"),
        ([], "needs an outcome"),
        (["..10", "5.."], "overlap"),
        (["..40"], "not a condition"),
        (["yes"], "not a condition"),
    ):
        with pytest.raises(BadInput, match=said):
            register_conditional(session, depth, wording("B?"), outcomes, **by)
    found = register_conditional(session, depth, wording("B?"), ["..10", " 10 .. "], **by)
    assert [one.outcome for one in found] == ["..10", "10.."]


def test_nobody_sees_a_branch_who_does_not_see_its_parent(
    session: Session, alice: Member, bob: Member
) -> None:
    alder = teams.create(session, "Alder", member=alice, now=day(0))
    secret = ask(session, alice, slug="secret", visibility="author")
    inside = ask(session, alice, slug="inside", visibility="team", team_id=alder.id)
    by = {"member": alice, "now": day(0)}
    for parent, fields in (
        (secret, {}),
        (secret, {"visibility": "team", "team_id": alder.id}),
        (inside, {}),
    ):
        with pytest.raises(Refused, match="would see a question that names it"):
            register_conditional(session, parent, wording("B?", **fields), **by)
    own = wording("B?", visibility="author")
    register_conditional(session, secret, own, **by)
    read_as(session, bob, now=day(1))
    with pytest.raises(NotFound):
        branches_of(session, secret, now=day(1)) or register_conditional(
            session, secret, own, member=bob, now=day(1)
        )


@on_both
def test_a_link_is_changed_and_removed_by_new_rows(
    session: Session, alice: Member, question: Question
) -> None:
    snow = ask(session, alice, slug="snow")
    by = {"member": alice, "now": day(1)}
    link(session, question, snow, LinkKind.causes, reason="Cold.", **by)
    with pytest.raises(Refused, match="nothing was changed"):
        link(session, question, snow, LinkKind.causes, reason=" Cold. ", **by)
    weak = {"strength": LinkStrength.weak, "reason": "Cold."}
    link(session, question, snow, LinkKind.causes, **weak, **by)
    link(session, snow, question, LinkKind.excludes, **by)
    found = [
        (one.one.slug, one.row.kind, one.other.slug, one.row.strength)
        for one in links_of(session, snow, now=day(1))
    ]
    assert found == [("rain", "causes", "snow", "weak"), ("rain", "excludes", "snow", "strong")]
    unlink(session, question, snow, LinkKind.excludes, **by)
    with pytest.raises(NotFound):
        unlink(session, question, snow, LinkKind.excludes, **by)
    assert [one.row.kind for one in links(session, now=day(1))] == ["causes"]
    with pytest.raises(BadInput, match="with itself"):
        link(session, snow, snow, LinkKind.causes, **by)


def test_a_certain_link_is_final_once_one_of_its_questions_has_closed(
    session: Session, alice: Member, question: Question
) -> None:
    """Else a change could choose, by the outcome, how reports count."""
    snow = ask(session, alice, slug="snow", scheduled_close_time=day(20))
    fog = ask(session, alice, slug="fog", scheduled_close_time=day(20))
    sure: Any = {"strength": LinkStrength.certain, "member": alice}
    for other in (snow, fog):
        link(session, question, other, LinkKind.implies, **sure, now=day(1))
    link(session, question, other, LinkKind.causes, **sure, now=day(1))  # it joins nothing
    unlink(session, question, fog, LinkKind.implies, member=alice, now=day(3))
    resolve(session, question, alice, known=4, at=5)
    for act in (
        lambda: unlink(session, question, snow, LinkKind.implies, member=alice, now=day(4)),
        lambda: link(session, question, snow, LinkKind.implies, member=alice, now=day(6)),
        lambda: link(session, question, snow, LinkKind.implies, reason="Cold.", **sure, now=day(6)),
    ):
        with pytest.raises(Refused, match="can no longer be changed"):
            act()
    unlink(session, question, fog, LinkKind.causes, member=alice, now=day(6))
    link(session, question, fog, LinkKind.implies, **sure, now=day(6))  # late: it joins nothing
    unlink(session, question, fog, LinkKind.implies, member=alice, now=day(7))


def test_a_link_is_seen_with_both_questions_and_changed_by_those_who_may(
    session: Session, alice: Member, bob: Member, question: Question
) -> None:
    teams.appoint(session, alice, Role.admin, member=alice, now=day(0))
    mine = ask(session, alice, slug="mine", visibility="author")
    snow = ask(session, alice, slug="snow")
    for other in (mine, snow):
        link(session, question, other, LinkKind.causes, member=alice, now=day(1))
    read_as(session, bob, now=day(1))
    assert [one.other.slug for one in links_of(session, question, now=day(1))] == ["snow"]
    with pytest.raises(Forbidden):
        unlink(session, question, snow, LinkKind.causes, member=bob, now=day(1))
    link(session, question, snow, LinkKind.implies, member=bob, now=day(1))
    sure = LinkStrength.certain  # joins the two questions in reports
    with pytest.raises(Forbidden):
        link(session, question, snow, LinkKind.implies, strength=sure, member=bob, now=day(1))
    link(session, question, snow, LinkKind.implies, strength=sure, member=alice, now=day(1))
    with pytest.raises(NotFound):
        link(session, question, mine, LinkKind.implies, member=bob, now=day(1))


NUMBER = Outline(type="numeric", lower_bound="0", upper_bound="30")  # type: ignore[arg-type]
DAY = Outline(type="date", lower_bound="2027-01-01", upper_bound="2028-01-01")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parent", "condition", "true", "false"),
    [
        (Outline(), "YES", ["yes", "1"], ["no", "0.5", "annulled", "ambiguous"]),
        (NUMBER, "10 .. 20", ["10", "19.9"], ["20", "9", "below_lower_bound", "annulled"]),
        (NUMBER, "..10", ["9", "below_lower_bound"], ["10", "above_upper_bound"]),
        (NUMBER, "20..", ["20", "30", "above_upper_bound"], ["19", "below_lower_bound"]),
        (DAY, "2027-07-01..", ["2027-07-01", "above_upper_bound"], ["2027-06-30"]),
    ],
)
def test_a_condition_holds(
    parent: Outline, condition: str, true: list[str], false: list[str]
) -> None:
    read = read_condition(condition, parent)
    assert [holds(read, parent, one) for one in true] == [True] * len(true)
    assert [holds(read, parent, one) for one in false] == [False] * len(false)
    assert overlap(read, read, parent)


@pytest.mark.parametrize("condition", ["..", "10", "20..10", "10..10", "a..b", "..nan", "1..2..3"])
def test_what_is_no_range_is_refused(condition: str) -> None:
    with pytest.raises(BadInput, match="not a condition"):
        read_condition(condition, NUMBER)


@pytest.mark.parametrize("kind", ["exclusive", "exhaustive", "nested"])
def test_what_follows_is_what_every_world_with_these_outcomes_has(kind: str) -> None:
    """Against all worlds of three members: an outcome follows, or none is left."""
    allowed = {
        "exclusive": lambda world: sum(world) <= 1,
        "exhaustive": lambda world: sum(world) == 1,
        "nested": lambda world: list(world) == sorted(world),
    }[kind]
    said = {None: None, 0: "no", 1: "yes"}
    every = [world for world in product((0, 1), repeat=3) if allowed(world)]

    def certain(worlds: list[tuple[int, ...]]) -> dict[int, str | None]:
        return {at: said[one.pop()] for at in range(3) if len(one := {w[at] for w in worlds}) == 1}

    for known in product((None, 0, 1), repeat=3):
        for place, told in product(range(3), (0, 1)):
            others = {at: one for at, one in enumerate(known) if at != place and one is not None}
            before = [one for one in every if all(one[at] == v for at, v in others.items())]
            after = [world for world in before if world[place] == told]
            if not before:
                continue
            outcomes, word = [said[one] for one in known], str(said[told])
            assert (contradicted(kind, outcomes, place, word) is None) == bool(after)
            if after:
                found, follows = implied(kind, outcomes, place, word), certain(after)
                assert found.items() <= follows.items()
                assert found.keys() >= follows.keys() - certain(before).keys() - {place}


def test_a_close_that_had_passed_counts_although_it_was_moved(
    session: Session, alice: Member, question: Question
) -> None:
    """Else a later close would make a link in time that may know the outcome."""
    snow = ask(session, alice, slug="snow", scheduled_close_time=day(5))
    fog = ask(session, alice, slug="fog", scheduled_close_time=day(5))
    sure: Any = {"strength": LinkStrength.certain, "member": alice}
    link(session, question, snow, LinkKind.implies, **sure, now=day(1))
    revise(session, snow, member=alice, now=day(6), scheduled_close_time=day(20))
    revise(session, fog, member=alice, now=day(4), scheduled_close_time=day(20))
    link(session, question, fog, LinkKind.implies, **sure, now=day(6))  # it had not closed
    link(session, snow, fog, LinkKind.implies, **sure, now=day(7))
    found = links(session, now=day(8))
    assert [one.is_late for one in found] == [False, False, True]
    assert [one.is_final(day(8)) for one in found] == [True, False, False]
    with pytest.raises(Refused, match="can no longer be changed"):
        unlink(session, question, snow, LinkKind.implies, member=alice, now=day(8))
    frames = ledger_frames(session, counted=False)
    assert foreseen(frames.questions, frames.links).tolist() == [True, True, False]
    assert len(ledger_frames(session).links) == 2
    shown = ties(session, current_state(session, snow, now=day(8)), now=day(8))
    assert [one.late for one in shown.links] == [False, True]
    assert [LATE in line for line in shown.lines()] == [False, True]


@on_both
def test_a_family_counts_as_it_was_when_the_outcome_could_first_be_known(
    session: Session, alice: Member
) -> None:
    one, two, three = (
        ask(session, alice, slug=name, title=f"Will {name} win?", family="cup")
        for name in ("red", "blue", "green")
    )
    other = ask(session, alice, slug="wet", title="Is it wet?", scheduled_close_time=day(40))
    by: Any = {"member": alice}
    revise(session, one, now=day(2), family="", **by)  # in time
    resolve(session, two, alice, known=4, at=5)
    revise(session, two, now=day(6), family="", **by)
    join_family(session, ["green", "wet"], now=day(11), **by)  # green has closed
    for question, family in ((one, ""), (two, ""), (three, "cup"), (other, "cup")):
        assert newest_wording(session, question).family == family
    resolve(session, other, alice, known=20, at=20)
    revise(session, other, now=day(21), family="rain", **by)
    questions = ledger_frames(session).questions
    counted = dict(zip(questions["question_id"], questions["family"], strict=True))
    assert counted == {"red": "", "blue": "cup", "green": "cup", "wet": "cup"}


def test_pairs_count_as_the_same_as_they_were_judged_in_time(
    session: Session, alice: Member
) -> None:
    by: Any = {"member": alice}
    for name, title in (("a", "Will Oslo win?"), ("b", "Will Rome win?"), ("c", "Will Bern win?")):
        for number in (0, 1):
            close = day(10 + number / 4)
            ask(session, alice, slug=f"{name}{number}", title=title, scheduled_close_time=close)
    every = {("a0", "a1"), ("b0", "b1"), ("c0", "c1")}
    assert likely_same(session) == every
    tell_apart(session, "a0", "a1", now=day(2), **by)
    tell_apart(session, "b0", "b1", now=day(11), **by)
    join_family(session, ["c0", "c1"], now=day(11), **by)
    assert likely_same(session) == every - {("a0", "a1")}
    assert same_pairs(session, now=day(12)) == []


@on_both
def test_a_family_counts_as_it_was_though_the_outcome_or_the_close_was_taken_back(
    session: Session, alice: Member
) -> None:
    """Else who knows the outcome could take it back, choose the family, and resolve again."""
    by: Any = {"member": alice}
    known, early, open_ = (
        ask(session, alice, slug=name, title=f"Will {name} win?", family="cup")
        for name in ("red", "blue", "green")
    )
    resolve(session, known, alice, known=3, at=4)
    withdraw(session, known, reason="a slip", now=day(5), **by)
    close(session, early, at=day(3), now=day(4), **by)
    reopen(session, early, now=day(5), **by)
    for question in (known, early, open_):
        revise(session, question, now=day(6), family="", **by)
    questions = ledger_frames(session).questions
    counted = dict(zip(questions["question_id"], questions["family"], strict=True))
    assert counted == {"red": "cup", "blue": "cup", "green": ""}


@on_both
def test_a_group_is_final_once_an_outcome_of_it_may_be_known(
    session: Session, alice: Member
) -> None:
    by: Any = {"member": alice, "now": day(11)}
    group = bridge(session, alice)  # the first closes on day 10
    june = group.members[1].state.question
    old, new = (
        ask(session, alice, slug=name, scheduled_close_time=day(40)) for name in ("old", "new")
    )
    say(session, old, alice, 0.5, 9)
    say(session, new, alice, 0.5, 10)
    with pytest.raises(Refused, match="an outcome in the group may already be known"):
        take_out(session, june, **by)
    with pytest.raises(Refused, match=r"'old' cannot join the group .* it was forecast before"):
        add_to_group(session, group.slug, old, "2029", **by)
    assert change_group(session, group.slug, title="The bridge", **by).title == "The bridge"
    # Not forecast while the first was open, so it can contradict no forecast on it.
    assert labels(add_to_group(session, group.slug, new, "2028", **by)) == [*MONTHS, "2028"]


@on_both
def test_a_question_that_has_closed_comes_into_no_group(session: Session, alice: Member) -> None:
    group = bridge(session, alice)
    shut = ask(session, alice, slug="shut", scheduled_close_time=day(8))
    first = group.members[0].state.question
    with pytest.raises(Refused, match="its own outcome may already be known"):
        add_to_group(session, group.slug, shut, "May", before=first, member=alice, now=day(9))
    add_to_group(session, group.slug, shut, "May", before=first, member=alice, now=day(7))


def test_pairs_are_likely_the_same_by_their_titles_and_closes_in_time(
    session: Session, alice: Member
) -> None:
    by: Any = {"member": alice}
    for name, title in (("a", "Will Oslo win?"), ("b", "Will Rome win?"), ("c", "Will Bern win?")):
        for number in (0, 1):
            close = day(10 + number / 4)
            ask(session, alice, slug=f"{name}{number}", title=title, scheduled_close_time=close)
    a1, b1, c1 = (find(session, name) for name in ("a1", "b1", "c1"))
    revise(session, a1, now=day(2), title="Is Lima the capital?", **by)
    revise(session, b1, now=day(11), title="Is Lima the capital?", **by)
    revise(session, c1, now=day(11), scheduled_close_time=day(40), **by)
    assert likely_same(session) == {("b0", "b1"), ("c0", "c1")}
    assert ("b0", "b1") not in {pair.slugs for pair in same_pairs(session, now=day(12))}


def test_no_question_comes_into_an_exhaustive_group_once_an_outcome_may_be_known(
    session: Session, alice: Member
) -> None:
    """One that nobody forecast would take the price off the others: it could be the one."""
    members = [NewPlace(name, wording(f"{name}?")) for name in ("Red", "Blue")]
    by: Any = {"member": alice, "now": day(0)}
    register_group(session, "Who?", members, kind=GroupKind.exhaustive, slug="who", **by)
    new = ask(session, alice, slug="new", scheduled_close_time=day(40))
    with pytest.raises(Refused, match="'who' accepts no more questions"):
        add_to_group(session, "who", new, "Green", member=alice, now=day(11))
    assert labels(add_to_group(session, "who", new, "Green", member=alice, now=day(9))) == [
        *("Red", "Blue", "Green")
    ]


def test_an_outcome_that_was_known_early_stays_so_when_it_is_withdrawn(
    session: Session, alice: Member, question: Question
) -> None:
    revise(session, question, family="wet", member=alice, now=day(5))
    resolve(session, question, alice, known=2, at=8)
    for late in (8.5, 9.5):
        [family] = ledger_frames(session).questions["family"]
        assert family == ""
        if late == 8.5:
            withdraw(session, question, reason="a slip", member=alice, now=day(9))


def test_a_title_that_an_import_changes_beside_an_assumed_close_came_too_late(
    session: Session, alice: Member
) -> None:
    for number in (0, 1):
        close = day(10 + number / 4)
        title = "Will Oslo win?"
        ask(session, alice, slug=f"a{number}", title=title, scheduled_close_time=close)
    a1 = find(session, "a1")
    before = newest_wording(session, a1)
    given: Any = {"member": alice, "now": day(12), "reason": "close assumed"}
    append_wording(session, before, reworded(before, title="Is Lima the capital?"), **given)
    assert likely_same(session) == {("a0", "a1")}


def kinds_counted(session: Session) -> set[str]:
    return set(ledger_frames(session).questions["group_kind"])


@on_both
def test_a_kind_counts_as_it_was_when_an_outcome_could_first_be_known_unless_that_is_forbidden(
    session: Session, alice: Member
) -> None:
    by: Any = {"member": alice}
    group = bridge(session, alice, kind=GroupKind.independent)  # the first closes on day 10
    march, june = (one.state.question for one in group.members[:2])
    for at, p, question in ((2, 0.6, march), (2, 0.9, june)):
        say(session, question, alice, p, at)
    change_group(session, group.slug, kind=GroupKind.exclusive, now=day(9), **by)
    change_group(session, group.slug, kind=GroupKind.independent, now=day(11), **by)
    assert kinds_counted(session) == {"exclusive"}
    assert set(ledger_frames(session, counted=False).questions["group_kind"]) == {"independent"}
    resolve(session, march, alice, "no", known=9.5, at=12)
    state = current_state(session, march, now=day(13))
    assert hanging(session, alice, [state]).prices[march.slug].price != 0
    resolve(session, june, alice, "yes", known=12, at=12)
    assert kinds_counted(session) == {"exclusive"}
    confirm(
        session, march, "yes", known_at=day(9.5), now=day(13), **by
    )  # both: so it was never exclusive
    assert kinds_counted(session) == {"independent"}
    assert hanging(session, alice, [state]).prices == {}
