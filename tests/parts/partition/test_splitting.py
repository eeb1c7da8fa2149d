"""A partition keeps every row, or names the file, line and rule of what it refuses."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from forecasts.cli.main import app
from forecasts.common.errors import BadInput, Refused
from forecasts.folder.cells import cell_text
from forecasts.folder.folder import read_folder
from forecasts.parts.files import part_of
from forecasts.parts.folder import Parts
from forecasts.parts.partition import part_sorting, spill, splitting
from forecasts.parts.partition.sources import Rows, find_files
from forecasts.parts.partition.splitting import number_of_parts, partition
from tests.examples import examples

QUESTIONS = """\
question_id,title,type,options,lower_bound,upper_bound,open_time,scheduled_close_time,resolution
rain,Rain?,,,,,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,YES
colour,"Which
colour?",multiple_choice,"[""red"", ""blue""]",,,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,Blue
level,,numeric,,0,9.5,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,7
snow,Snow?,binary,,,,2026-01-01T00:00:00+05:30,2026-02-01T00:00:00Z,
"""
FORECASTS = """\
question_id,forecaster,made_at,probability,probabilities,quantiles,rationale,evidence
snow,zoe,2026-01-09T00:00:00Z,1,,,,
rain,zoe,2026-01-02T05:30:00+05:30,0.5,,,"because
of ""big"" clouds","[{""evidence_id"": ""e"", ""stance"": ""supports""}]"
level,ana,2026-01-02T00:00:00Z,,,"{""0.1"": 1, ""0.5"": 5, ""0.9"": 9}",,
rain,zoe,2026-01-02T00:00:00Z,0.7,,,,
colour,zoe,2026-01-02 00:00:00.25Z,,"[0.2, 0.8]",,,
rain,ana,2026-01-02T00:00:00Z,0.1,,,,
colour,zoe,2026-01-03T00:00Z,,,,,
"""
OTHERS = {
    "teams.csv": "team,forecaster\nA,zoe\n",
    "evidence.csv": "evidence_id,kind\ne,news\n",
    "articles.csv": "url,title\nhttps://example.org/a,A\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ledger folder with every type of question."""
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    (ledger / "questions.csv").write_text(QUESTIONS)
    (ledger / "forecasts.csv").write_text(FORECASTS)
    return ledger


def made(paths: Sequence[Path] | Path, into: Path, **options: Any) -> Parts:
    chosen = [paths] if isinstance(paths, Path) else list(paths)
    parts, is_new = partition(find_files(chosen), into, **options)
    assert is_new
    return parts


def rows(parts: Parts, table: str) -> list[dict[str, str]]:
    """The rows of all parts as the texts of a CSV file."""
    return [
        row
        for part in range(parts.count)
        for row in texts(getattr(parts, table)(part)).to_dict("records")
    ]


def texts(frame: pd.DataFrame) -> pd.DataFrame:
    # A text "nan" stays; a number that is missing is blank.
    return pd.DataFrame(
        {name: ["" if cell != cell else cell_text(cell) for cell in frame[name]] for name in frame}
    )


def test_the_parts_hold_the_rows_of_the_ledger_folder(folder: Path, tmp_path: Path) -> None:
    for name, text in OTHERS.items():
        (folder / name).write_text(text)
    expected = read_folder(folder)
    parts = made(folder, tmp_path / "parts", parts=1)
    questions = expected.questions.sort_values("question_id", ignore_index=True)
    pd.testing.assert_frame_equal(parts.questions(0), questions)
    forecasts = expected.forecasts.sort_values(
        ["question_id", "forecaster", "made_at"], kind="stable", ignore_index=True
    )
    found = parts.forecasts(0).astype({"question_id": "str", "forecaster": "str"})
    pd.testing.assert_frame_equal(texts(found), texts(forecasts)[list(found)])
    for name in ("teams", "evidence", "articles"):
        pd.testing.assert_frame_equal(parts.whole(name), getattr(expected, name))


@pytest.mark.slow
def test_parquet_is_recognised_by_its_columns_and_read_with_integer_ids_and_nanoseconds(
    tmp_path: Path,
) -> None:
    times = pd.to_datetime(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"])
    pd.DataFrame(
        {"question_id": [10, 9], "open_time": times[0], "scheduled_close_time": times[1]}
    ).to_parquet(tmp_path / "a.parquet")
    for number, name in enumerate(("b-1.parquet", "b-2.parquet")):
        pd.DataFrame(
            {
                "question_id": [9, 10],
                "forecaster": [7, 7],
                "made_at": times.as_unit("ns").tz_convert("Europe/Berlin"),
                "probability": number,
            }
        ).to_parquet(tmp_path / name)
    parts = made([tmp_path / "a.parquet", tmp_path / "b-*.parquet"], tmp_path / "p", parts=1)
    assert parts.questions(0)["question_id"].tolist() == ["10", "9"]
    assert parts.forecasts(0)["question_id"].tolist() == ["10", "10", "9", "9"]
    assert parts.forecasts(0)["forecaster"].tolist() == ["7"] * 4
    assert parts.forecasts(0)["probability"].tolist() == [0, 1, 0, 1]
    assert parts.forecasts(0)["made_at"].tolist() == [times[1], times[1], times[0], times[0]]


@pytest.mark.slow
def test_lists_in_parquet_become_json(folder: Path, tmp_path: Path) -> None:
    (folder / "forecasts.csv").unlink()
    table = pa.table(
        {
            "question_id": ["colour", "level"],
            "forecaster": ["zoe", "zoe"],
            "made_at": ["2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"],
            "probabilities": pa.array([[0.25, 0.75], None], pa.list_(pa.float64())),
            "quantiles": pa.array(
                [None, {"0.1": 1.0, "0.9": 2.0}],
                pa.struct([("0.1", pa.float64()), ("0.9", pa.float64())]),
            ),
        }
    )
    pq.write_table(table, folder / "forecasts.parquet")
    found = made(folder, tmp_path / "parts", parts=1).forecasts(0)
    assert json.loads(found["probabilities"][0]) == [0.25, 0.75]
    assert json.loads(found["quantiles"][1]) == {"0.1": 1.0, "0.9": 2.0}


@pytest.mark.slow
def test_parts_are_divided_again_into_another_number(folder: Path, tmp_path: Path) -> None:
    one = made(folder, tmp_path / "one", parts=2)
    two = made(one.folder, tmp_path / "two", parts=5)
    three = made(two.folder, tmp_path / "three", parts=2)
    assert {name: file.sha256 for name, file in three.files.items()} == {
        name: file.sha256 for name, file in one.files.items()
    }


@pytest.mark.slow
def test_a_folder_made_from_the_same_input_is_left_as_it_is(folder: Path, tmp_path: Path) -> None:
    files, into = find_files([folder]), tmp_path / "parts"
    first, _ = partition(files, into, parts=2)
    again, is_new = partition(files, into)
    assert not is_new
    assert again == first
    with pytest.raises(Refused, match="has 2 parts"):
        partition(files, into, parts=3)
    with (folder / "forecasts.csv").open("a") as file:
        file.write("rain,bob,2026-01-04T00:00:00Z,0.5,,,,\n")
    with pytest.raises(Refused, match="has 2 parts made from another input"):
        partition(find_files([folder]), into)
    made(folder, tmp_path / "one", parts=1)
    with pytest.raises(Refused, match="has 1 part made from the same input"):
        partition(find_files([folder]), tmp_path / "one", parts=2)


def problems(folder: Path) -> dict[str, tuple[str, str]]:
    """The place, value and rule of everything that a partition refuses; it leaves nothing."""
    with pytest.raises(
        BadInput, match=r"breaks the rules of a ledger in .* nothing was written"
    ) as caught:
        partition(find_files([folder]), folder.parent / "parts", parts=2)
    assert [path.name for path in folder.parent.iterdir()] == ["ledger"]
    return {one.place: (one.value, one.rule) for one in caught.value.problems}


def check_each(folder: Path, bad: list[tuple[str, str, str, str]]) -> None:
    """Add the rows to the forecasts, and check the column, value and rule named for each line."""
    with (folder / "forecasts.csv").open("a") as file:
        file.writelines(f"{row},,,,\n" for row, *_ in bad)
    found = problems(folder)
    for line, (_, column, value, rule) in enumerate(bad, 10):
        actual, broken = found.pop(f"forecasts.csv, line {line}, column {column}")
        assert actual == value
        assert rule in broken
    assert found == {}


def test_cells_that_cannot_be_read_are_named_by_file_and_line(folder: Path) -> None:
    check_each(
        folder,
        [
            ("rain,zoe,2026-01-02T00:00:00Z,half", "probability", "half", "a number"),
            ("rain,zoe,2026-01-02T00:00:00,0.5", "made_at", "2026-01-02T00:00:00", "naive"),
            ("rain,zoe,yesterday,0.5", "made_at", "yesterday", "ISO 8601"),
        ],
    )


def test_rows_that_break_a_rule_are_named_by_file_and_line(folder: Path) -> None:
    check_each(
        folder,
        [
            ("rain,zoe,2026-01-02T00:00:00Z,1.5", "probability", "1.5", "0..1"),
            ("rain,zoe,,0.5", "made_at", "", "a time is required"),
            ("hail,zoe,2026-01-02T00:00:00Z,0.5", "question_id", "hail", "one of the questions"),
            (",zoe,2026-01-02T00:00:00Z,0.5", "question_id", "", "one of the questions"),
            ("rain,,2026-01-02T00:00:00Z,0.5", "forecaster", "", "a forecaster is required"),
            ("rain,zoe ,2026-01-02T00:00:00Z,0.5", "forecaster", "zoe ", "white space"),
            ("level,zoe,2026-01-02T00:00:00Z,0.5", "probability", "0.5", "quantiles"),
        ],
    )


def test_the_remedy_names_the_usual_mistake_of_the_columns(folder: Path, tmp_path: Path) -> None:
    usual = {"0.7": ("70", "percentages by 100"), "rain,ana": ("rain.0,ana", "7 is not 7.0")}
    for cell, (wrong, hint) in usual.items():
        (folder / "forecasts.csv").write_text(FORECASTS.replace(cell, wrong, 1))
        with pytest.raises(BadInput) as refused:
            partition(find_files([folder]), tmp_path / "parts")
        assert refused.value.remedy.startswith("Correct the input, and run the same command again.")
        assert [one for _, one in usual.values() if one in refused.value.remedy] == [hint]


@pytest.mark.slow
def test_a_part_that_does_not_fit_the_memory_is_the_same_and_names_the_same_rows(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitting = made(folder, tmp_path / "fitting", parts=2)
    monkeypatch.setattr(splitting, "SORTING", 10**12)
    large = made(folder, tmp_path / "large", parts=2)
    for part in range(2):
        for table in ("questions", "forecasts"):
            own, other = (texts(getattr(parts, table)(part)) for parts in (fitting, large))
            pd.testing.assert_frame_equal(own, other)
    for parts in (fitting, large):
        shutil.rmtree(parts.folder)
    check_each(
        folder,
        [
            ("rain,zoe,2026-01-02T00:00:00Z,1.5", "probability", "1.5", "0..1"),
            ("rain,zoe ,2026-01-02T00:00:00Z,0.5", "forecaster", "zoe ", "white space"),
        ],
    )


@pytest.mark.slow
def test_questions_that_break_a_rule_are_named_by_file_and_line(folder: Path) -> None:
    (folder / "questions.csv").write_text(
        QUESTIONS.replace("YES", "maybe").replace(",Blue", ",green").replace("snow,", "rain,")
    )
    found = problems(folder)
    assert found["questions.csv, line 2, column resolution"][1].startswith("Possible outcomes: yes")
    assert "red, blue" in found["questions.csv, line 3, column resolution"][1]
    assert found["questions.csv, line 6, column question_id"] == (
        "rain",
        "a question_id must be unique",
    )
    assert found["forecasts.csv, line 2, column question_id"][0] == "snow"
    (folder / "questions.csv").write_text(QUESTIONS.replace('"[""red"", ""blue""]"', "red"))
    assert problems(folder) == {"questions.csv, line 3, column options": ("red", "JSON")}


def test_a_row_of_parquet_is_named_by_its_number(folder: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(folder / "forecasts.csv")
    frame.loc[3, "probability"] = -0.5
    (folder / "forecasts.csv").unlink()
    frame.to_parquet(folder / "forecasts.parquet")
    with pytest.raises(BadInput) as caught:
        partition(find_files([folder]), tmp_path / "parts", parts=2)
    assert [str(problem) for problem in caught.value.problems] == [
        "forecasts.parquet, row 4, column probability: '-0.5' — a probability must be finite and "
        "lie within 0..1"
    ]


def test_times_without_a_zone_in_parquet_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "forecasts.csv").unlink()
    naive = pd.DataFrame(
        {"question_id": ["rain"], "forecaster": "zoe", "made_at": pd.to_datetime(["2026-01-02"])}
    ).assign(probability=0.5)
    naive.to_parquet(folder / "forecasts.parquet")
    with pytest.raises(BadInput, match="has times without a zone"):
        partition(find_files([folder]), tmp_path / "parts")


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_names_of_folders_and_files_are_not_data(
    folder: Path, tmp_path: Path, ending: str
) -> None:
    odd = tmp_path / "forecaster=eve" / "it's *[1]"
    odd.mkdir(parents=True)
    for path in folder.iterdir():
        if ending == "csv":
            (odd / path.name).write_bytes(path.read_bytes())
        else:
            pd.read_csv(path).to_parquet(odd / f"{path.stem}.parquet")
    people = {row["forecaster"] for row in rows(made(odd, tmp_path / "parts"), "forecasts")}
    assert people == {"ana", "zoe"}


def test_columns_without_a_name_or_with_almost_the_same_are_left_out(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "forecasts.csv").write_text(
        'question_id,,forecaster,Forecaster,"it\'s",made_at,probability\n'
        "rain,1,zoe,eve,2,2026-01-02T00:00:00Z,0.5\n"
    )
    parts = made(folder, tmp_path / "parts", parts=1)
    assert parts.forecasts(0)["forecaster"].tolist() == ["zoe"]


HEAD, ROW = "question_id,forecaster,made_at,probability", "rain,zoe,2026-01-02T00:00:00Z,0.5"
MANY = '7,zoe,2026-01-02T00:00:00Z,0.5,,,"a\nbreak",\n' * 50_000


@pytest.mark.parametrize(
    ("name", "content", "place", "rule"),
    [
        ("forecasts.csv", f"{HEAD}\n{ROW}\r\n{ROW}\n", "forecasts.csv", "lines that all end alike"),
        ("forecasts.csv", f"{FORECASTS}rain,zoe\n", "forecasts.csv, line 10", "8 cells, like the"),
        ("forecasts.csv", f"{FORECASTS}{MANY}rain,zoe\n", "forecasts.csv, line 100010", "8 cells"),
        ("teams.csv", "team,forecaster\n,zoe\n", "teams.csv, line 2, column team", ""),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_line(
    folder: Path, tmp_path: Path, name: str, content: str, place: str, rule: str
) -> None:
    (folder / name).write_bytes(content.encode())
    with pytest.raises(BadInput) as caught:
        partition(find_files([folder]), tmp_path / "parts")
    [problem] = caught.value.problems
    assert problem.place == place
    assert problem.rule.startswith(rule)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "There is nothing at"),
        ({"x.csv": "a,b\n1,2\n"}, "The columns of x.csv are not those of questions or forecasts"),
        ({"questions.csv": "question_id\n1\n"}, "questions.csv has no column open_time"),
        ({"x.csv": FORECASTS}, "There is no file of questions"),
        ({"x.zip": "PK"}, "x.zip is neither CSV nor Parquet"),
        ({"x.csv": "question_id;forecaster\n"}, "separated by semicolons"),
        ({"x.parquet": "text"}, r"x.parquet cannot be read: .*[^.]\.$"),
        (
            {"forecasts.csv": "question_id,bot,timestamp,probability\n"},
            r"no column forecaster or made_at\. It has question_id, bot, timestamp, probability\.",
        ),
    ],
)
def test_an_input_that_is_not_a_ledger_is_refused_with_a_sentence(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=message):
        find_files([tmp_path / name for name in files] or [tmp_path / "nothing"])


def test_a_misnamed_column_of_values_does_not_make_withdrawals(
    folder: Path, tmp_path: Path
) -> None:
    renamed = FORECASTS.replace("probability,probabilities,quantiles", "Probability,prob,q", 1)
    (folder / "forecasts.csv").write_text(renamed)
    with pytest.raises(BadInput, match="each row would be a withdrawal") as refused:
        find_files([folder])
    assert "Rename the column" in refused.value.remedy
    (folder / "forecasts.csv").write_text(
        "question_id,forecaster,made_at,probability\nrain,zoe,2026-01-02T00:00:00Z,\n"
    )
    assert made(folder, tmp_path / "parts").rows("forecasts") == 1


def test_a_folder_with_the_same_file_as_csv_and_as_parquet_is_refused(folder: Path) -> None:
    pd.read_csv(folder / "forecasts.csv").to_parquet(folder / "forecasts.parquet")
    with pytest.raises(BadInput, match=r"has both forecasts\.csv and forecasts\.parquet"):
        find_files([folder])
    assert len(find_files(sorted(folder.iterdir()))) == 3


def test_an_interruption_while_a_part_is_sorted_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(part_sorting, "read_frames", interrupt)
    with pytest.raises(KeyboardInterrupt):
        partition(find_files([folder]), tmp_path / "parts")
    assert [path.name for path in tmp_path.iterdir()] == ["ledger"]


def test_a_disk_that_fills_up_is_named_and_nothing_left(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spill.Spill, "add", full)
    with pytest.raises(BadInput, match="cannot be written: No space left on device"):
        partition(find_files([folder]), tmp_path / "parts")
    assert [path.name for path in tmp_path.iterdir()] == ["ledger"]


def test_a_disk_without_room_is_refused_at_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splitting.shutil, "disk_usage", lambda _: shutil_usage(0))
    with pytest.raises(BadInput, match=r"needs about .* 0 bytes are free"):
        partition(find_files([folder]), tmp_path / "parts")
    assert not (tmp_path / "parts").exists()


def shutil_usage(free: int) -> Any:
    return type("usage", (), {"free": free})


def test_without_duckdb_the_remedy_is_its_extra(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(BadInput, match=r"Install them with: .*duckdb"):
        partition(find_files([folder]), tmp_path / "parts")


def test_the_number_of_parts_follows_the_rows_and_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(splitting, "cores", lambda: 8)
    assert number_of_parts(0, 10**9) == 1
    assert number_of_parts(100_000, 10**9) == 1
    assert number_of_parts(1_000_000, 10**9) == 8
    assert number_of_parts(90_000_000, 10**9) == 30
    assert number_of_parts(90_000_000, 150_000_000) == 90


def test_the_size_of_a_part_counts_its_own_rows_alone(tmp_path: Path) -> None:
    ids = [f"question {number}" for number in range(1_000)]
    rows = pa.RecordBatch.from_pydict({"question_id": ids, "probability": [0.5] * 1_000})
    [batch] = Rows("forecasts", [rows]).batches(None, 0, lambda *_: None)
    divided = spill.Spill(tmp_path, 8)
    divided.add("forecasts", batch, 0, 0)
    sizes = [divided.bytes_of(part) for part in range(8)]
    assert max(sizes) < sum(sizes) / 4
    assert sum(sizes) == pytest.approx(rows.nbytes + 12 * 1_000, rel=0.1)


def test_progress_ends_with_every_forecast_read_and_sorted(folder: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    made(folder, tmp_path / "parts", parts=2, tell=lambda *step: told.append(step))
    assert told[0][0] == "Reading"
    assert told[-1] == ("Sorting", 7, 7)


def slow_partition(forecasts: pd.DataFrame, parts: int) -> list[list[tuple[Any, ...]]]:
    """The rows of each part, obviously: Python's stable sort of tuples."""
    found: list[list[tuple[Any, ...]]] = [[] for _ in range(parts)]
    for row in sorted(forecasts.itertuples(index=False), key=lambda row: row[:3]):
        found[part_of(row[0], parts)].append(tuple(row))
    return found


IDS = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=3)


@pytest.mark.slow
@settings(max_examples=examples(40), deadline=None)
@example(ids=["nan"], given_rows=[(0, "nan", 0, 0.5)], parts=1, batch=1, fits=True, ending="csv")
@given(
    ids=st.lists(IDS, min_size=1, max_size=6, unique=True),
    given_rows=st.lists(
        st.tuples(st.integers(0, 5), IDS, st.integers(0, 2), st.floats(0, 1)), max_size=30
    ),
    parts=st.integers(1, 5),
    batch=st.integers(1, 7),
    fits=st.booleans(),
    ending=st.sampled_from(["csv", "parquet"]),
)
def test_any_folder_in_any_number_of_parts_keeps_rows_order_and_whole_questions(
    tmp_path_factory: pytest.TempPathFactory,
    ids: list[str],
    given_rows: list[tuple[int, str, int, float]],
    parts: int,
    batch: int,
    fits: bool,
    ending: str,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    times = pd.to_datetime(["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"])
    questions = pd.DataFrame(
        {"question_id": ids, "open_time": times[0], "scheduled_close_time": times[2]}
    )
    forecasts = pd.DataFrame(
        {
            "question_id": [ids[place % len(ids)] for place, *_ in given_rows],
            "forecaster": [row[1] for row in given_rows],
            "made_at": times[[row[2] for row in given_rows]].as_unit("us"),
            "probability": np.array([row[3] for row in given_rows], dtype=float),
        }
    )
    for name, frame in (("questions", questions), ("forecasts", forecasts)):
        if ending == "csv":
            frame.to_csv(folder / f"{name}.csv", index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
        else:
            frame.astype({"question_id": str}).to_parquet(folder / f"{name}.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "BATCH_ROWS", batch)
        patch.setattr(part_sorting, "BLOCK", 3 * batch)
        if not fits:  # into the memory, so that DuckDB sorts the parts
            patch.setattr(splitting, "SORTING", 10**12)
        found = made(folder, folder / "parts", parts=parts)
    assert sorted(row["question_id"] for row in rows(found, "questions")) == sorted(ids)
    for part, expected in enumerate(slow_partition(forecasts, parts)):
        frame = found.forecasts(part).astype({"question_id": str, "forecaster": str})
        assert [tuple(row) for row in frame.itertuples(index=False)] == expected


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def run(*arguments: object, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(app, ["partition", *map(str, arguments)])
        assert result.exit_code == exit_code, result.output + str(result.exception)
        return result

    return run


def test_the_command_prints_its_result_or_that_nothing_changed(
    command: Callable[..., Result], folder: Path, tmp_path: Path
) -> None:
    into = tmp_path / "parts"
    first = command(folder, "--into", into, "--parts", 2, "--memory", "200MB")
    assert f"{into}: 7 forecasts on 4 questions in 2 parts" in first.stdout
    assert first.stderr == ""
    again = command(folder, "--into", into)
    assert "made from the same input before; nothing was changed" in again.stderr
    assert "7 forecasts" in again.stdout


def test_the_command_says_if_no_question_has_an_outcome(
    command: Callable[..., Result], folder: Path, tmp_path: Path
) -> None:
    text = QUESTIONS.replace("scheduled_close_time,resolution", "scheduled_close_time,outcome")
    (folder / "questions.csv").write_text(text)
    made_so = command(folder, "--into", tmp_path / "parts")
    assert "7 forecasts on 4 questions" in made_so.stdout
    assert "No question has an outcome, so there will be no scores." in made_so.stderr


@pytest.mark.slow
def test_the_command_names_bad_rows_and_sizes(
    command: Callable[..., Result], folder: Path, tmp_path: Path
) -> None:
    cells = pd.read_csv(folder / "forecasts.csv", dtype=str).assign(extra="1")
    cells.loc[3, "probability"] = "7"
    cells.to_csv(folder / "forecasts.csv", index=False)
    refused = command(folder, "--into", tmp_path / "parts", exit_code=2)
    assert "left out columns that the format does not have: extra" in refused.stderr
    assert "forecasts.csv, line 6, column probability: '7.0'" in refused.stderr
    assert refused.stdout == ""
    refused = command(folder, "--into", tmp_path / "parts", "--memory", "much", exit_code=2)
    assert "--memory 'much' is not a size" in refused.stderr
