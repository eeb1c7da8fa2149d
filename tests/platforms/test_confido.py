"""Confido's CSV of predictions. No row is from a real room."""

from pathlib import Path
from typing import Any

import pytest

from forecasts.platforms.record import PlatformRecord
from tests.platforms import sheets

DAY = 86_400
MADE = 1_740_819_600  # 2025-03-01 09:00 UTC
ROW = {
    "question_id": "q1",
    "question": "Will the bridge open?",
    "user_id": "u1",
    "nick": "Ann",
    "email": "ann@mail.example",
    "timestamp": str(MADE),
    "date": "2025-03-01",
    "time": "09:00:00",
    "probability": "0.7",
    "mean": "",
    "stdev": "",
    "resolution": "",
    "brier": "",
}
NUMBER = {"probability": "", "mean": "10.00", "stdev": "2.50"}
BUCKETS = {
    "bucket1_-10.00--5.00": "0.0",
    "bucket2_-5.00-0.00": "0.25",
    "bucket3_0.00-5.00": "0.5",
    "bucket4_5.00-10.00": "0.25",
}


def row(**fields: str) -> dict[str, str]:
    return ROW | fields


def read(path: Path, *rows: dict[str, str], **choices: Any) -> PlatformRecord:
    return sheets.read(path / "room.csv", sheets.table(*rows), format_="confido", **choices)


def refused(path: Path, *rows: dict[str, str]) -> list[tuple[str, str]]:
    error = sheets.refused(path / "room.csv", sheets.table(*rows), format_="confido")
    return sheets.places(error)


LATER = {"timestamp": str(MADE + DAY)}
WON = {"resolution": "1"}
FILES: dict[str, tuple[list[dict[str, str]], dict[str, Any]]] = {
    "a time in seconds since 1970": ([row()], {"made": ["2025-03-01 09:00"], "id": ["confido-q1"]}),
    "a time with an exponent": ([row(timestamp="1.7408196E9")], {"made": ["2025-03-01 09:00"]}),
    "brier is a printed score, the last one counts": (
        [row(**WON, brier="0.64"), row(**WON, **LATER, brier="0.96", probability="0.9")],
        {"p": [0.7, 0.9], "printed": [["alice", "brier", 0.96]], "note": "higher is better"},
    ),
    "outcomes": (
        [row(**WON), row(question_id="q2", resolution="0"), row(question_id="q3")],
        {"outcomes": ["yes", "no", ""]},
    ),
    "the outcome 1 of a number": (
        [row(**NUMBER, resolution="1.00")], {"outcomes": ["1.00"], "types": ["numeric"]},
    ),
    "members are told apart by their ids": (
        [row(), row(user_id="u2", nick="Ann"), row(user_id="u3", nick="Bo")],
        {"who": ["u1", "u2", "Bo"]},
    ),
    "addresses of members": ([row()], {"left": ["email"]}),
    "a mean that is a day makes a date question": (
        [row(probability="", mean="2025-06-01", stdev="10.00", resolution="2025-06-11")],
        {"types": ["date"], "outcomes": ["2025-06-11"]},
    ),
    "a file of one question is named by itself": (
        [{name: ROW[name] for name in ROW if name not in ("question_id", "question")}],
        {"id": ["confido-room"], "note": "names no question"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), FILES.values(), ids=FILES)
def test_a_file_is_read(
    tmp_path: Path, rows: list[dict[str, str]], expected: dict[str, Any]
) -> None:
    sheets.require(read(tmp_path, *rows), expected)


def test_a_mean_and_a_deviation_are_a_normal_curve(tmp_path: Path) -> None:
    frames = read(tmp_path, row(**NUMBER)).frames
    [quantiles] = frames.forecasts["quantiles"]
    assert quantiles["0.5"] == pytest.approx(10)
    assert quantiles["0.95"] == pytest.approx(10 + 1.6448536 * 2.5)
    [question] = frames.questions.itertuples()
    assert (question.lower_bound, question.upper_bound) == ("0", "30")


def test_buckets_give_quantiles_and_the_range_with_negative_edges(tmp_path: Path) -> None:
    frames = read(tmp_path, row(**NUMBER) | BUCKETS).frames
    [question] = frames.questions.itertuples()
    assert (question.lower_bound, question.upper_bound) == ("-10", "10")
    [quantiles] = frames.forecasts["quantiles"]
    assert {round(float(level), 6): value for level, value in quantiles.items()} == {
        0.0: -5.0,
        0.25: 0.0,
        0.75: 5.0,
    }


def test_buckets_without_ranges_leave_the_mean_and_the_deviation(tmp_path: Path) -> None:
    plain = {f"bucket{number}": "0.5" for number in (1, 2)}
    [quantiles] = read(tmp_path, row(**NUMBER) | plain).frames.forecasts["quantiles"]
    assert quantiles["0.5"] == pytest.approx(10)


def test_the_groups_forecast_is_nobodys(tmp_path: Path) -> None:
    group = row(user_id="", nick="", email="", probability="0.6")
    record = read(tmp_path, row(), group)
    assert len(record.frames.forecasts) == 1
    assert record.left_out[0].place == "room.csv, line 3"
    with_group = read(tmp_path, row(), group, aggregates=True)
    sheets.require(with_group, {"who": ["alice", "confido-group"], "kinds": ["human", "bot"]})


@pytest.mark.parametrize(
    ("fields", "column", "value"),
    [
        ({"probability": "1.2"}, "probability", "1.2"),
        ({"probability": "70%"}, "probability", "70%"),
        ({"probability": ""}, "probability", ""),
        ({"timestamp": ""}, "timestamp", ""),
        ({"timestamp": f"{MADE}000"}, "timestamp", f"{MADE}000.0"),
        ({"resolution": "yes"}, "resolution", "yes"),
        ({"mean": "3.00"}, "mean", "3.00"),
        ({**NUMBER, "stdev": "-1"}, "stdev", "-1.0"),
        ({**NUMBER, "mean": "ten"}, "mean", "ten"),
        ({**NUMBER, "mean": "2025-02-30"}, "mean", "2025-02-30"),
        ({**NUMBER, "resolution": "2025-01-01"}, "resolution", "2025-01-01"),
    ],
)
def test_a_bad_cell_is_named(
    tmp_path: Path, fields: dict[str, str], column: str, value: str
) -> None:
    found = refused(tmp_path, row(question_id="q0"), row(**fields))
    assert found == [(f"room.csv, line 3, column {column}", value)]


def test_buckets_must_sum_to_1(tmp_path: Path) -> None:
    [(place, value)] = refused(tmp_path, row(**NUMBER) | BUCKETS | {"bucket3_0.00-5.00": "0.9"})
    assert place == "room.csv, line 2, column bucket1_-10.00--5.00"
    assert value == "1.4 in all"
