"""Revisions: rewordings, and closes by hand."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session

from forecasts.common.errors import BadInput, LedgerError, Refused
from forecasts.ledger.models import Member, Question
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
