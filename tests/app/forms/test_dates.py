"""Dates as people type them in forms: shown as they are read, then saved."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.ledger import database
from forecasts.questions import registry, standing
from forecasts.updates import updates
from tests.app.conftest import Clock, fill, submit, visit, words
from tests.conftest import day

pytestmark = pytest.mark.slow


def test_a_question_about_a_date_is_asked_forecast_and_resolved(
    app: AppTest, engine: Engine, clock: Clock
) -> None:
    """It is Tuesday, 6 January 2026."""
    visit(app, "questions", view="Ask a question")
    app.segmented_control(key="ask#0-type").set_value("date").run()
    fill(app, "ask#0", title="When will the quay open?", lower="january 2026").run()
    app.text_input(key="ask#0-upper").input("end of year").run()
    app.text_input(key="ask#0-closes").input("in 3 weeks").run()
    for reading in ("1 Jan 2026", "31 Dec 2026", "27 Jan 2026"):
        assert f"Read as **{reading}**" in words(app)
    app.text_input(key="ask#0-resolves").input("soon").run()
    assert "**Cannot be saved:** Resolve by: 'soon' is not a date." in words(app)
    submit(app, "ask#0", "go", resolves="")
    slug = "when-will-the-quay-open"
    with database.reading(engine) as ledger:
        text = registry.newest_wording(ledger, registry.find(ledger, slug))
    assert (text.lower_bound, text.upper_bound) == ("2026-01-01", "2026-12-31")

    visit(app, "question", slug=slug)
    value = f"forecast-{slug}#0-value"
    app.text_input(key=value).input("10%=tomorrow, 50%=next friday, 90%=end of march").run()
    assert "10th percentile: 2026-01-07, 50th: 2026-01-16, 90th: 2026-03-31." in words(app)
    app.button(key=f"forecast-{slug}#0-save").click().run()
    with database.reading(engine) as ledger:
        [(forecast, _)] = updates.history(ledger, registry.find(ledger, slug))
    assert forecast.quantiles == {"0.1": "2026-01-07", "0.5": "2026-01-16", "0.9": "2026-03-31"}

    clock.moment = day(11)
    visit(app, "resolve", slug=slug)
    app.text_input(key=f"resolve-{slug}#0-outcome").input("last week").run()
    assert "**Cannot be saved:** 'last week' is more than one day" in words(app)
    app.text_input(key=f"resolve-{slug}#0-outcome").input("yesterday").run()
    app.text_input(key=f"resolve-{slug}#0-known").input("today 00:00").run()
    said = words(app)
    assert "Read as **2026-01-11**" in said
    assert "Read as **12 Jan 2026, 00:00 UTC**" in said
    app.button(key=f"resolve-{slug}#0-go").click().run()
    with database.reading(engine) as ledger:
        state = standing.current_state(ledger, registry.find(ledger, slug), now=day(12))
    assert state.resolution is not None
    assert state.resolution.outcome == "2026-01-11"
