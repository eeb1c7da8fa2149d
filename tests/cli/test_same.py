"""Questions that are the same on two platforms, from the command line."""

import pytest
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import QuestionOrigin
from forecasts.questions.registry import find
from forecasts.questions.revisions import revise
from tests.cli.conftest import Clock, Run
from tests.conftest import ask, day


@pytest.fixture
def two(forecasts: Run, engine: Engine) -> None:
    """The same question of Metaculus and of this ledger."""
    for slug, title in (
        ("metaculus-7", "Will the Fed cut interest rates before 2027?"),
        ("own", "Will the Federal Reserve cut interest rates by 31 December 2026?"),
    ):
        forecasts("ask", title, "--closes", "2026-12-31", "--slug", slug, "--criteria", "As said.")
    with database.writing(engine) as session:
        id_ = find(session, "metaculus-7").id
        origin = {"platform": "metaculus", "platform_id": "7", "recorded_at": day(5)}
        session.add(QuestionOrigin(question_id=id_, **origin))


@pytest.mark.slow
@pytest.mark.usefixtures("two")
def test_a_pair_is_listed_with_the_commands_that_decide_on_it(forecasts: Run) -> None:
    said = forecasts("same")
    assert "metaculus-7  Metaculus: Will the Fed cut interest rates before 2027?" in said.stdout
    assert "own  this ledger: Will the Federal Reserve cut" in said.stdout
    assert "If not: forecasts same metaculus-7 own --different" in said.stderr.replace("\n", " ")
    told_apart = forecasts("same", "metaculus-7", "own", "--different").stdout
    assert told_apart == "metaculus-7 and own: not proposed again\n"
    assert "No two questions" in forecasts("same").stdout


@pytest.mark.usefixtures("two")
def test_named_questions_are_put_into_one_family(forecasts: Run) -> None:
    said = forecasts("same", "own", "metaculus-7")
    assert said.stdout == "In the family own: own, metaculus-7\n"
    assert "forecasts revise metaculus-7 --family ''" in said.stderr
    assert forecasts.printed("show", "own")["family"] == "own"
    assert "look the same" in forecasts("same").stdout


@pytest.mark.usefixtures("two")
def test_different_takes_one_pair_and_identical_no_question(forecasts: Run) -> None:
    for more in ("own", "--different"):
        said = "it takes no question, and not --different"
        assert said in forecasts.refused("same", "--identical", more)
    assert "needs two questions" in forecasts.refused("same", "--different")
    three = ("own", "metaculus-7", "own")
    assert "takes two questions, got 3" in forecasts.refused("same", *three, "--different")
    assert "at least two" in forecasts.refused("same", "own")


@pytest.fixture
def identical(engine: Engine, two: None) -> None:
    """Two more of Metaculus that are asked here in the same words, with the same close."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for number, title in ((8, "Will the quay open?"), (9, "Will the ferry sail?")):
            asked = ask(session, alice, slug=f"metaculus-{number}", title=title)
            origin = {"platform": "metaculus", "platform_id": str(number), "recorded_at": day(0)}
            session.add(QuestionOrigin(question_id=asked.id, **origin))
            own = ask(session, alice, slug=f"own-{number}", title=f"{title}!")
            # As an import has it: registering the same title and close is refused.
            revise(session, own, member=alice, now=day(1), title=title)


@pytest.mark.usefixtures("identical")
def test_identical_pairs_are_joined_after_a_listing_and_a_confirmation(forecasts: Run) -> None:
    assert "forecasts same --identical" in forecasts("same").stderr
    said = forecasts("same", "--identical", exit_code=2)
    assert "own-8  this ledger: Will the quay open?" in said.stdout
    assert "Fed" not in said.stdout
    assert "Join 2 pairs? There is no terminal to answer on.\nAdd --yes." in said.stderr
    said = forecasts("same", "--identical", "--yes")
    assert "In the family metaculus-8: metaculus-8, own-8\n" in said.stdout
    assert "In the family metaculus-9: metaculus-9, own-9\n" in said.stdout
    assert "forecasts revise own-9 --family ''" in said.stderr
    assert forecasts.printed("show", "own-8")["family"]
    assert "forecasts same --identical" not in forecasts("same").stderr
    said = forecasts("same", "--identical", "--yes")
    assert "No two questions have the same title, type and scheduled close." in said.stdout


@pytest.mark.usefixtures("two")
def test_a_family_that_reports_will_not_count_is_said_to_come_too_late(
    forecasts: Run, clock: Clock
) -> None:
    clock("2027-01-02T12:00:00Z")
    late = (
        "Reports do not count this for metaculus-7 and own: their outcomes may already be known.\n"
    )
    told_apart = forecasts("same", "own", "metaculus-7", "--different").stdout
    assert told_apart == f"own and metaculus-7: not proposed again\n{late}"
    joined = forecasts("same", "own", "metaculus-7").stdout
    assert joined == f"In the family own: own, metaculus-7\n{late}"
    revised = forecasts("revise", "own", "--family", "").stdout
    assert "Reports do not count this for own: its outcome may already be known.\n" in revised
