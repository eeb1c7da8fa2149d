"""Track record: the report on a forecaster, a team or everyone, and the limits of its claims."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access import members
from forecasts.ledger import database
from forecasts.resolution import confirmation
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.app.conftest import columns, register, say, settle, visit, words
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


def test_below_30_questions_it_is_too_few_to_tell_and_measures_are_named(
    furnished: AppTest,
) -> None:
    said = words(visit(furnished, "track_record"))
    assert "With so few, luck can look like a fault, or hide one." in said
    [bar] = furnished.get("progress")
    assert bar.proto.text == (
        "Too few to tell: 1 question. A verdict on calibration takes 29 more."
    )
    assert furnished.multiselect(key="names-forecaster").value == ["alice"]
    # The diagram has its numbers in a table.
    bins = columns(furnished, "Came true")
    assert next(iter(bins["Forecasts"])) == "0 to 10%"
    assert len(bins) == 10
    assert "The table has the numbers" in str(furnished.get("vega_lite_chart")[0].proto)
    labels = [button.label for button in furnished.get("download_button")]
    assert labels == ["PDF", "HTML", "CSV", "MD", "JSON"]
    # Both Brier scales, the tests and the intervals are named.
    said = words(furnished.selectbox(key="cohort").select("All resolved").run())
    shown = {metric.label: metric.value for metric in furnished.metric}
    by_hand = (0.8**2 + 0.4**2) / 2
    assert shown["Brier (0–1)"] == f"{by_hand:.3f}"
    assert shown["Questions"] == "1"
    measures = columns(furnished, "Value").set_index("Measure")["Value"]
    assert measures["Brier, original (0–2)"] == f"{2 * by_hand:.3f}"
    assert "2 updates" in said
    assert "no interval: too few families" in said
    assert "p-values are over 1 family of questions" in said
    assert next(iter(columns(furnished, "Test")["Test"])).startswith("Recalibration line")


def test_without_scores_nothing_is_drawn_or_published(furnished: AppTest) -> None:
    visit(furnished, "track_record")
    said = words(furnished.multiselect(key="names-forecaster").set_value(["bob (simulated)"]).run())
    assert "No results yet. Scores appear here once questions with forecasts resolve." in said
    assert "Left out: 3 still open" in said
    assert not furnished.get("vega_lite_chart")
    assert not furnished.metric
    assert "curve" not in said
    assert "publish" not in [one.key for one in furnished.button]  # another's record


def test_below_30_questions_the_best_and_worst_come_first(
    furnished: AppTest, engine: Engine
) -> None:
    for slug, p in (("sleet", 0.9), ("hail", 0.2)):
        register(engine, slug, title=f"Will it {slug}?")
        say(engine, slug, p, at=0)
        settle(engine, slug, "yes", known=2, at=3)  # early: the scheduled close is on day 10
    said = words(visit(furnished, "track_record"))
    assert [head.value for head in furnished.subheader][:3] == ["alice", "Best", "Worst"]
    assert "last forecast 90%, outcome **yes**" in said
    assert "last forecast 20%, outcome **yes**" in said
    links = {one.proto.label: one.proto.query_string for one in furnished.get("page_link")}
    assert links["Brier 0.0100"] == "question=sleet"
    # The score counts all three, the verdict only the one whose scheduled close has passed.
    shown = {metric.label: metric.value for metric in furnished.metric}
    assert shown["Questions"] == "3"
    assert "2 questions resolved early and will count for the verdict" in said


def test_several_records_are_side_by_side_and_one_in_full(furnished: AppTest) -> None:
    visit(furnished, "track_record", cohort="All resolved")
    both = ["alice", "bob (simulated)"]
    said = words(furnished.multiselect(key="names-forecaster").set_value(both).run())
    assert list(furnished.table[0].value[" "]) == [
        name.replace("(", "\\(").replace(")", "\\)") for name in both
    ]
    assert all(f"**{name}**: Too few to tell" in said for name in both)
    assert "Murphy curves" in said
    assert furnished.selectbox(key="full").value == "alice"
    assert not furnished.exception
    assert "Choose at least one" in words(
        furnished.multiselect(key="names-forecaster").set_value([]).run()
    )


def test_an_empty_ledger_has_no_record(app: AppTest) -> None:
    assert "No forecasts yet." in words(visit(app, "track_record"))


def test_a_record_of_hidden_forecasts_says_so(app: AppTest, engine: Engine) -> None:
    with database.writing(engine) as session:
        bob = members.member_or_new(session, "bob", now=day(0))
        hidden = ask(session, bob, crowd_hidden=True, scheduled_close_time=day(9999))
        updates.update(session, hidden, Value(probability=0.4), member=bob, now=day(1))
    assert "Others’ forecasts are hidden until you forecast" in words(visit(app, "track_record"))


def keep_a_record(engine: Engine, questions: Iterable[tuple[float, str, float]]) -> None:
    """Let alice forecast each question once: the probability, the outcome, the day it is known."""
    with database.writing(engine) as ledger:
        alice = members.member_or_new(ledger, "alice", now=day(0))
        for number, (p, outcome, known) in enumerate(questions):
            title, closes = f"Event {number}", day(3)
            question = ask(
                ledger, alice, slug=f"q{number}", title=title, scheduled_close_time=closes
            )
            updates.update(ledger, question, Value(probability=p), member=alice, now=day(0))
            when = {"known_at": day(known), "now": day(4)}
            confirmation.confirm(ledger, question, outcome, member=alice, **when)


def test_from_30_questions_the_verdict_and_advice_come_first(app: AppTest, engine: Engine) -> None:
    # Seven of ten are right.
    outcomes = [("no" if (n % 2 == 0) == (n % 10 > 2) else "yes") for n in range(40)]
    keep_a_record(engine, [(0.95 if n % 2 else 0.05, said, 3) for n, said in enumerate(outcomes)])
    said = words(visit(app, "track_record"))
    top = app.warning[0].value.replace("\\", "")
    assert top.startswith(
        "**You are overconfident. When you say 95%, it happens 70% of the time.**"
    )
    assert "Luck alone would look like this in" in top
    assert [head.value for head in app.header][:2] == ["Reliability", "Changes to make"]
    assert "Be less sure: instead of 95%, say closer to 70%." in said
    folded = [one.label for one in app.expander if one.label != "Filters"]
    assert folded[:3] == ["Best and worst questions", "How we know", "Scores"]
    assert "Errors and discrimination" in [head.value for head in app.subheader]
    # A Brier score of 0.27, and 0.25 of the base rate without the question itself.
    measures = columns(app, "Value").set_index("Measure")["Value"]
    assert measures["Brier skill, base rate"].startswith("−")
    assert "the first had the higher forecast in" in said


def test_staleness_leads_to_the_questions_that_needed_a_review(
    app: AppTest, engine: Engine
) -> None:
    # Each yes closes its question early.
    keep_a_record(engine, [(0.5, "yes", n / 15) if n % 2 else (0.5, "no", 3) for n in range(36)])
    said = words(visit(app, "track_record")).replace("\\", "")
    assert "Staleness" in [head.value for head in app.subheader]
    assert "Unrevised forecasts grew too high. With hindsight, lowering each" in said
    assert "50% unrevised for 3 days" in said
    assert "Reviews that would have paid most" in said
    links = [link.proto.label for link in app.get("page_link")]
    assert sum(label.startswith("Event ") for label in links) >= 5
    assert not app.exception


def test_numbers_and_dates_have_a_part_of_their_own(app: AppTest, engine: Engine) -> None:
    depth = {"type": "numeric", "lower_bound": "0", "upper_bound": "30"}
    register(engine, "depth", scheduled_close_time=day(3), **depth)
    say(engine, "depth", Value(quantiles={"0.1": 5, "0.5": 10, "0.9": 20}), at=0)
    settle(engine, "depth", "12", known=3, at=4)
    said = words(visit(app, "track_record"))
    assert [head.value for head in app.header] == ["Numbers and dates"]
    assert "Too few to tell: 1 numeric or date question in 1 family" in said
    # Quartiles were not stated.
    assert "100% of outcomes lie in the middle 80%" in said.replace("\\", "")
    assert not app.exception


def test_other_groups_have_a_record_too(furnished: AppTest) -> None:
    visit(furnished, "track_record", of="Team", cohort="All resolved")
    assert furnished.multiselect(key="names-team").value == ["Harbour watchers"]
    for of, name in (("Tag", "weather"), ("Everyone", "Everyone")):
        furnished.segmented_control(key="of").set_value(of).run()
        assert not furnished.exception
        assert furnished.subheader[0].value == name
    furnished.text_input(key="made-before").input("2026-01-02").run()
    assert "Only forecasts made before 2026-01-02" in words(furnished)


def test_ones_own_record_is_published_as_an_archive_that_names_its_omissions(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "track_record")
    furnished.text_input(key="publish-url").set_value("nowhere")
    said = words(furnished.button(key="publish").click().run())
    assert "'nowhere' is not the address of a site." in said
    say(engine, "rain", 0.4, at=5, rationale="See https://kate:pw@example.org.")
    furnished.text_input(key="publish-url").set_value("")
    furnished.button(key="publish").click().run()
    assert not furnished.exception
    [button] = [one for one in furnished.get("download_button") if "download-site" in one.proto.id]
    assert button.proto.label == "Download"
    [warning] = furnished.warning
    assert warning.value.startswith("rain\\: 1 rationale or note is left out")
