"""A simulated tournament of any size, in parts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from typer.testing import CliRunner

import scoring
from forecasts.cli.main import app
from forecasts.common.errors import BadInput
from forecasts.parts import simulation
from forecasts.parts.files import part_of
from forecasts.parts.folder import Parts
from scoring.errors import InputError
from scoring.simulation.bulk import BulkTournament
from tests.parts.work import require_listed

SETTINGS = BulkTournament(
    questions=300,
    forecasters=60,
    updates=9_000,
    teams=3,
    seed=5,
    choice_share=0.2,
    numeric_share=0.2,
)


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture(scope="module")
def made(executor: Executor, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    folder = tmp_path_factory.mktemp("simulated") / "parts"
    return simulation.simulate(folder, SETTINGS, executor, parts=4)


def whole(parts: Parts) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return all questions and forecasts, in order."""
    every = range(parts.count)
    questions = pd.concat([parts.questions(part) for part in every])
    forecasts = pd.concat(
        [
            parts.forecasts(part).astype({"question_id": str, "forecaster": str})
            for part in every
            if parts.rows("forecasts", part)
        ]
    )
    forecasts = forecasts.sort_values(
        ["question_id", "forecaster", "made_at"], kind="stable", ignore_index=True
    )
    json = forecasts[["probabilities", "quantiles"]].astype(object)
    forecasts[list(json)] = json.where(json.notna(), None)
    return questions.sort_values("question_id", ignore_index=True), forecasts


@pytest.mark.slow
def test_each_part_holds_its_questions_in_order(made: Parts) -> None:
    require_listed(made)
    for part in range(made.count):
        questions, forecasts = made.questions(part), made.forecasts(part)
        assert all(part_of(each, made.count) == part for each in questions["question_id"])
        assert questions["question_id"].is_monotonic_increasing
        keys = forecasts[["question_id", "forecaster", "made_at"]].astype(
            {"question_id": str, "forecaster": str}
        )
        in_order = keys.sort_values(list(keys), kind="stable", ignore_index=True)
        assert_frame_equal(keys, in_order)


@pytest.mark.slow
def test_the_tournament_does_not_depend_on_the_number_of_parts(
    made: Parts, executor: Executor, tmp_path: Path
) -> None:
    other = simulation.simulate(tmp_path / "other", SETTINGS, executor, parts=7)
    assert other.count == 7
    assert other.rows("forecasts") == made.rows("forecasts")
    assert other.source == made.source
    for one, same in zip(whole(made), whole(other), strict=True):
        assert_frame_equal(one, same)


def test_every_question_is_scored_and_everyone_is_in_a_team(made: Parts) -> None:
    questions, forecasts = whole(made)
    scores = scoring.score(questions, forecasts, ["brier", "crps"])
    assert set(scores["question_id"]) == set(forecasts["question_id"])
    assert made.rows("forecasts") == pytest.approx(SETTINGS.updates, rel=0.1)
    teams = made.whole("teams")
    assert set(forecasts["forecaster"]) <= set(teams["forecaster"])
    assert teams["team"].nunique() == 3
    assert set(questions["type"]) == {"binary", "multiple_choice", "numeric"}
    assert forecasts[["probability", "probabilities", "quantiles"]].isna().all(axis=1).any()


def test_everything_says_that_it_is_simulated(made: Parts) -> None:
    questions, forecasts = whole(made)
    teams = made.whole("teams")
    named = (questions["title"], forecasts["forecaster"], teams["team"], teams["forecaster"])
    for texts in named:
        assert texts.str.startswith("Simulated ").all()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "cannot be written: No space left on device"),
        (BrokenExecutor(), "worker was lost.* fewer workers"),
    ],
)
def test_an_error_ends_the_making_of_parts_and_leaves_nothing(
    tmp_path: Path, error: Exception, said: str
) -> None:
    given: list[Future[Any]] = []

    class Failing(Executor):
        def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
            given.append(Future())
            if len(given) == 1:
                given[0].set_exception(error)
            return given[-1]

    with pytest.raises(BadInput, match=said):
        simulation.simulate(tmp_path / "parts", SETTINGS, Failing(), parts=3)
    assert [each.cancelled() for each in given] == [False, True, True]
    assert not list(tmp_path.iterdir())


def test_a_number_of_parts_that_cannot_be_is_refused(executor: Executor, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="parts"):
        simulation.simulate(tmp_path / "parts", SETTINGS, executor, parts=100_001)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Run commands with a thread in place of processes."""
    monkeypatch.setattr(
        "forecasts.cli.bulk_scores.Processes", lambda workers, preload: ThreadPoolExecutor(workers)
    )
    return CliRunner()


def test_the_command_makes_the_parts_and_names_the_next_step(
    run: CliRunner, tmp_path: Path
) -> None:
    size = ["--questions", "20", "--forecasters", "5", "--updates", "300", "--workers", "1"]
    folder = tmp_path / "made"
    done = run.invoke(app, ["simulate", str(folder), *size, "--types", "binary=0.5,numeric=0.5"])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "forecasts (about 300 asked for) on 20 questions by 5 forecasters, in 1 part." in said
    assert f"forecasts score {folder} --output SCORES" in done.output.replace("\n", "")
    again = run.invoke(app, ["simulate", str(folder), *size])
    assert again.exit_code == 2
    assert "Name a new folder." in again.output


def test_too_few_forecasts_are_refused_and_no_folder_is_left(
    run: CliRunner, tmp_path: Path
) -> None:
    size = ["--questions", "300", "--forecasters", "40", "--updates", "10", "--workers", "1"]
    done = run.invoke(app, ["simulate", str(tmp_path / "made"), *size])
    assert done.exit_code == 2
    said = " ".join(done.output.split())
    assert "About 10 forecasts on 300 questions are too few: none was made." in said
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("types", "said"),
    [
        *((one, "Use multiple_choice=0.2, numeric=0.2, binary=0.2.") for one in ("numeric", "x=1")),
        ("numeric=1,numeric=0", "--types names numeric twice.\nName each type once.\n"),
        ("binary=0.5,numeric=0.2", "add up to 0.7, not 1"),
    ],
)
def test_the_command_refuses_shares_that_do_not_fit(
    run: CliRunner, tmp_path: Path, types: str, said: str
) -> None:
    done = run.invoke(app, ["simulate", str(tmp_path / "made"), "--types", types])
    assert done.exit_code == 2
    assert said in done.output


def test_each_core_has_a_part_if_there_is_enough_to_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(simulation, "cores", lambda: 8)
    assert [simulation.usual_parts(many) for many in (99_999, 300_000, 2_000_000, 20_000_000)] == [
        1, 3, 8, 19
    ]  # fmt: skip
