"""The whole journey on the pages: article, question, forecasts with evidence, outcome, score."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.app.app_pages.test_articles_page import PASTED, read
from tests.app.conftest import Clock, visit, words
from tests.app.forms.test_drafts import draft_of, register
from tests.conftest import day


def test_from_a_pasted_text_to_the_brier_score_worked_by_hand(app: AppTest, clock: Clock) -> None:
    read(app, PASTED)
    draft = draft_of(app)
    app.text_area(key=f"{draft}-title").input("Will the tunnel open?")
    app.text_area(key=f"{draft}-criteria").input("Yes if a train has gone through.")
    register(app, draft)
    assert "Registered: Will the tunnel open?" in app.toast[0].value.replace("\\", "")

    for number, (moment, p, stance) in enumerate(
        [(day(6), "60%", "supports"), (day(8), "9:1", "opposes")]
    ):
        clock.moment = moment
        visit(app, "question", slug="will-the-tunnel-open")
        key = f"forecast-will-the-tunnel-open#{number}"
        app.text_input(key=f"{key}-value").input(p)
        app.text_area(key=f"{key}-reason").input(f"Reason {number}")
        app.text_input(key=f"{key}-evidence").input(f"https://example.org/{number}")
        app.selectbox(key=f"{key}-stance").select(stance)
        app.button(key=f"{key}-save").click().run()
        if number == 1:  # a rise whose evidence opposes it is asked about
            assert "all its evidence opposes it" in app.error[0].value
            app.button(key=f"{key}-save").click().run()
        assert not app.error

    clock.moment = day(10)
    visit(app, "resolve", slug="will-the-tunnel-open")
    app.radio(key="resolve-will-the-tunnel-open#0-outcome").set_value("yes")
    app.button(key="resolve-will-the-tunnel-open#0-go").click().run()

    # 60% was active for two days and 90% for two more, until the outcome was known on day 10.
    by_hand = (2 * (1 - 0.6) ** 2 + 2 * (1 - 0.9) ** 2) / 4
    assert f"{by_hand:.4f}" == "0.0850"
    assert app.metric[0].value == "0.0850"
    said = words(app)
    for part in ("Outcome: yes", "Reason 0", "Reason 1", "*opposes yes*: [https://example.org/1]"):
        assert part in said
    assert "Brier 0.0850" in words(visit(app, "today"))
