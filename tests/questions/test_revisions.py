"""Revisions: rewordings, and closes by hand."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session

from forecasts.access import teams
from forecasts.common.errors import BadInput, Forbidden, LedgerError, Refused
from forecasts.ledger.models import Member, Question, Visibility
from forecasts.questions import registry, revisions, standing
from forecasts.questions.standing import Status
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day, on_both, resolve


def revise(session: Session, question: Question, member: Member, at: float, **fields: Any) -> None:
    revisions.revise(session, question, member=member, now=day(at), reason="clearer", **fields)


def closes(session: Session, question: Question) -> Any:
    return registry.newest_wording(session, question).close_time


@on_both
def test_a_revision_is_a_new_row(session: Session, alice: Member, question: Question) -> None:
    revise(session, question, alice, 2, title="Will it rain much?", tags=["weather"])
    first, second = revisions.history(session, question)
    assert (first.title, second.title) == ("Will it rain?", "Will it rain much?")
    assert (second.number, second.reason, second.recorded_at) == (2, "clearer", day(2))
    assert registry.newest_wording(session, question) == second
    assert [(change.name, *change.formatted()) for change in revisions.changes(first, second)] == [
        ("title", "Will it rain?", "Will it rain much?"),
        ("tags", "blank", "weather"),
    ]


@on_both
def test_several_are_revised_together_or_none_with_the_reasons(
    session: Session, alice: Member, bob: Member
) -> None:
    for slug, who, criteria in (
        ("rain", alice, "So"), ("snow", alice, ""), ("hail", bob, ""), ("fog", bob, "So"),
    ):  # fmt: skip
        ask(session, who, slug=slug, title=f"{slug}?", resolution_criteria=criteria)
    teams.create(session, "Alder", member=alice, now=day(0))
    audience = teams.visibility_fields(session, "Alder")

    def change(who: Member, *slugs: str, **fields: Any) -> list[tuple[str, str, str]]:
        done = revisions.revise_all(
            session, slugs, lambda _: fields, member=who, now=day(2), reason="one for all"
        )
        return [(one.state.slug, one.before.family, one.after.family) for one in done]

    every = ("rain", "snow", "hail", "fog")
    with pytest.raises(BadInput, match="4 of 4 questions cannot be changed in this way") as caught:
        change(bob, *every, **audience)
    rules = [(one.place, one.value, one.rule.partition(":")[0]) for one in caught.value.problems]
    assert rules == [
        ("2 questions", "rain and snow", "bob may not change the question"),
        ("2 questions", "hail and fog", "bob may not ask a question Alder"),
    ]
    with pytest.raises(Forbidden, match="bob may not change 'rain'"):  # a single one as it is
        change(bob, "rain", "hail", family="wet")
    assert all(len(revisions.history(session, registry.find(session, slug))) == 1 for slug in every)
    found = change(alice, *every, family="wet")
    assert sorted(found) == [(slug, "", "wet") for slug in sorted(every)]
    assert change(alice, *every, family="wet") == []
    assert revisions.history(session, registry.find(session, "fog"))[1].reason == "one for all"
    change(alice, "snow", "hail", visibility=Visibility.author)
    with pytest.raises(Refused, match="'snow' has no resolution criteria") as single:
        change(alice, "rain", "snow", **audience)
    assert "forecasts revise snow --criteria" in single.value.remedy
    with pytest.raises(BadInput) as both:
        change(alice, "snow", "hail", **audience)
    [problem] = both.value.problems
    assert problem.place == "2 questions"
    assert problem.rule.startswith("the question has no resolution criteria")
    assert "forecasts revise" not in problem.rule  # that is of one question
    assert len(change(alice, "rain", "snow", resolution_criteria="So.", **audience)) == 2
    with pytest.raises(BadInput, match="1 of 1 question cannot be changed") as unnamed:
        revisions.to_revise(
            session, every, lambda text: {"title": text.title.removeprefix("fog?")}, now=day(2)
        )
    assert [(one.place, one.rule) for one in unnamed.value.problems] == [
        ("1 question", "The question has no title. Give it a title.")
    ]
    many = [str(number) for number in range(revisions.MAX_QUESTIONS + 1)]
    with pytest.raises(BadInput, match="at most 200"):
        change(alice, *many, family="dry")


def test_a_preview_lists_changes_and_writes_nothing(session: Session, question: Question) -> None:
    text = registry.newest_wording(session, question)
    new = revisions.reworded(text, scheduled_close_time=day(12), ordered=False)
    [change] = revisions.changes(text, new)
    assert change.name == "scheduled close time"
    assert change.formatted() == ("2026-01-11 00:00 UTC", "2026-01-13 00:00 UTC")
    assert len(revisions.history(session, question)) == 1


def test_a_bad_revision_is_refused(session: Session, alice: Member, question: Question) -> None:
    number: dict[str, Any] = {"type": "numeric", "lower_bound": "0", "upper_bound": "9"}
    cases: tuple[tuple[dict[str, Any], type[LedgerError], str], ...] = (
        ({}, Refused, "already has this wording"),
        ({"title": "Will it rain?", "tags": []}, Refused, "already has this wording"),
        ({"title": " "}, BadInput, "The question has no title."),
        ({"scheduled_close_time": day(2)}, Refused, "has already passed"),
        ({"scheduled_close_time": day(0)}, BadInput, "must come after the open time"),
        (number, Refused, "type .* is fixed"),
    )
    for fields, error, words in cases:
        with pytest.raises(error, match=words):
            revise(session, question, alice, 2, **fields)
    assert len(revisions.history(session, question)) == 1


def test_options_are_added_before_the_last_and_not_moved(session: Session, alice: Member) -> None:
    question = ask(session, alice, type="multiple_choice", options=["a", "Other"])
    revise(session, question, alice, 1, options=["a", "b", "Other"])
    for options in (
        ["b", "a", "Other"],
        ["a", "b", "Other", "c"],
        ["a", "Other"],
        ["c", "a", "b", "Other"],
    ):
        with pytest.raises(Refused, match="new options go before the last one"):
            revise(session, question, alice, 2, options=options)


def test_after_a_resolution_only_words_may_change(session: Session, alice: Member) -> None:
    question = ask(session, alice, type="multiple_choice", options=["a", "Other"])
    resolve(session, question, alice, "a", 3, at=3)
    for fields in ({"options": ["a", "b", "Other"]}, {"scheduled_close_time": day(20)}):
        with pytest.raises(Refused, match="is resolved, and its scores"):
            revise(session, question, alice, 4, **fields)
    revise(session, question, alice, 4, title="Which one?")
    assert registry.newest_wording(session, question).title == "Which one?"
    assert closes(session, question) == day(3)


def test_a_later_close_opens_it_again(session: Session, alice: Member, question: Question) -> None:
    assert standing.current_state(session, question, now=day(11)).status == Status.awaiting
    revise(session, question, alice, 11, scheduled_close_time=day(20))
    assert standing.current_state(session, question, now=day(11)).status == Status.open


def test_an_early_close_ends_updates(session: Session, alice: Member, question: Question) -> None:
    value = Value(probability=0.5)
    revisions.close(session, question, at=day(3), member=alice, now=day(3))
    with pytest.raises(Refused, match="closed at 2026-01-04"):
        updates.update(session, question, value, member=alice, now=day(4))
    revisions.reopen(session, question, member=alice, now=day(5))
    updates.update(session, question, value, member=alice, now=day(5))
    reasons = [revision.reason for revision in revisions.history(session, question)]
    assert reasons == ["registered", "closed early", "early close taken back"]


def test_an_early_close_is_in_the_past(session: Session, alice: Member, question: Question) -> None:
    for at in (-1, 0, 4.1, 10, 11):
        with pytest.raises(Refused, match="not an early close"):
            revisions.close(session, question, at=day(at), member=alice, now=day(4))
    # It may be put right by another.
    for at in (3, 5, 2):
        revisions.close(session, question, at=day(at), member=alice, now=day(6))
        assert closes(session, question) == day(at)
    with pytest.raises(Refused, match="nothing was changed"):
        revisions.close(session, question, at=day(2), member=alice, now=day(6))


def test_a_resolution_fixes_the_close(session: Session, alice: Member, question: Question) -> None:
    resolve(session, question, alice, "yes", 3, at=3)
    with pytest.raises(Refused, match="is resolved"):
        revisions.close(session, question, at=day(2), member=alice, now=day(4))
    with pytest.raises(Refused, match="is resolved"):
        revisions.reopen(session, question, member=alice, now=day(4))


@pytest.mark.parametrize("reason", ["its family", " close assumed ", "the outcome became known"])
def test_a_member_gives_no_reason_of_the_ledger(
    session: Session, alice: Member, question: Question, reason: str
) -> None:
    changed: dict[str, Any] = {"member": alice, "now": day(1), "reason": reason}
    with pytest.raises(Refused, match="only the ledger gives"):
        revisions.revise(session, question, title="Will it pour?", **changed)
    with pytest.raises(Refused, match="only the ledger gives"):
        revisions.revise_all(session, [question.slug], lambda _: {"tags": ["rain"]}, **changed)
