"""How often a page asks the database: as often of a long story as of a short one."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts import database, questions, resolutions, updates
from forecasts.access import member_or_new
from forecasts.updates import Cited
from forecasts.values import Value
from tests.app.conftest import visit
from tests.conftest import ask, counted_statements, day

MOST = {"today": 40, "question": 40}


def more(engine: Engine) -> None:
    """Make every list of the page longer: questions, forecasters, updates, evidence."""
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        for number in range(4):
            who = member_or_new(ledger, f"forecaster {number}", now=day(0))
            updates.update(
                ledger,
                questions.find(ledger, "quay"),
                Value(probability=0.5 + number / 100),
                member=who,
                now=day(4),
                rationale="Because",
                evidence=[Cited(note=f"note {number}")],
            )
            for slug in (f"open-{number}", f"mine-{number}", f"over-{number}"):
                asked = ask(ledger, who, slug=slug, title=f"{slug}?")
                if not slug.startswith("open"):
                    value = Value(probability=0.3)
                    updates.update(ledger, asked, value, member=alice, now=day(2))
                if slug.startswith("over"):
                    resolutions.confirm(
                        ledger, asked, "yes", known_at=day(3), now=day(4), member=who
                    )


@pytest.mark.parametrize(("page", "query"), [("today", {}), ("question", {"slug": "quay"})])
def test_a_page_asks_as_often_of_much_as_of_little(
    furnished: AppTest, engine: Engine, page: str, query: dict[str, str]
) -> None:
    counts = []
    for grow in (False, True):
        if grow:
            more(engine)
        visit(furnished, page, **query)  # what is read once a process is read by now
        with counted_statements(Engine) as statements:
            visit(furnished, page, **query)
        assert not furnished.exception
        counts.append(len([one for one in statements if not one.startswith("BEGIN")]))
    assert counts[0] == counts[1] <= MOST[page], counts
