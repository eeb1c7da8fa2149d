"""A client that openapi-python-client makes of the OpenAPI document does a day's work, typed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import ADDRESS, Clock
from tests.conftest import day

pytestmark = pytest.mark.slow


class Generated:
    """A generated client of the API: its operations by name, and its models."""

    def __init__(self, api: TestClient) -> None:
        self.models = import_module("made.models")
        self._client = import_module("made").AuthenticatedClient(ADDRESS, "unused")
        self._client.set_httpx_client(api)

    def call(self, operation: str, *path: Any, status: int = 200, **given: Any) -> Any:
        """Return the typed answer of an operation."""
        answer = import_module(f"made.api.{operation}").sync_detailed(
            *path, client=self._client, **given
        )
        assert answer.status_code == status, answer.content
        return answer.parsed


@pytest.fixture
def made(api: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generated:
    pytest.importorskip("openapi_python_client")
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(api.get("/api/v1/openapi.json").json()))
    (tmp_path / "settings.yaml").write_text("post_hooks: []")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--path", str(document), "--output-path", str(tmp_path / "made")]
    command += ["--config", str(tmp_path / "settings.yaml"), "--fail-on-warning"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    return Generated(api)


def test_a_generated_client_does_the_days_work(made: Generated, clock: Clock) -> None:
    models = made.models
    rain = models.NewQuestion(title="Will it rain by 5 February 2026?", criteria="1 mm.", id="rain")
    asked = made.call("questions.ask_question", body=rain, status=201)
    assert isinstance(asked, models.QuestionDocument)
    assert asked.scheduled_close_time == datetime(2026, 2, 5, 23, 59, 59, tzinfo=UTC)
    first = models.GivenForecast(probability=0.5, rationale="no idea yet")
    snow = models.NewQuestion(title="Snow?", closes="in 5 weeks", id="snow", forecast=first)
    made.call("questions.ask_question", body=snow, status=201)

    clock.time = day(3)
    cited = models.GivenEvidence(url="https://example.org/a", kind=models.EvidenceKind.DATA)
    used = models.UsedModel(name="oracle", version="2", cost=0.03)
    given = models.GivenForecast(probability=0.7, evidence=[cited], model=used)
    forecast = made.call("forecasts.make_forecast", "rain", body=given, status=201)
    assert isinstance(forecast, models.NewForecast)
    assert made.call("forecasts.show_receipt", forecast.number) == forecast.receipt
    rows = [models.BatchForecast(question=name, probability=0.8) for name in ("rain", "snow")]
    batch = models.Batch(forecasts=[*rows, models.BatchForecast("hail")], partial=True)
    result = made.call("forecasts.make_forecasts", body=batch, status=201)
    assert (result.accepted, result.refused) == (2, 1)
    assert isinstance(result.results[2].problem, models.ProblemDocument)

    page = made.call("questions.list_questions", limit=1, mine=True)
    assert page.next_
    assert [one.id for one in page.questions] == ["rain"]
    rest = made.call("questions.list_questions", limit=1, mine=True, cursor=page.next_)
    assert [(one.id, one.forecast.probability) for one in rest.questions] == [("snow", 0.8)]
    [_, updated] = made.call("forecasts.list_forecasts", "rain").forecasts[-2:]
    assert (updated.probability, updated.made_at) == (0.8, day(3))

    clock.time = day(50)
    outcome = models.Outcome("yes", known_at=day(40), note="It rained.")
    for name in ("rain", "snow"):
        settled = made.call("outcomes.resolve_question", name, body=outcome, status=201)
        assert settled.outcome == "yes"
        assert settled.no_longer_count.forecasts == 0
    report = made.call("records.show_report", cohort=models.ShowReportCohort.RESOLVED)
    [group] = report.groups
    assert isinstance(group, models.Group)
    assert 0 < group.brier.mean < 0.1
    [score, _] = made.call("records.list_scores").scores
    assert score.score == pytest.approx(0.06, abs=0.05)

    unknown = made.call("questions.show_question", "hail", status=404)
    assert isinstance(unknown, models.ProblemDocument)
    assert (unknown.code, unknown.detail) == (
        "not_found",
        "There is no question 'hail' in this ledger.",
    )
