"""Today: the lists of tasks, and updates made in place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.agenda.revisits import DEFAULT_INTERVAL
from forecasts.agenda.today import SHOWN
from forecasts.articles import library
from forecasts.ledger import database
from forecasts.ledger.models import LinkKind, Role
from forecasts.questions.links import link
from forecasts.questions.registry import find
from forecasts.reading.article import CapturedArticle
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.app.conftest import (
    Clock,
    confirmed,
    errors,
    focused,
    forecasts,
    register,
    say,
    share,
    submit,
    visit,
    words,
)
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


def test_each_question_is_in_the_list_of_its_need_until_results_are_seen(
    furnished: AppTest,
) -> None:
    said = words(visit(furnished, "today"))
    assert "3 to forecast" in said
    assert "Will the quay open?" in said
    assert "**Outcome?** · closed 1 day ago" in said
    # A close within a week stands out.
    assert "**closes in 5 days** · 11 Jan 2026" in said
    assert "· closes in 15 days · 21 Jan 2026" in said
    # 0.8 was active for half the time and 0.4 for the other half; the outcome is no.
    assert "**no**, 1 day ago" in said
    assert "updates earned 0.240 in all · coverage 100%" in said
    links = {one.proto.label: one.proto.query_string for one in furnished.get("page_link")}
    assert links[f"Brier {(0.8**2 + 0.4**2) / 2:.3f}"] == "question=snow"
    assert "My scores" in links
    furnished.button(key="seen#0-go").click().run()
    said = words(furnished)
    assert "Resolved, since 6 Jan 2026" in said
    assert "No new results." in said
    assert "Will it snow?" not in said


def forecast_each(engine: Engine, many: int, *, apart: float) -> None:
    """Ask so many questions and forecast each, so many days apart."""
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        for number in range(many):
            question = ask(ledger, alice, slug=f"q{number:02}", title=f"Is it {number}?")
            made = day(1 + apart * number)
            updates.update(ledger, question, Value(probability=0.4), member=alice, now=made)


def listed(app: AppTest) -> list[int]:
    """Return the numbers of the questions with a field for a forecast, in the page's order."""
    fields = [str(field.key) for field in app.text_input if "-value" in str(field.key)]
    return [int(key.removeprefix("quick-q")[:2]) for key in fields]


def test_forecasts_that_are_not_due_are_listed_on_request_a_dozen_at_a_time(
    app: AppTest, engine: Engine
) -> None:
    forecast_each(engine, 18, apart=0.01)
    visit(app, "today")
    assert listed(app) == [17, 16, 15]
    assert app.button(key="not-due").label == "Show 12 more that are not due"
    app.button(key="not-due").click().run()
    assert listed(app) == [*range(17, 2, -1)]
    assert focused(app) == "act-forecast-q14"
    submit(app, "quick-q05#0", "save", value="55")
    assert confirmed(app) == ["Saved: 40% → 55% on “Is it 5?”."]
    assert listed(app) == [*range(17, 2, -1)]  # at its place, while the page is open
    app.session_state["not-due-page"] = 2
    app.text_input(key="quick-q09#0-value").input("60").run()
    assert listed(app) == [17, 16, 9, 5, 2, 1, 0]  # with the value that is typed and not saved
    app.button(key="not-due").click().run()
    assert listed(app) == [17, 16, 9, 5]


def test_a_certain_forecast_from_elsewhere_can_be_confirmed(
    furnished: AppTest, engine: Engine
) -> None:
    say(engine, "quay", 1.0)
    visit(furnished, "today")
    furnished.button(key="quick-quay#0-save").click().run()
    assert confirmed(furnished) == ["Saved: still 100% on “Will the quay open?”."]


def test_the_page_names_the_next_step_before_and_after_the_first_forecast(
    app: AppTest, engine: Engine
) -> None:
    register(engine, "rain")
    said = words(visit(app, "today"))
    assert "1 to forecast" in said
    assert "once your questions resolve" in said
    submit(app, "quick-rain#0", "save", value="40%")
    said = words(app)
    assert "You have forecast every open question." in said
    assert "Capture an article" in said
    assert "your forecast: " in said  # the field shows it
    assert app.text_input(key="quick-rain#1-value").value == "40%"


def test_an_old_forecast_is_due_until_it_is_saved_again(
    furnished: AppTest, engine: Engine, clock: Clock
) -> None:
    visit(furnished, "today")
    submit(furnished, "quick-quay#0", "save", value="1:2")
    clock.moment = day(5) + DEFAULT_INTERVAL + timedelta(minutes=1)
    assert "**Review due** after 14 days · your forecast: " in words(visit(furnished, "today"))
    assert furnished.text_input(key="quick-quay#1-value").value == "33.3333%"
    furnished.button(key="quick-quay#1-save").click().run()
    assert confirmed(furnished) == ["Saved: still 33.3% on “Will the quay open?”."]
    assert "Review due" not in words(furnished)
    # The field rounds; the stored forecast keeps every digit.
    assert [one.probability for one in forecasts(engine, "quay", "alice")] == [1 / 3, 1 / 3]


def test_a_refused_value_is_explained_in_place_and_the_reason_stays(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "today")
    furnished.text_input(key="quick-quay#0-reason").input("The crane is up")
    for typed, rule in (("171", "171"), ("100%", "100% is outside"), ("", "is blank")):
        submit(furnished, "quick-quay#0", "save", value=typed)
        assert rule in errors(furnished)
    assert furnished.text_input(key="quick-quay#0-reason").value == "The crane is up"
    assert not confirmed(furnished)
    assert len(forecasts(engine, "quay")) == 1


def capture(engine: Engine, text: str) -> None:
    """Store an article on day 4."""
    article = CapturedArticle("Open", "The Gazette", None, None, "https://example.org/o", text)
    with database.writing(engine) as ledger:
        bob = member_or_new(ledger, "bob (simulated)", now=day(0))
        library.store(ledger, [article], member=bob, captured_at=day(4))


def test_one_list_has_all_that_needs_the_reader_in_the_order_of_urgency(
    furnished: AppTest, engine: Engine
) -> None:
    far = {"by": "bob (simulated)", "scheduled_close_time": day(80)}
    register(engine, "crane", title="Will the crane move?", **far)
    register(engine, "late", title="Is it late?", **far)
    for who, p, at in (("bob (simulated)", 0.5, 1), ("alice", 0.4, 2), ("bob (simulated)", 0.8, 4)):
        say(engine, "crane", p, at=at, by=who)
    capture(engine, "The quay opens at last.")
    say(engine, "quay", 0.4)
    visit(furnished, "today")
    assert [header.value for header in furnished.header] == ["To do", "Resolved"]
    reasons = [
        caption.value.split("**")[1]
        for caption in furnished.caption
        if caption.value.startswith("**") and "clos" in caption.value
    ]
    assert reasons == [
        *("Outcome?", "Outcome proposed", "Needs your forecast", "Needs your forecast"),
        *("Crowd of 1 moved", "New evidence", "Needs your forecast"),
    ]
    said = words(furnished)
    assert "**Crowd of 1 moved**: 50% → 80%" in said
    assert "[Open](articles?article=2), The Gazette: “The quay opens at last" in said


def test_a_card_asks_to_look_again_after_an_update_of_a_linked_question(
    furnished: AppTest, engine: Engine
) -> None:
    far = {"by": "bob (simulated)", "scheduled_close_time": day(80)}
    register(engine, "crane", title="Will the crane move?", **far)
    register(engine, "late", title="Is it [late]?", **far)
    with database.writing(engine) as ledger:
        ends = find(ledger, "late"), find(ledger, "crane")
        bob = member_or_new(ledger, "bob (simulated)", now=day(0))
        link(ledger, *ends, LinkKind.causes, member=bob, now=day(1))
    say(engine, "crane", 0.4, at=1)
    say(engine, "late", 0.4, at=3)
    visit(furnished, "today")
    [line] = [one.value for one in furnished.caption if "Look again" in one.value]
    link_to = "[Is it \\[late\\]\\?](question?slug=late), which is linked"
    assert line.startswith(f"**Look again**: you updated {link_to} · ")


def test_an_outcome_is_recorded_on_its_card_which_leaves_the_list(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "today")
    [outcome] = [radio for radio in furnished.radio if str(radio.key).startswith("outcome-")]
    key = str(outcome.key).removesuffix("-outcome")
    furnished.button(key=f"{key}-go").click().run()
    assert "utcome" in errors(furnished)
    furnished.radio(key=f"{key}-outcome").set_value(outcome.options[0]).run()
    furnished.button(key=f"{key}-go").click().run()
    assert confirmed(furnished)[0].startswith(f"Resolved: {outcome.options[0]} on “")
    assert "**Outcome?**" not in words(furnished)
    assert "1 to resolve" in words(furnished)  # it is proposed


def test_a_forecaster_proposes_an_outcome_on_its_card_with_a_note(
    app: AppTest, engine: Engine
) -> None:
    title = {"title": "Has it ended?", "scheduled_close_time": day(2)}
    register(engine, "ended", by="bob", **title)
    share(engine, Role.forecaster)
    visit(app, "today")
    [outcome] = [radio for radio in app.radio if str(radio.key).startswith("outcome-")]
    key = str(outcome.key).removesuffix("-outcome")
    app.radio(key=f"{key}-outcome").set_value("yes").run()
    app.button(key=f"{key}-go").click().run()
    assert "needs a note or a source" in errors(app)
    app.text_input(key=f"{key}-note").set_value("The mayor said so.").run()
    app.button(key=f"{key}-go").click().run()
    assert confirmed(app) == ["Proposed: yes on “Has it ended?”."]


def test_the_rest_of_a_long_list_is_shown_on_request(app: AppTest, engine: Engine) -> None:
    for number in range(SHOWN + 2):
        register(engine, f"q{number:02}", title=f"Is it {number}?")
    visit(app, "today")
    assert listed(app) == [*range(SHOWN)]
    app.button(key="more-to-do").click().run()
    assert listed(app) == [*range(SHOWN + 2)]
    assert focused(app) == f"act-forecast-q{SHOWN:02}"
    submit(app, "quick-q00#0", "save", value="55")
    assert listed(app)[: SHOWN + 1] == [*range(1, SHOWN + 2)]


def test_a_new_article_is_cited_with_the_update(furnished: AppTest, engine: Engine) -> None:
    say(engine, "quay", 0.4)
    capture(engine, "The quay.")
    visit(furnished, "today")
    submit(furnished, "quick-quay#0", "save", value="60%")
    assert confirmed(furnished) == [
        "Saved: 40% → 60% on “Will the quay open?”. Evidence: 1 as context."
    ]
    assert "in the news" not in words(furnished)


def test_a_forecast_is_due_after_its_own_interval(
    furnished: AppTest, engine: Engine, clock: Clock
) -> None:
    visit(furnished, "today")
    submit(furnished, "quick-quay#0", "save", value="40%", again=3)
    assert "to review" not in words(furnished)
    clock.moment = day(8.5)
    said = words(visit(furnished, "today"))
    assert "**Review due** after 3 days, as you chose" in said
    assert furnished.selectbox(key="quick-quay#1-again").value == 3


def test_several_forecasts_are_confirmed_at_once(
    furnished: AppTest, engine: Engine, clock: Clock
) -> None:
    for slug in ("crane", "late"):
        register(engine, slug, title=f"Will the {slug} one move?", scheduled_close_time=day(80))
        say(engine, slug, 0.5, at=1)
    clock.moment = day(20)
    visit(furnished, "today")
    furnished.button(key="still-right#0-save").click().run()
    assert furnished.warning[0].value == "Tick at least one forecast."
    for slug in ("crane", "late"):
        furnished.checkbox(key=f"still-right#0-{slug}").check()
    furnished.button(key="still-right#0-save").click().run()
    assert confirmed(furnished) == ["Confirmed: 2 forecasts unchanged."]
    assert "Review due" not in words(furnished)
    for slug in ("crane", "late"):
        assert [one.probability for one in forecasts(engine, slug)] == [0.5, 0.5]
