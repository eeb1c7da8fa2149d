"""The same question on two platforms: proposed, joined in a family, or told apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlmodel import Session

from forecasts.access import teams
from forecasts.access.members import member_or_new
from forecasts.access.visibility import read_as
from forecasts.common.errors import BadInput, Forbidden, NotFound, Refused
from forecasts.ledger.models import Member, Question, QuestionOrigin
from forecasts.questions.families import (
    join_family,
    join_pairs,
    leave_family,
    tell_apart,
    tell_pairs_apart,
)
from forecasts.questions.registry import newest_wording
from forecasts.questions.revisions import history, revise
from forecasts.questions.same_questions import same_pairs
from tests.conftest import ask, day, on_both

NOW = day(5)
Add = Callable[..., Question]


@pytest.fixture
def add(session: Session, alice: Member) -> Add:
    """Registers a question of a platform; of alice's own without one."""

    def add(slug: str, title: str, platform: str = "", **fields: object) -> Question:
        author = fields.pop("author", alice)
        assert isinstance(author, Member)
        question = ask(session, author, slug=slug, title=title, **fields)
        if platform:
            origin = QuestionOrigin(
                question_id=question.id, platform=platform, platform_id=slug, recorded_at=day(0)
            )
            session.add(origin)
            session.flush()
        return question

    return add


def proposed(session: Session, now: datetime = NOW, **given: object) -> list[set[str]]:
    found = same_pairs(session, now=now, **given)  # type: ignore[arg-type]
    return [{pair.one.slug, pair.other.slug} for pair in found]


@pytest.fixture
def two(session: Session, add: Add) -> Session:
    """A question on two platforms."""
    add("metaculus-7", "Will the Fed cut interest rates before 2027?", "metaculus")
    add("fatebook-a", "Will the Federal Reserve cut interest rates by the end of 2026?", "fatebook")
    return session


def families(session: Session, *questions: Question) -> list[str]:
    return [newest_wording(session, question).family for question in questions]


@on_both
def test_a_question_asked_on_two_platforms_or_here_is_proposed(two: Session, add: Add) -> None:
    [pair] = same_pairs(two, now=NOW)
    assert set(pair.slugs) == {"metaculus-7", "fatebook-a"}
    assert 0.4 < pair.similarity < 1
    add("own", "Will the Fed cut interest rates by 31 December 2026?")
    assert {"metaculus-7", "own"} in proposed(two)


def test_a_distant_close_or_another_type_is_not_proposed(session: Session, add: Add) -> None:
    add("a", "Will the quay open?", "metaculus")
    add("b", "Will the quay open?!", "fatebook", scheduled_close_time=day(40))
    number = {"type": "numeric", "lower_bound": "0", "upper_bound": "1"}
    add("c", "Will the quay open?!", "fatebook", **number)
    assert proposed(session) == []


@pytest.mark.parametrize("platform", ["", "metaculus"])
def test_on_one_platform_the_same_words_and_close_are_proposed(
    session: Session, add: Add, platform: str
) -> None:
    add("a", "Will Iran and the US hold the talks?", platform)
    add("b", "Will the US and Iran hold talks?", platform)
    add("more", "Will the US and Iran hold direct talks?", platform)
    for slug, later in (("soon", 0.5), ("next", 0.6), ("week", 7)):
        add(
            slug,
            "Will the US and Iran hold a talk?",
            platform,
            scheduled_close_time=day(10 + later),
        )
    assert sorted(map(sorted, proposed(session))) == [["a", "b"], ["b", "soon"], ["next", "soon"]]
    found = proposed(session, only=["week", "b"])
    assert sorted(map(sorted, found)) == [["a", "b"], ["b", "soon"]]


def test_any_number_on_one_platform_come_into_one_family(
    session: Session, add: Add, alice: Member
) -> None:
    asked = [
        add(slug, f"Will the quay open{end}", "infer")
        for slug, end in zip("abcd", ("", "?", "!", "?!"), strict=True)
    ]
    pairs = same_pairs(session, now=NOW)
    assert len(pairs) == 3
    join_pairs(session, pairs, member=alice, now=NOW)
    assert len(set(families(session, *asked))) == 1
    assert proposed(session) == []


def test_of_several_candidates_the_most_similar_is_proposed_and_then_the_next(
    session: Session, add: Add, alice: Member
) -> None:
    add("a", "Will the quay open?", "metaculus")
    add("b", "Will the quay open?!", "fatebook")
    add("c", "Will the stone quay open?", "fatebook")
    assert proposed(session) == [{"a", "b"}]
    tell_apart(session, "b", "a", member=alice, now=NOW)
    assert proposed(session) == [{"a", "c"}]


def test_only_those_of_an_import_are_proposed_when_asked(two: Session, add: Add) -> None:
    add("a", "Will the quay open?", "metaculus")
    add("b", "Will the quay open?!", "fatebook")
    assert proposed(two, only=["b"]) == [{"a", "b"}]
    assert proposed(two, only=["a", "b"]) == [{"a", "b"}]
    assert len(proposed(two)) == 2
    assert len(proposed(two, most=1)) == 1


def test_a_hidden_question_is_not_proposed(session: Session, alice: Member, add: Add) -> None:
    bob = member_or_new(session, "bob", now=day(0))
    teams.create(session, "Alder", member=alice, now=day(0))
    add("a", "Will the quay open?", "metaculus")
    add("b", "Will the quay open?!", "fatebook", author=bob, visibility="author")
    read_as(session, alice, now=NOW)
    assert proposed(session) == [{"a", "b"}]  # an admin sees every question
    carol = member_or_new(session, "carol", now=day(0))
    read_as(session, carol, now=NOW)
    assert proposed(session) == []
    with pytest.raises(NotFound):
        join_family(session, ["a", "b"], member=carol, now=NOW)
    with pytest.raises(NotFound):
        tell_apart(session, "a", "b", member=carol, now=NOW)


def test_joining_revises_both_and_can_be_undone(session: Session, add: Add, alice: Member) -> None:
    a = add("a", "Will the quay open?", "metaculus")
    b = add("b", "Will the quay open?!", "fatebook")
    joined = join_family(session, ["a", "b"], member=alice, now=NOW)
    assert families(session, a, b) == ["a", "a"]
    assert (joined.family, joined.before) == ("a", {"a": "", "b": ""})
    assert history(session, b)[-1].reason == "the same question as a"
    assert proposed(session) == []
    assert leave_family(session, joined, member=alice, now=NOW) == 2
    assert families(session, a, b) == ["", ""]
    assert proposed(session) == [{"a", "b"}]
    assert leave_family(session, joined, member=alice, now=NOW) == 0


@on_both
def test_two_families_become_one(session: Session, add: Add, alice: Member) -> None:
    a = add("a", "Will the quay open?", "metaculus", family="quay")
    b = add("b", "Will the quay open?!", "fatebook", family="harbour")
    c = add("c", "Will the mole open?", "fatebook", family="harbour")
    joined = join_family(session, ["a", "b"], member=alice, now=NOW)
    assert families(session, a, b, c) == ["quay"] * 3
    assert leave_family(session, joined, member=alice, now=NOW) == 2
    assert families(session, a, b, c) == ["quay", "harbour", "harbour"]


def test_a_family_takes_two_and_each_once(session: Session, add: Add, alice: Member) -> None:
    add("a", "Will the quay open?", "metaculus", family="quay")
    add("b", "Will the quay open?!", "fatebook", family="quay")
    for act in (join_family, lambda session, slugs, **by: tell_apart(session, *slugs, **by)):
        with pytest.raises(Refused, match="in one family, 'quay'"):
            act(session, ["a", "b"], member=alice, now=NOW)
        with pytest.raises(BadInput, match=r"at least two|are one question"):
            act(session, ["a", "a"], member=alice, now=NOW)


def test_joining_needs_the_right_to_change_both(session: Session, add: Add, alice: Member) -> None:
    bob = member_or_new(session, "bob", now=day(0))
    teams.create(session, "Alder", member=alice, now=day(0))
    a = add("a", "Will the quay open?", "metaculus")
    add("b", "Will the quay open?!", "fatebook", author=bob)
    add("c", "Will the quay open!?", "infer")
    with pytest.raises(Forbidden, match="may not change 'a'"):
        join_family(session, ["a", "b"], member=bob, now=NOW)
    assert families(session, a) == [""]
    with pytest.raises(Forbidden, match="may not change"):
        tell_apart(session, "a", "c", member=bob, now=NOW)
    tell_apart(session, "a", "b", member=bob, now=NOW)  # one of them is his


@pytest.fixture
def four(two: Session, add: Add) -> Session:
    """Two pairs; the titles and closes of the second are identical."""
    add("a", "Will the quay open?", "metaculus")
    b = add("b", "Will the quay open?!", "fatebook")
    author = two.get_one(Member, b.member_id)
    # As an import has it; registering a question with the same title and close is refused.
    revise(two, b, member=author, now=day(1), title="Will the quay open?")
    return two


def test_identical_pairs_come_first_and_are_told_from_similar_ones(four: Session, add: Add) -> None:
    add("mole", "Will the mole open?", "metaculus")
    add("late", "Will the mole open?", "fatebook", scheduled_close_time=day(11))
    found = same_pairs(four, now=NOW)
    assert [(pair.slugs, pair.is_identical) for pair in found] == [
        (("a", "b"), True),
        (("mole", "late"), False),
        (("metaculus-7", "fatebook-a"), False),
    ]


def test_three_platforms_are_joined_pair_by_pair(session: Session, add: Add, alice: Member) -> None:
    questions = [
        add("a", "Will the quay open?", "metaculus"),
        add("b", "Will the quay open?!", "fatebook"),
        add("c", "Will the quay open!?", "infer", family="harbour"),
    ]
    pairs = same_pairs(session, now=NOW)
    assert len(pairs) == 3
    joined = join_pairs(session, pairs, member=alice, now=NOW)
    assert len(set(families(session, *questions))) == 1
    for one in reversed(joined):
        leave_family(session, one, member=alice, now=NOW)
    assert families(session, *questions) == ["", "", "harbour"]


def test_pairs_that_are_all_joined_already_are_refused(four: Session, alice: Member) -> None:
    pairs = same_pairs(four, now=NOW)
    join_pairs(four, pairs[:1], member=alice, now=NOW)
    assert len(join_pairs(four, pairs, member=alice, now=NOW)) == 1
    with pytest.raises(Refused, match="each pair are already in one family; nothing was changed"):
        join_pairs(four, pairs, member=alice, now=NOW)


def test_many_pairs_are_told_apart_and_that_is_taken_back(four: Session, alice: Member) -> None:
    pairs = same_pairs(four, now=NOW)
    tell_pairs_apart(four, pairs, member=alice, now=NOW)
    assert proposed(four) == []
    tell_pairs_apart(four, pairs, member=alice, now=NOW, apart=False)
    assert len(proposed(four)) == 2


def test_a_refusal_names_the_pair_of_many(four: Session, add: Add, alice: Member) -> None:
    bob = member_or_new(four, "bob", now=day(0))
    teams.create(four, "Alder", member=alice, now=day(0))
    add("own", "Will the mole open?", "metaculus", author=bob)
    add("his", "Will the mole open?!", "fatebook", author=bob)
    own, *others = sorted(same_pairs(four, now=NOW), key=lambda pair: pair.one.slug != "own")
    named = r"“Will the quay open\?” \(a and b\): .*may not change 'a'"
    with pytest.raises(Forbidden, match=named):
        join_pairs(four, [own, *others], member=bob, now=NOW)
    with pytest.raises(Forbidden, match=named):
        tell_pairs_apart(four, others, member=bob, now=NOW)
