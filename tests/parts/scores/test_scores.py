"""Scores of parts: equal to those of one process, whatever is cut off, killed or changed."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from typer import Exit
from typer.testing import CliRunner

import scoring
from forecasts.cli.bulk_scores import engine
from forecasts.cli.main import app
from forecasts.common.errors import BadInput, Refused
from forecasts.parts.execution import Processes, cluster
from forecasts.parts.files import part_file, part_of
from forecasts.parts.folder import PartFile, Parts, open_parts, write_manifest
from forecasts.parts.scores import scores
from forecasts.parts.scores.part_scores import score_part
from forecasts.parts.scores.scores import RESULTS, Scores, score_parts, table
from tests.examples import examples
from tests.parts import work
from tests.scoring.slow_reference import forecast_frame, question_frame
from tests.scoring.strategies import Ledger, ledgers

pytestmark = pytest.mark.slow

IDS = ["question_id", "forecaster", "protocol"]


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return work.written(tmp_path / "parts", work.tournament())


@pytest.fixture
def score_here(parts: Parts, tmp_path: Path) -> Iterator[Callable[..., Scores]]:
    """Score the parts in two threads of this process, by default into the same folder."""
    with ThreadPoolExecutor(2) as executor:

        def score(of: Parts = parts, into: str = "scores", **options: Any) -> Scores:
            return score_parts(of, tmp_path / into, executor=executor, **options)

        yield score


def rows(folder: Path) -> pd.DataFrame:
    """Return the scores in a folder of results, sorted as ``scoring.score`` sorts them."""
    found = [pq.read_table(path).to_pandas() for path in sorted((folder / "scores").iterdir())]
    every = pd.concat([each.astype(dict.fromkeys(IDS, "str")) for each in found])
    return every.sort_values(["protocol", "question_id", "forecaster"], ignore_index=True)


def expected(frames: work.Frames, protocols: list[str]) -> pd.DataFrame:
    return scoring.score(*frames, protocols).astype(dict.fromkeys(IDS, "str"))


def rewritten(parts: Parts, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change one file of the parts, and its hash in the manifest."""
    path = parts.folder / name
    changed = change(pq.read_table(path).to_pandas())
    schema = pq.read_schema(path)
    pq.write_table(pa.Table.from_pandas(changed, schema, preserve_index=False), path)
    file = PartFile(len(changed), hashlib.sha256(path.read_bytes()).hexdigest())
    write_manifest(parts.folder, parts.count, {**parts.files, name: file})


def replaced(path: Path, content: pa.Table, **options: Any) -> None:
    """Write a file of scores again, with other content but the same metadata."""
    metadata = pq.read_metadata(path).metadata
    del metadata[b"ARROW:schema"]
    pq.write_table(content.replace_schema_metadata(metadata), path, **options)


# --- equal to one process ------------------------------------------------------------------------


@settings(max_examples=examples(10))
@given(
    ledgers(types=("binary", "multiple_choice", "numeric"), questions=6),
    st.integers(1, 4),
    st.sampled_from([["brier"], ["brier", "metaculus_peer", "crps", "rps"]]),
)
def test_scores_of_parts_equal_those_of_one_process(
    ledger: Ledger, count: int, protocols: list[str]
) -> None:
    frames = question_frame(ledger[0]), forecast_frame(*ledger)
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(1) as executor:
        parts = work.written(Path(place) / "parts", frames, count)
        found = score_parts(parts, Path(place) / "scores", protocols, executor=executor)
        want = expected(frames, protocols)
        assert not found.failed
        assert found.rows == len(want)
        for given_ in (rows(Path(place) / "scores"), table(parts, protocols)):
            pd.testing.assert_frame_equal(given_.astype(dict.fromkeys(IDS, "str")), want)


def test_the_digest_is_the_same_for_any_workers_and_any_engine(
    parts: Parts, score_here: Callable[..., Scores], tmp_path: Path
) -> None:
    from distributed import LocalCluster

    here = score_here()
    with Processes(2, preload=["tests.parts.work"]) as processes:
        assert score_parts(parts, tmp_path / "processes", executor=processes) == here
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as dask,
        cluster(dask.scheduler_address) as executor,
    ):
        assert score_parts(parts, tmp_path / "dask", executor=executor) == here
    assert here.digest is not None
    assert here.digest == json.loads((tmp_path / "scores" / RESULTS).read_text())["digest"]


# --- cut off, killed, changed --------------------------------------------------------------------


def test_a_second_run_keeps_everything_and_counts_its_forecasts_too(
    score_here: Callable[..., Scores],
) -> None:
    seen: list[tuple[int, int]] = []
    first, second = (
        score_here(progress=lambda done, of: seen.append((done, of))) for _ in range(2)
    )
    assert (first.kept, second.kept) == (0, 4)
    assert (first.digest, first.rows) == (second.digest, second.rows)
    assert (seen[0], seen[4], seen[5], seen[-1]) == ((0, 200), (200, 200), (0, 200), (200, 200))
    assert seen == [*sorted(seen[:5]), *sorted(seen[5:])]


def test_after_a_worker_was_killed_the_same_command_continues(
    parts: Parts, score_here: Callable[..., Scores], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with work.Dying(log) as executor:
        found = score_parts(parts, tmp_path / "killed", executor=executor)
    assert "part-00001" in found.failed
    again = score_here(into="killed")
    assert again.kept == (len(log.read_text().split()) if log.exists() else 0)
    assert again.digest == score_here().digest


def test_a_killed_client_goes_on_where_it_was(
    parts: Parts, score_here: Callable[..., Scores], tmp_path: Path
) -> None:
    context = multiprocessing.get_context("forkserver")
    client = context.Process(
        target=work.client_that_is_killed, args=(parts.folder, tmp_path / "scores")
    )
    client.start()
    client.join()
    assert client.exitcode == -9
    assert "digest" not in json.loads((tmp_path / "scores" / RESULTS).read_text())
    again, whole = score_here(), score_here(into="whole")
    assert (again.kept, again.digest) == (2, whole.digest)


def test_two_commands_do_not_write_to_one_folder(
    score_here: Callable[..., Scores], tmp_path: Path
) -> None:
    before = score_here()
    with (
        scores.alone(tmp_path / "scores"),
        pytest.raises(Refused, match="Another command is writing scores to"),
    ):
        score_here()
    assert score_here().digest == before.digest


def test_a_part_that_changed_is_done_again(parts: Parts, score_here: Callable[..., Scores]) -> None:
    before = score_here()
    rewritten(parts, part_file("forecasts", 2), lambda frame: frame.assign(probability=0.5))
    after = score_here(open_parts(parts.folder))
    assert after.kept == 3
    assert after.digest != before.digest


def test_scores_by_other_protocols_are_not_replaced(
    score_here: Callable[..., Scores], tmp_path: Path
) -> None:
    before = score_here(protocols=["log", "brier", "log"])
    with pytest.raises(Refused, match="has scores by brier, log") as refused:
        score_here(protocols=["brier"])
    assert refused.value.remedy == "Name another folder, or the same protocols."
    again = score_here(protocols=["brier", "log"])
    assert (again.kept, again.digest) == (4, before.digest)
    assert score_here(into="other", protocols=["brier"]).kept == 0


def test_scores_by_another_version_are_done_again(
    score_here: Callable[..., Scores], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert score_here().kept == 0
    monkeypatch.setattr(scoring, "__version__", "9.9")
    assert score_here().kept == 0


def test_changed_and_damaged_scores_are_made_again_and_files_of_other_parts_go(
    score_here: Callable[..., Scores], tmp_path: Path
) -> None:
    before, folder = score_here(), tmp_path / "scores" / "scores"
    scores_ = pq.read_table(folder / "part-00001.parquet")
    flipped = pa.array(-scores_["score"].to_numpy())
    place = scores_.schema.get_field_index("score")
    replaced(folder / "part-00001.parquet", scores_.set_column(place, "score", flipped))
    (folder / "part-00002.parquet").write_bytes(b"PAR1 cut off")
    (folder / "part-00009.parquet").write_bytes(b"of a folder of ten parts")
    (folder / ".part-00001.parquet.0123").write_bytes(b"left by a killed worker")
    (folder / "kept").mkdir()
    after = score_here()
    assert (after.kept, after.digest) == (2, before.digest)
    left = {f"part-0000{part}.parquet" for part in range(4)} | {"kept"}
    assert {each.name for each in folder.iterdir()} == left
    assert pq.read_table(folder / "part-00001.parquet").equals(scores_)


# --- parts that fail -----------------------------------------------------------------------------


def test_a_part_that_fails_names_the_question_and_the_rule_and_the_others_go_on(
    parts: Parts, score_here: Callable[..., Scores], tmp_path: Path
) -> None:
    part = part_of("question-7", 4)

    def bad(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["question_id"] == "question-7", "probability"] = 1.5
        return frame

    rewritten(parts, part_file("forecasts", part), bad)
    found = score_here(open_parts(parts.folder))
    assert list(found.failed) == [f"part-{part:05d}"]
    [error] = found.failed.values()
    assert isinstance(error, BadInput)
    assert "question question-7, probability: '1.5'" in str(error.problems[0])
    assert "must be finite and lie within 0..1" in str(error.problems[0])
    row = int(str(error.problems[0]).split("row ")[1].split(",")[0])
    file = pq.read_table(parts.folder / part_file("forecasts", part))
    assert file["probability"][row - 1].as_py() == 1.5
    assert found.digest is None
    assert len(json.loads((tmp_path / "scores" / RESULTS).read_text())["files"]) == 3


def test_a_file_that_is_not_the_manifest_s_is_named(
    parts: Parts, score_here: Callable[..., Scores]
) -> None:
    path = parts.folder / part_file("questions", 3)
    path.write_bytes(path.read_bytes() + b" ")
    (parts.folder / part_file("questions", 1)).unlink()
    found = score_here()
    assert list(found.failed) == ["part-00001", "part-00003"]
    assert "questions/part-00003.parquet was changed" in str(found.failed["part-00003"])
    assert "questions/part-00001.parquet" in str(found.failed["part-00001"])


def test_a_question_in_the_wrong_part_is_refused_because_it_might_count_twice(
    parts: Parts, score_here: Callable[..., Scores]
) -> None:
    stray = pq.read_table(parts.folder / part_file("questions", part_of("question-7", 4)))
    stray = stray.filter(pa.compute.equal(stray["question_id"].cast("string"), "question-7"))
    other = (part_of("question-7", 4) + 1) % 4
    add = stray.to_pandas()
    rewritten(parts, part_file("questions", other), lambda own: pd.concat([own, add]))
    found = score_here(open_parts(parts.folder))
    assert list(found.failed) == [f"part-{other:05d}"]
    [error] = found.failed.values()
    assert error.message == (
        f"questions/part-{other:05d}.parquet has the question 'question-7', which belongs to part "
        f"{part_of('question-7', 4)}."
    )
    with pytest.raises(BadInput, match="which belongs to part"):
        table(open_parts(parts.folder))


def test_a_worker_of_another_version_refuses(
    parts: Parts, score_here: Callable[..., Scores], monkeypatch: pytest.MonkeyPatch
) -> None:
    [task, *_] = scores.tasks_of(parts, parts.folder, ["brier"])
    monkeypatch.setattr(scoring, "__version__", "9.9")
    with pytest.raises(BadInput, match=r"This worker has version 9\.9 of forecast-ledger, not "):
        score_part(task)


def test_a_folder_of_something_else_is_refused(
    score_here: Callable[..., Scores], tmp_path: Path
) -> None:
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "diary.txt").write_text("dear diary")
    with pytest.raises(Refused, match="an empty folder"):
        score_here()
    assert [each.name for each in (tmp_path / "scores").iterdir()] == ["diary.txt"]


# --- the command ---------------------------------------------------------------------------------


class Cancelling(Executor):
    """A cluster whose scheduler has stopped."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(CancelledError())
        return future


def run(*arguments: str | Path, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == exit_code, result.output + str(result.exception)
    return result


def test_the_command_scores_parts_into_a_folder(parts: Parts, tmp_path: Path) -> None:
    output = tmp_path / "scores"
    first = run("score", parts.folder, "--output", output, "--workers", "1").stdout
    assert "scores of 200 forecasts in 4 parts, in " in first
    again = run("score", parts.folder, "--output", output).stdout
    assert "4 parts (4 from an earlier run)" in again
    assert first.splitlines()[-1] == again.splitlines()[-1]
    assert again.splitlines()[-1].startswith("digest ")
    pd.testing.assert_frame_equal(rows(output), expected(work.tournament(), ["brier"]))


def test_the_command_names_the_next_command_or_the_reason_for_no_scores(
    parts: Parts, tmp_path: Path
) -> None:
    named = run("score", parts.folder, "--output", tmp_path / "scores", "--workers", "1").stderr
    assert f"Report on the parts with: forecasts report {parts.folder} --by forecaster" in named
    for part in range(parts.count):
        name = part_file("questions", part)
        rewritten(parts, name, lambda frame: frame.assign(resolution=pd.NA))
    empty = run("score", parts.folder, "--output", tmp_path / "none", "--workers", "1")
    assert empty.stdout.startswith("0 scores of 200 forecasts")
    assert (
        "There are no scores. A forecast is scored if its question has an outcome" in empty.stderr
    )


def test_the_command_prints_one_table_of_few_parts(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = run("score", parts.folder, "--protocol", "log", "--protocol", "brier").stdout
    first, *_ = expected(work.tournament(), ["brier", "log"]).itertuples(index=False)
    lines = printed.splitlines()
    assert lines[0] == "question_id,forecaster,protocol,score,coverage,updates"
    assert lines[1] == ",".join(str(each) for each in first)
    monkeypatch.setattr("forecasts.cli.bulk_scores.MOST_IN_A_TABLE", 199)
    refused = run("score", parts.folder, exit_code=2)
    assert "The parts hold 200 forecasts" in refused.stderr
    assert "Name a folder for the scores, such as --output scores" in refused.stderr


def test_the_command_lists_the_parts_that_failed(parts: Parts, tmp_path: Path) -> None:
    (parts.folder / part_file("questions", 1)).unlink()
    found = run("score", parts.folder, "--output", tmp_path / "scores", exit_code=1)
    assert "1 part failed:" in found.stderr
    assert "part-00001:" in found.stderr
    again = f"Then score the parts again with --output {tmp_path / 'scores'}."
    assert again in found.stderr
    assert "part-00001.parquet is missing, or a worker cannot reach it." in found.stderr
    assert "digest" not in found.stdout


def test_parts_that_failed_with_the_same_error_are_listed_together(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasts.cli.bulk_scores.NAMES_SHOWN", 2)
    monkeypatch.setattr(
        "forecasts.cli.bulk_scores.Processes", lambda workers, preload: Cancelling()
    )
    found = run("score", parts.folder, "--output", tmp_path / "scores", exit_code=1)
    assert "part-00000, part-00001 and 2 more:" in found.stderr
    assert found.stderr.count("its scheduler stopped") == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_the_work_with_one_sentence(
    how: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    # A run in the background of a shell ignores Ctrl-C.
    of_runner = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(Exit) as ended, engine(1, None, "tests.parts.work", stopped="Stopped."):
        signal.raise_signal(how)
    signal.signal(signal.SIGINT, of_runner)
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == "Stopped.\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_output_without_a_known_file_ending_is_a_folder(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "there.csv").mkdir()
    for name in ("2026.11", "there.csv"):
        run("score", parts.folder, "--output", tmp_path / name, "--workers", "1")
        assert (tmp_path / name / RESULTS).is_file()


def test_the_error_for_a_folder_of_scores_or_a_path_inside_parts_names_the_parts(
    parts: Parts, score_here: Callable[..., Scores], tmp_path: Path
) -> None:
    score_here()
    for verb, *options in (["report"], ["compare"], ["score"], ["partition", "--into", "NEW"]):
        refused = run(verb, tmp_path / "scores", *options, exit_code=2)
        assert refused.stderr == (
            f"'{tmp_path}/scores' is a folder of scores; use the parts that it was made from: "
            f"'{parts.folder}'.\n"
        )
    for name in ("questions", "forecasts", "parts.json"):
        refused = run("score", parts.folder / name, exit_code=2)
        assert refused.stderr.endswith(f"is inside a folder of parts; use '{parts.folder}'.\n")


def test_a_full_disk_is_explained_and_leaves_no_draft(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    refused = run("score", parts.folder, "--output", tmp_path / "scores", exit_code=2)
    assert "cannot be written: No space left on device" in refused.stderr
    assert [path.name for path in (tmp_path / "scores").iterdir()] == ["scores"]


def test_workers_need_parts_and_a_folder(parts: Parts, tmp_path: Path) -> None:
    for arguments, message in (
        (["--workers", "2"], "Workers share a folder of parts, not a database."),
        ([tmp_path, "--workers", "2"], "forecasts partition"),
        ([parts.folder, "--workers", "2"], "such as --output scores"),
        ([parts.folder, "--scheduler", "x", "--output", tmp_path / "a.csv"], "such as --output"),
        ([parts.folder, "--scheduler", "x", "--workers", "2", "-o", tmp_path / "s"], "Use one of"),
    ):
        assert message in run("score", *arguments, exit_code=2).stderr


def test_crowd_says_which_commands_read_parts(parts: Parts) -> None:
    refused = run("crowd", parts.folder, exit_code=2)
    assert "only report, compare and score read those" in refused.stderr
