"""Bulk actions: all or nothing, without changing questions that already match."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.access import teams
from forecasts.common.errors import BadInput
from forecasts.ledger.models import Member, Question
from forecasts.questions import registry
from forecasts.updates import bulk, updates
from forecasts.updates.bulk import BulkAction
from forecasts.values.value import Value
from tests.conftest import ask, day


@pytest.fixture
def three(session: Session, alice: Member) -> list[Question]:
    return [ask(session, alice, slug=slug, title=f"{slug}?", tags=["w"]) for slug in "abc"]


def do(session: Session, act: BulkAction, what: str, member: Member, slugs: str = "ab") -> int:
    return bulk.apply_action(session, act, what, list(slugs), member=member, now=day(2))


@pytest.mark.parametrize(
    ("act", "what", "field", "value"),
    [
        (BulkAction.tag, " trade ", "tags", ["w", "trade"]), (BulkAction.untag, "w", "tags", None),
        (BulkAction.family, "f", "family", "f"), (BulkAction.show, "me", "visibility", "author"),
        (BulkAction.rewrite, " So.\nOr so. ", "resolution_criteria", "So.\nOr so."),
        (BulkAction.team, "Alder", "team_id", 1),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("three")
def test_each_becomes_its_target(
    session: Session, alice: Member, act: BulkAction, what: str, field: str, value: object
) -> None:
    teams.create(session, "Alder", member=alice, now=day(1))
    assert do(session, act, what, alice) == 2
    assert do(session, act, what, alice) == 0
    texts = [registry.newest_wording(session, registry.find(session, slug)) for slug in "abc"]
    assert [getattr(text, field) for text in texts[:2]] == [value] * 2
    assert [text.number for text in texts] == [2, 2, 1]


def test_criteria_are_set_only_where_a_question_has_none(session: Session, alice: Member) -> None:
    for slug, criteria in (("a", ""), ("b", "So.")):
        ask(session, alice, slug=slug, title=f"{slug}?", resolution_criteria=criteria)
    assert do(session, BulkAction.criteria, "Or so.", alice) == 1
    newest = registry.newest_wording(session, registry.find(session, "b"))
    assert newest.resolution_criteria == "So."


@pytest.mark.usefixtures("three")
def test_a_preview_refuses_what_the_act_would(session: Session, alice: Member, bob: Member) -> None:
    teams.create(session, "Alder", member=alice, now=day(1))
    for verb in (bulk.affected_questions, bulk.apply_action):
        with pytest.raises(BadInput, match="3 of 3 questions cannot be changed in this way"):
            verb(session, BulkAction.untag, "w", list("abc"), member=bob, now=day(2))


def test_only_current_are_withdrawn(session: Session, alice: Member, three: list[Question]) -> None:
    updates.update(session, three[0], Value(0.4), member=alice, now=day(1))
    assert do(session, BulkAction.withdraw, "", alice) == 1
    assert updates.current_forecast(session, three[0], alice, at=day(3)) is None


@pytest.mark.usefixtures("three")
def test_an_invalid_tag_or_too_many_questions_are_refused(session: Session, alice: Member) -> None:
    for tag in (" ", "a, b"):
        with pytest.raises(BadInput, match="is not a tag"):
            do(session, BulkAction.tag, tag, alice)
    many = [str(number) for number in range(201)]
    with pytest.raises(BadInput, match="at most 200"):
        bulk.apply_action(session, BulkAction.untag, "w", many, member=alice, now=day(2))
