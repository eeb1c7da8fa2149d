"""Question: the chart, the form of each question type, withdrawal, history."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.documents.numbers import number
from forecasts.ledger import database
from forecasts.ledger.models import QuestionRevision
from forecasts.questions import registry, revisions
from forecasts.scores import stored_scores
from forecasts.updates.comments import comment
from forecasts.values.value import Value
from tests.app.conftest import (
    columns,
    confirmed,
    errors,
    fill,
    forecasts,
    keys,
    page_links,
    register,
    say,
    settle,
    submit,
    visit,
    words,
)
from tests.conftest import day

pytestmark = pytest.mark.slow


def wordings(engine: Engine, slug: str) -> list[QuestionRevision]:
    with database.reading(engine) as ledger:
        return revisions.history(ledger, registry.find(ledger, slug))


def type_value(app: AppTest, slug: str, typed: str) -> None:
    app.text_input(key=f"forecast-{slug}#0-value").input(typed).run()


def save(app: AppTest, slug: str) -> None:
    app.button(key=f"forecast-{slug}#0-save").click().run()


def test_the_page_shows_the_question_its_source_and_its_forecasts(furnished: AppTest) -> None:
    said = words(visit(furnished, "question", slug="quay"))
    for part in (
        "Will the quay open?",
        "“The harbour master will open the quay by 20 January 2026.”",
        "Harbour works fall behind",
        "**bob (simulated)** — 20%",
        "closes in 15 days · 21 Jan 2026, 00:00 UTC",
        "Family: harbour",
        "You haven’t forecast this yet.",
    ):
        assert part in said
    assert "If it resolved" not in said
    assert "Closes: " not in said
    assert furnished.code[0].value == "quay"
    assert not furnished.get("download_button")


def test_a_forecast_comes_with_evidence_a_receipt_and_its_score_so_far(furnished: AppTest) -> None:
    said = words(visit(furnished, "question", slug="rain"))
    assert "*supports yes*: [Harbour works fall behind](<https://example.org/harbour>)" in said
    assert "Clouds *are* gathering" in said
    assert "If it resolved yes today: 0.0900; no: 0.490 (Brier)" in said
    assert "A proposed outcome awaits a decision." in said
    headings = [header.value for header in furnished.header]
    assert headings.index("Your forecast") < headings.index("Resolution criteria")
    [button] = furnished.get("download_button")
    assert button.proto.label == "Receipts of your forecasts"
    # The chart has a table, and its evidence is a list too.
    [chart] = furnished.get("vega_lite_chart")
    assert "Your line ends at 70%. The crowd’s median ends at 55%, of 2 active forecasts." in str(
        chart.proto
    )
    table = columns(furnished, "Crowd’s median")
    assert list(table["Forecaster"]) == ["bob (simulated)", "alice"]
    assert list(table["Forecast"]) == ["40%", "70%"]
    assert list(table["Crowd’s median"]) == ["55%", "70%"]
    assert "Evidence (1)" in [one.label for one in furnished.expander]
    assert "▲ *supports* [Harbour works fall behind" in said
    assert "alice · 70% · 2 Jan 2026, 00:00 UTC" in said


def test_an_unknown_question_leads_to_similar_ones_and_to_all(furnished: AppTest) -> None:
    visit(furnished, "question", slug="rian")
    assert "no question" in errors(furnished)
    linked = [link.proto.label for link in furnished.get("page_link")]
    assert linked[-2:] == ["Will it rain\\?", "All questions"]
    assert "Pick a question first" in words(visit(furnished, "question"))
    assert not furnished.exception


def test_a_value_that_cannot_be_saved_says_so_and_a_moved_bar_rebalances_the_others(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "question", slug="port")
    type_value(furnished, "port", "Busan=60%, Ulsan=20%, Other=10%")
    assert "**Cannot be saved:** The probabilities sum to 90%" in words(furnished)
    save(furnished, "port")
    assert "sum to 90" in errors(furnished)
    assert len(forecasts(engine, "port")) == 1
    type_value(furnished, "port", "Busan=50%, Ulsan=30%, Other=20%")
    furnished.slider[0].set_value(60).run()
    assert [bar.value for bar in furnished.slider] == [60, 24, 16]
    written = furnished.text_input(key="forecast-port#0-value~1").value
    assert written == "Busan=60%, Ulsan=24%, Other=16%"
    save(furnished, "port")
    assert forecasts(engine, "port")[-1].probabilities == [0.6, 0.24, 0.16]


def test_five_quantiles_are_entered_and_their_density_is_drawn(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "question", slug="depth")
    assert furnished.selectbox(key="forecast-depth#0-stance").label == "Effect on a higher number"
    for place, metres in enumerate((2.0, 5.0, 8.0, 12.0, 20.0)):
        furnished.number_input(key=f"forecast-depth#0-level-{place}").set_value(metres).run()
    written = furnished.text_input(key="forecast-depth#0-value~5").value
    assert written == "5%=2, 25%=5, 50%=8, 75%=12, 95%=20"
    [drawn] = furnished.get("vega_lite_chart")
    assert "25% from 5 m to 8 m" in str(drawn.proto)
    assert list(columns(furnished, "Chance")["Chance"]) == [
        f"{chance}%" for chance in (5, 20, 25, 25, 20, 5)
    ]
    save(furnished, "depth")
    levels = {"0.05": 2.0, "0.25": 5.0, "0.5": 8.0, "0.75": 12.0, "0.95": 20.0}
    assert forecasts(engine, "depth")[-1].quantiles == levels


def test_a_typed_forecast_shows_its_expected_score(furnished: AppTest, engine: Engine) -> None:
    say(engine, "quay", 0.58)
    visit(furnished, "question", slug="quay")
    assert "58%, odds 1.4:1. Expected Brier 0.244 if right." in words(furnished)
    type_value(furnished, "quay", "4:1")
    assert "80%, odds 4:1. Expected Brier 0.208 → 0.160 if right." in words(furnished)
    assert furnished.slider[0].value == 80


def test_a_withdrawal_is_a_row_of_its_own(furnished: AppTest, engine: Engine) -> None:
    say(engine, "quay", 0.3)
    visit(furnished, "question", slug="quay")
    submit(furnished, "withdraw-quay#0", "go", reason="I know too little")
    row = forecasts(engine, "quay")[-1]
    assert (row.withdrawn, row.rationale) == (True, "I know too little")
    assert confirmed(furnished) == ["Withdrew 30% from “Will the quay open?”."]
    assert "You withdrew your forecast 6 Jan 2026, 00:00 UTC." in words(furnished)


def test_a_resolved_question_shows_its_outcome_scores_and_corrections(
    furnished: AppTest, engine: Engine
) -> None:
    said = words(visit(furnished, "question", slug="snow"))
    assert "Outcome: no" in said
    assert "No flake fell." in said
    assert furnished.metric[0].value == "0.400"
    scores = columns(furnished, "Coverage")
    assert list(scores)[1:3] == ["Brier (0–1)", "At close (0–1)"]
    assert list(scores.iloc[0]) == ["alice", "0.400", "0.160", "100%", "2"]
    [link] = [one.proto for one in page_links(furnished) if one.proto.page == "my_scores"]
    assert (link.label, link.query_string) == ("Score of each update", "question=snow")
    settle(engine, "snow", "yes", known=None, note="It did.")
    said = words(furnished.run())
    assert said.index("**confirmed: yes**") < said.index("**confirmed: no**")
    assert "*corrected*: no → yes" in said
    assert "5 Jan 2026, 12:00 UTC · bob (simulated) · superseded" in said
    compared = columns(furnished, "Difference").iloc[0]
    assert list(compared) == ["alice", "0.400", "0.200", "−0.200"]
    assert "Brier score: 0 is best, so a difference below 0 is an improvement." in said


def test_the_discussion_has_reasons_with_their_changes_and_comments_newest_first(
    furnished: AppTest, engine: Engine
) -> None:
    say(engine, "rain", 0.9, at=4)
    with database.writing(engine) as ledger:
        alice, rain = member_or_new(ledger, "alice", now=day(0)), registry.find(ledger, "rain")
        comment(ledger, rain, "A front", member=alice, now=day(4), explains_forecast=True)
        comment(ledger, rain, "Which gauge?", member=alice, now=day(5))
        comment(ledger, rain, "A long story. " * 100, member=alice, now=day(3))
    said = words(visit(furnished, "question", slug="rain"))
    assert "Discussion (4)" in [tab.label for tab in furnished.tabs]
    assert "Full text" in [one.label for one in furnished.expander]
    assert "alice: 70% → 90% · 5 Jan 2026, 00:00 UTC" in said
    assert said.index("Which gauge?") < said.index("A front") < said.index("Clouds *are*")
    assert said.count("A front") == 2  # in the list of forecasts too
    submit(furnished, "comment-rain#0", "save", text="Whose *gauge*?")
    assert confirmed(furnished) == ["Added your comment."]
    assert "Discussion (5)" in [tab.label for tab in furnished.tabs]
    furnished.button(key="comment-rain#1-save").click().run()
    assert "The comment has no text." in words(furnished)


def test_a_new_wording_is_seen_before_it_is_saved(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "question", slug="rain")
    fill(furnished, "revise-rain-1#0", title="Will it rain in town?", tags="")
    given = {"scheduled_close_time": "2026-01-20", "reason": "Which place was not said"}
    submit(furnished, "revise-rain-1#0", "look", criteria="Yes if the gauge is wet.", **given)
    said = words(furnished)
    for change in (
        "*title*: Will it ~~rain?~~ **rain in town?**",
        "*scheduled close time*: 11 Jan 2026, 00:00 UTC → 20 Jan 2026, 23:59 UTC",
        "*tags*: weather → blank",
        "*resolution criteria*: Yes if **the gauge is** wet.",
        "Struck through: removed. Bold: added.",
    ):
        assert change in said
    assert len(wordings(engine, "rain")) == 1  # previewed, not saved yet
    furnished.button(key="revise-rain-1#0-save").click().run()
    assert confirmed(furnished) == ["Saved wording 2 of “Will it rain in town?”."]
    first, second = wordings(engine, "rain")
    assert (second.title, second.tags) == ("Will it rain in town?", None)
    assert second.reason == "Which place was not said"
    assert second.background == first.background
    said = words(furnished)
    assert said.index("**2. Will it rain in town?**") < said.index("**1. Will it rain?**")
    assert "Which place was not said" in said


def test_an_unchanged_wording_and_one_that_breaks_a_rule_are_not_saved(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "question", slug="quay")
    furnished.button(key="revise-quay-1#0-look").click().run()
    assert "No changes" in words(furnished)
    assert "revise-quay-1#0-save" not in keys(furnished)
    submit(furnished, "revise-quay-1#0", "look", title="  ", criteria="Yes if a ship lies there.")
    assert [error.value for error in furnished.error] == [
        "The question has no title\\.\n\nGive it a title\\."
    ]
    assert furnished.text_area(key="revise-quay-1#0-criteria").value == "Yes if a ship lies there."
    given = {"title": "Will the quay open?", "scheduled_close_time": "2026-01-02"}
    submit(furnished, "revise-quay-1#0", "look", **given)
    furnished.button(key="revise-quay-1#0-save").click().run()
    assert "has already passed" in furnished.error[0].value
    assert furnished.text_area(key="revise-quay-1#0-criteria").value == "Yes if a ship lies there."
    assert len(wordings(engine, "quay")) == 1


def test_an_ended_question_is_not_closed_and_a_resolved_one_is_reworded_alone(
    furnished: AppTest,
) -> None:
    for slug in ("ended", "snow"):
        visit(furnished, "question", slug=slug)
        assert not {f"close-{slug}#0-go", f"reopen-{slug}#0-go"} & set(keys(furnished))
    assert "revise-snow-1#0-scheduled_close_time" not in keys(furnished)
    submit(furnished, "revise-snow-1#0", "look", title="Will it snow in town?")
    furnished.button(key="revise-snow-1#0-save").click().run()
    assert furnished.title[0].value == "Will it snow in town\\?"


def test_a_question_is_closed_early_once_that_is_confirmed_and_opened_again(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "question", slug="quay")
    submit(furnished, "close-quay#0", "go", at="2026-01-05 12:00")
    assert "The question was not closed" in furnished.error[0].value
    submit(furnished, "close-quay#0", "go", sure=True)
    assert confirmed(furnished) == ["Closed at 5 Jan 2026, 12:00 UTC: “Will the quay open?”."]
    said = words(furnished)
    assert "Awaiting resolution" in said
    assert "Closed early, 5 Jan 2026, 12:00 UTC." in said
    assert "closed 12 hours ago · 5 Jan 2026, 12:00 UTC" in said
    assert "Scheduled close: 21 Jan 2026" in said
    furnished.button(key="reopen-quay#0-go").click().run()
    reopened = "Reopened: “Will the quay open?” closes 21 Jan 2026, 00:00 UTC."
    assert confirmed(furnished)[-1] == reopened
    assert "Scheduled close" not in words(furnished)
    assert "Your forecast" in words(furnished)
    reasons = ["registered", "closed early", "early close taken back"]
    assert [wording.reason for wording in wordings(engine, "quay")] == reasons


def test_an_annulled_question_no_longer_closes(furnished: AppTest, engine: Engine) -> None:
    settle(engine, "quay", "annulled", known=None)
    said = words(visit(furnished, "question", slug="quay"))
    assert "closes in" not in said
    assert "on 6 Jan 2026, 00:00 UTC" in said
    assert "Annulled:" not in said
    assert "Closes: 21 Jan 2026, 00:00 UTC" in said


def test_a_question_yet_to_open_shows_its_opening_and_its_close_once(
    app: AppTest, engine: Engine
) -> None:
    register(engine, "later", title="Later?", open_time=day(8))
    opens = "opens in 3 days · 9 Jan 2026"
    assert opens in words(visit(app, "questions"))
    said = words(visit(app, "question", slug="later"))
    assert f"{opens}, 00:00 UTC" in said
    assert "Closes: " in said
    assert said.count("9 Jan 2026") == 1


def test_a_close_on_the_day_of_the_outcome_is_told_by_its_time_alone(
    furnished: AppTest, engine: Engine
) -> None:
    settle(engine, "ended", "yes", known=4.5)
    said = words(visit(furnished, "question", slug="ended"))
    assert "on 5 Jan 2026, 12:00 UTC · closed at 00:00 UTC" in said
    settle(engine, "port", "Busan", known=3)
    assert "on 4 Jan 2026, 00:00 UTC" in words(visit(furnished, "question", slug="port"))


def test_a_resolved_number_shows_its_crps(furnished: AppTest, engine: Engine) -> None:
    say(engine, "depth", Value(quantiles={"0.1": 3.0, "0.5": 8.0, "0.9": 20.0}), at=1)
    resolution = settle(engine, "depth", "10", known=3, at=3)
    with database.reading(engine) as ledger:
        [row] = stored_scores.score_table(ledger, resolution)
    said = words(visit(furnished, "question", slug="depth"))
    assert furnished.metric[0].label == "Your CRPS (0–1)"
    assert furnished.metric[0].value == number(row.crps)
    assert list(columns(furnished, "CRPS (0–1)").columns)[2:] == ["Coverage", "Updates"]
    assert "You did not forecast this." not in said
    assert f"CRPS {number(row.crps)}" in words(visit(furnished, "today"))


def test_all_options_are_shown_first_and_the_outcome_is_named(
    furnished: AppTest, engine: Engine
) -> None:
    settle(engine, "port", "Ulsan", at=4)
    visit(furnished, "question", slug="port")
    assert furnished.selectbox[0].value is None
    [chart] = furnished.get("vega_lite_chart")
    assert "30% Ulsan (outcome); 50% Busan; 20% Other" in chart.proto.alt
    furnished.selectbox[0].set_value(1).run()
    [chart] = furnished.get("vega_lite_chart")
    assert "Forecasts on “Which port comes first?”" in chart.proto.alt


def test_a_question_of_ones_own_without_criteria_offers_to_write_them(
    furnished: AppTest, engine: Engine
) -> None:
    mine = {"resolution_criteria": "", "visibility": "author"}
    register(engine, "thought", title="Will it freeze?", **mine)
    visit(furnished, "question", slug="thought")
    assert "no criteria" in words(furnished)
    submit(furnished, "criteria-thought-1#0", "save", criteria="Yes if the pond is solid.")
    assert confirmed(furnished) == ["Saved the criteria of “Will it freeze?”."]
    said = words(furnished)
    assert "Yes if the pond is solid." in said
    assert "no criteria" not in said


def test_a_question_registered_by_mistake_is_discarded(furnished: AppTest, engine: Engine) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        times = {"open_time": day(4), "scheduled_close_time": day(20)}
        text = registry.question_text(title="Wil it?", **times)
        registry.register(ledger, text, member=alice, now=day(4.5), slug="slip")
    visit(furnished, "question", slug="slip")
    furnished.button(key="discard-slip#0-go").click().run()
    assert confirmed(furnished) == ["Discarded “Wil it?”."]
    assert furnished.title[0].value == "Questions"
    assert "Wil it" not in words(furnished).replace("Discarded “Wil it?”.", "")
    visit(furnished, "question", slug="rain")  # older than a day, and forecast by another
    assert "discard" not in " ".join(button.key or "" for button in furnished.button)
