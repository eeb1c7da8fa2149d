"""Which questions are shown, and in which order."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts import resolutions
from forecasts.filters import Filter, chosen, labels
from forecasts.models import Member
from forecasts.questions import listing, tags
from tests.conftest import ask, day


@pytest.fixture
def _some(session: Session, alice: Member) -> None:
    ask(session, alice, slug="later", title="Later", scheduled_close_time=day(20), tags=["b", "a"])
    ask(session, alice, slug="sooner", title="Sooner", family="f", background="On the Quay.")
    ask(session, alice, slug="ended", title="Ended", scheduled_close_time=day(3))
    ask(session, alice, slug="upcoming", title="Upcoming", open_time=day(8))
    for slug, closes in (("old", 2), ("recent", 4)):
        question = ask(session, alice, slug=slug, title=slug, scheduled_close_time=day(closes))
        resolutions.confirm(
            session, question, "yes", known_at=day(closes), now=day(5), member=alice
        )


def found(session: Session, by: Filter, standing: set[int] | None = None) -> list[str]:
    questions = listing(session, now=day(5))
    return [stands.slug for stands in chosen(questions, by, standing=standing or set())]


@pytest.mark.usefixtures("_some")
def test_what_can_be_forecast_comes_first_and_what_is_over_last(session: Session) -> None:
    assert found(session, Filter()) == ["sooner", "later", "ended", "upcoming", "recent", "old"]


@pytest.mark.usefixtures("_some")
@pytest.mark.parametrize(
    ("by", "slugs"),
    [
        (Filter(words="the QUAY"), ["sooner"]),
        (Filter(words="quay later"), []),
        (Filter(status="resolved"), ["recent", "old"]),
        (Filter(tag="a"), ["later"]),
        (Filter(family="f"), ["sooner"]),
        (Filter(type="numeric"), []),
    ],
)
def test_every_part_of_a_filter_must_fit(session: Session, by: Filter, slugs: list[str]) -> None:
    assert found(session, by) == slugs


@pytest.mark.usefixtures("_some")
def test_mine_are_those_that_i_stand_behind(session: Session) -> None:
    [sooner] = [s.id for s in listing(session, now=day(5)) if s.slug == "sooner"]
    assert found(session, Filter(mine=True), {sooner}) == ["sooner"]
    assert "sooner" not in found(session, Filter(mine=False), {sooner})


@pytest.mark.usefixtures("_some")
def test_labels_come_once_and_in_order(session: Session) -> None:
    assert labels(listing(session, now=day(5))) == (["a", "b"], ["f"])
    assert tags(session) == ["a", "b"]
