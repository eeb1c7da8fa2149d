"""Pairs of probability and outcome, and wide sheets. No row is from a real file."""

import csv
import gzip
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from forecasts.common.errors import BadInput
from forecasts.platforms.formats import recognised
from forecasts.platforms.record import PlatformRecord
from forecasts.platforms.source import opened
from forecasts.questions.origins import platform_name
from tests.platforms import sheets
from tests.remarks import notes_of

REAL = Path(__file__).parents[3] / "shared" / "real"
LONG = "question,who,date,prob,outcome\n"
PLAIN = LONG.replace("who", "user") + "Rain?,bo,2025-03-01,0.7,1\nSnow?,bo,2025-03-02,0.2,0\n"


def read(path: Path, text: str | bytes, name: str = "sheet.csv", **columns: str) -> PlatformRecord:
    return sheets.read(path / name, text, format_="pairs", columns=columns)


def refused(path: Path, text: str, **columns: str) -> Any:
    return sheets.refused(path / "sheet.csv", text, format_="pairs", columns=columns)


def brier(record: PlatformRecord) -> float:
    """Return the mean of (p - y)² over the forecasts, as the record has them."""
    frames = record.frames
    outcomes = frames.questions.set_index("question_id")["resolution"]
    came_true = frames.forecasts["question_id"].map(outcomes) == "yes"
    return float(((frames.forecasts["probability"] - came_true) ** 2).mean())


@pytest.mark.slow
def test_a_row_is_a_forecast_and_rows_of_one_title_are_a_question(tmp_path: Path) -> None:
    record = read(tmp_path, PLAIN + "Rain?,cy,2025-03-04,0.4,1\n")
    assert record.frames.questions["title"].tolist() == ["Rain?", "Snow?"]
    assert record.frames.questions["resolution"].tolist() == ["yes", "no"]
    assert record.frames.forecasts["forecaster"].tolist() == ["bo", "bo", "cy"]
    assert record.frames.forecasts["question_id"].nunique() == 2
    assert any("prob → probability" in note for note in notes_of(record))


def test_without_a_forecaster_they_are_the_owners(tmp_path: Path) -> None:
    record = read(tmp_path, "question,p,outcome\nRain?,0.7,1\n")
    assert record.frames.forecasts["forecaster"].tolist() == ["alice"]


@pytest.mark.parametrize(
    ("cells", "shares", "said"),
    [
        (["0.5", "1"], [0.5, 1.0], "from 0 to 1"),
        (["0", "1"], [0.0, 1.0], "from 0 to 1"),
        (["50%", "1%"], [0.5, 0.01], "percentages"),
        (["50", "1"], [0.5, 0.01], "from 0 to 100"),
        (["50%", "0.5%"], [0.5, 0.005], "percentages"),
        (["50%", "0.5"], [0.5, 0.5], "from 0 to 1"),
        (["1e-3", " 0.5 "], [0.001, 0.5], "from 0 to 1"),
    ],
)
def test_the_file_decides_the_scale(
    tmp_path: Path, cells: list[str], shares: list[float], said: str
) -> None:
    rows = "".join(f"q{n},{cell},1\n" for n, cell in enumerate(cells))
    record = read(tmp_path, "question,p,outcome\n" + rows)
    assert record.frames.forecasts["probability"].tolist() == shares
    assert any(note.startswith(f"Probabilities are {said}") for note in notes_of(record))


@pytest.mark.slow
def test_a_scale_that_could_be_either_is_refused_unless_chosen(tmp_path: Path) -> None:
    text = "question,p,outcome\na,0.7,1\nb,70,0\n"
    error = refused(tmp_path, text)
    assert error.message.endswith("0.7 is below 1, 70 above.")
    assert "--column scale=100" in error.remedy
    record = read(tmp_path, text, scale="100")
    assert record.frames.forecasts["probability"].tolist() == [0.7 / 100, 0.7]


@pytest.mark.parametrize(
    ("cell", "outcome"),
    [("1", "yes"), ("Yes", "yes"), ("TRUE", "yes"), ("1.0", "yes"), ("0", "no"), ("no", "no"),
     ("0.5", "0.5"), ("", ""), ("unknown", ""), ("N/A", "annulled"), ("Ambiguous", "ambiguous")],
)  # fmt: skip
def test_outcomes(tmp_path: Path, cell: str, outcome: str) -> None:
    record = read(tmp_path, f"question,p,outcome\na,0.7,{cell}\n")
    assert record.frames.questions["resolution"].tolist() == [outcome]


def test_a_file_with_one_date_closes_at_the_end_of_it(tmp_path: Path) -> None:
    [question, _] = read(tmp_path, PLAIN).frames.questions.itertuples()
    assert question.open_time.isoformat() == "2025-03-01T00:00:00+00:00"
    assert question.scheduled_close_time.isoformat() == "2025-03-01T23:59:59+00:00"


def test_days_are_in_the_chosen_zone(tmp_path: Path) -> None:
    record = sheets.read(
        tmp_path / "s.csv", PLAIN, format_="pairs", zone=ZoneInfo("America/New_York")
    )
    assert record.frames.forecasts["made_at"][0].isoformat() == "2025-03-01T05:00:00+00:00"


@pytest.mark.parametrize(
    ("day", "close"),
    [("2025-03-09", "2025-03-10T03:59:59+00:00"), ("2025-11-02", "2025-11-03T04:59:59+00:00")],
)
def test_a_day_of_23_or_25_hours_ends_with_its_last_second(
    tmp_path: Path, day: str, close: str
) -> None:
    text = f"question,date,deadline,p,outcome\na,{day}T12:00:00,{day},0.7,1\n"
    zone = ZoneInfo("America/New_York")
    record = sheets.read(tmp_path / "s.csv", text, format_="pairs", zone=zone)
    assert record.frames.questions["scheduled_close_time"][0].isoformat() == close


def test_only_a_close_dates_the_forecast_a_day_before(tmp_path: Path) -> None:
    frames = read(tmp_path, "question,deadline,p,outcome\na,2025-03-05,0.7,1\n").frames
    assert frames.forecasts["made_at"][0].isoformat() == "2025-03-05T00:00:00+00:00"
    assert frames.questions["scheduled_close_time"][0].isoformat() == "2025-03-05T23:59:59+00:00"


def test_no_date_at_all_is_said(tmp_path: Path) -> None:
    record = read(tmp_path, "question,p,outcome\na,0.7,1\n")
    assert record.frames.forecasts["made_at"][0].year == 2000
    assert any("no dates" in note for note in notes_of(record))


def test_a_question_that_closes_before_it_opens(tmp_path: Path) -> None:
    text = (
        "question,date,open_time,close_time,p,outcome\na,2025-03-05,2025-03-05,2025-03-01,0.7,1\n"
    )
    record = read(tmp_path, text)
    assert record.frames.questions["scheduled_close_time"][0].isoformat()[:10] == "2025-03-05"
    assert any("due before" in note for note in notes_of(record))


def test_an_early_resolution_ends_scoring(tmp_path: Path) -> None:
    text = (
        "question,timestamp,close_time,resolved_at,p,outcome\n"
        "a,2025-03-01 10:00:00+00:00,2025-04-01,2025-03-10,0.7,1\n"
    )
    [question] = read(tmp_path, text).frames.questions.itertuples()
    assert question.actual_close_time.isoformat() == "2025-03-10T23:59:59+00:00"


def test_rows_without_a_question_are_named_by_their_other_cells(tmp_path: Path) -> None:
    text = (
        "league,date,team1,team2,prob1,outcome1\n"
        "nba,2025-03-01,Reds,Blues,0.6,1\n"
        "nba,2025-03-01,Reds,Blues,0.7,0\n"
        "nba,2025-03-02,Reds,Blues,0.7,0\n"
    )
    record = read(tmp_path, text)
    assert record.frames.questions["title"].tolist() == [
        "nba · Reds · Blues · 2025-03-01",
        "nba · Reds · Blues · 2025-03-01 · 2",
        "nba · Reds · Blues · 2025-03-02",
    ]
    assert record.frames.questions["question_id"].is_unique
    assert brier(record) == pytest.approx((0.16 + 0.49 + 0.49) / 3)


def test_bare_pairs_are_named_by_file_and_row(tmp_path: Path) -> None:
    record = read(tmp_path, "p,outcome\n0.7,1\n0.7,1\n")
    assert record.frames.questions["title"].tolist() == ["sheet, row 1", "sheet, row 2"]


def test_a_newer_file_keeps_the_ids(tmp_path: Path) -> None:
    before = read(tmp_path, PLAIN).frames.questions["question_id"].tolist()
    newer = PLAIN.replace("0.2,0", "0.2,") + "Hail?,bo,2025-03-03,0.2,\n"
    assert read(tmp_path, newer, "other.csv").frames.questions["question_id"].tolist()[:2] == before
    ids = "question_id,p,outcome\n17,0.7,1\n"
    assert read(tmp_path, ids).frames.questions["question_id"].tolist() == ["pairs-17"]


def test_columns_in_another_order_are_the_same(tmp_path: Path) -> None:
    rows = list(csv.reader(PLAIN.splitlines()))
    turned = "\n".join(",".join(reversed(row)) for row in rows) + "\n"
    one, other = read(tmp_path, PLAIN).frames, read(tmp_path, turned).frames
    assert one.questions.equals(other.questions)
    assert one.forecasts.equals(other.forecasts)


def test_a_column_for_each_forecaster(tmp_path: Path) -> None:
    text = "question,Ann,Bo,outcome\nRain?,70,50,yes\nSnow?,,20,no\n"
    record = read(tmp_path, text)
    forecasts = record.frames.forecasts
    assert list(zip(forecasts["forecaster"], forecasts["probability"], strict=True)) == [
        ("Ann", 0.7),
        ("Bo", 0.5),
        ("Bo", 0.2),
    ]
    chosen = read(tmp_path, text, **{"forecaster:ann": "Ann"})
    assert chosen.frames.forecasts["forecaster"].tolist() == ["ann"]


@pytest.mark.slow
def test_a_column_for_each_day(tmp_path: Path) -> None:
    text = "question,outcome,2025-03-01,2025-03-08\nRain?,yes,0.5,0.8\nSnow?,no,,0.1\n"
    frames = read(tmp_path, text).frames
    assert frames.forecasts["made_at"].dt.day.tolist() == [1, 8, 8]
    assert frames.forecasts["forecaster"].tolist() == ["alice"] * 3
    assert frames.questions["open_time"].dt.day.tolist() == [1, 8]


@pytest.mark.slow
def test_a_column_for_each_option(tmp_path: Path) -> None:
    text = "match,date,w,d,l,result\nA-B,2025-03-01,0.5,0.3,0.2,Win\nC-D,2025-03-01,,,,draw\n"
    options = {"option:win": "w", "option:draw": "d", "option:loss": "l", "title": "match"}
    frames = read_as(tmp_path, text, options).frames
    assert frames.questions["type"].tolist() == ["multiple_choice"] * 2
    assert frames.questions["resolution"].tolist() == ["win", "draw"]
    assert frames.forecasts["probabilities"].tolist() == [[0.5, 0.3, 0.2]]
    bad = refused(tmp_path, text.replace("0.2,Win", "0.4,Win"), **options)
    assert sheets.places(bad) == [("sheet.csv, line 2, column w", "0.5")]


def read_as(path: Path, text: str, columns: dict[str, str]) -> PlatformRecord:
    """Return a sheet whose names say too little to recognise it."""
    (path / "sheet.csv").write_text(text, encoding="utf-8")
    return sheets.as_sheet(path / "sheet.csv", columns)


def test_an_ambiguous_guess_names_the_candidates(tmp_path: Path) -> None:
    text = "question,prob1,prob2,outcome\na,0.2,0.8,1\n"
    error = refused(tmp_path, text)
    assert error.message == "Several columns could be the probability: 'prob1', 'prob2'."
    assert "--column probability=prob1" in error.remedy
    record = read(tmp_path, text, probability="prob2")
    assert record.frames.forecasts["probability"].tolist() == [0.8]


def test_a_choice_of_nothing_and_of_several(tmp_path: Path) -> None:
    text = "state,candidate,date,p,outcome\nAK,Roe,2025-03-01,0.7,1\nAK,Doe,2025-03-01,0.3,0\n"
    record = read(tmp_path, text, title="state+candidate", made_at="")
    assert record.frames.questions["title"].tolist() == ["AK · Roe", "AK · Doe"]
    assert record.frames.forecasts["made_at"][0].year == 2000


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"probability": "q"},
            "The file has no column 'q', chosen for probability. Its columns are: question, p, "
            "outcome.",
        ),
        ({"chance": "p"}, "'chance' is not a column of ours."),
        ({"scale": "10"}, "The scale '10' is neither 1 nor 100."),
        ({"made_at:soon": "p"}, "'soon' is not a day."),
    ],
)
def test_a_choice_that_does_not_exist(
    tmp_path: Path, columns: dict[str, str], message: str
) -> None:
    assert refused(tmp_path, "question,p,outcome\na,0.7,1\n", **columns).message == message


def test_without_a_probability_every_missing_column_is_named_with_its_option(
    tmp_path: Path,
) -> None:
    said = str(refused(tmp_path, "question,notes 2,deadline\na,good,2025-03-01\n"))
    first, *missing = said.splitlines()
    assert first == (
        "No column of sheet.csv has a usual name for the probability. Its columns are question, "
        "notes 2, deadline. Name the columns that the sheet has. Not recognised:"
    )
    assert [line.split("=")[0].strip() for line in missing] == [
        "--column probability",
        "--column outcome",
        "--column forecaster",
        "--column made_at",
    ]


def test_the_error_for_an_unknown_sheet_lists_the_columns_to_name(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("Statement,My guess,What happened\nRain?,70,yes\n")
    with opened(sheet) as source, pytest.raises(BadInput) as caught:
        recognised(source)
    remedy = caught.value.remedy
    assert "Its columns are Statement, My guess, What happened." in remedy
    assert "--column title=NAME" not in remedy
    for field in ("probability", "outcome", "forecaster", "made_at", "close_time"):
        assert f"--column {field}=NAME" in remedy


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        ("Hail?,bo,2025-03-01,1.2,1", "prob", "1.2"),
        ("Hail?,bo,2025-03-01,-0.1,1", "prob", "-0.1"),
        ('Hail?,bo,2025-03-01,"0,7,1",1', "prob", "0,7,1"),
        ("Hail?,bo,2025-03-01,nan,1", "prob", "nan"),
        ("Hail?,bo,03/01/2025,0.7,1", "date", "03/01/2025"),
        ("Hail?,bo,,0.7,1", "date", ""),
        ("Hail?,bo,2025-03-01,0.7,2", "outcome", "2"),
        ("Rain?,bo,2025-03-01,0.7,0", "outcome", "0"),
        (",bo,2025-03-01,0.7,0", "question", ""),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, row: str, column: str, value: str) -> None:
    columns = {"scale": "1"} if value == "1.2" else {}
    error = refused(tmp_path, PLAIN + row + "\n", **columns)
    assert sheets.places(error) == [(f"sheet.csv, line 4, column {column}", value)]


def test_both_encodings_of_a_name_are_one_forecaster(tmp_path: Path) -> None:
    rows = "Hail?,Jos\u00e9 ,2025-03-01,0.7,1\nFog?,Jose\u0301,2025-03-01,0.7,1\n"
    record = read(tmp_path, PLAIN + rows)
    assert record.frames.forecasts["forecaster"].tolist()[2:] == ["Jos\u00e9"] * 2


def test_a_row_of_nobody_is_left_out(tmp_path: Path) -> None:
    record = read(tmp_path, PLAIN + "Hail?,,2025-03-01,0.7,1\n")
    assert len(record.frames.forecasts) == 2
    assert record.left_out[0].place == "sheet.csv, line 4"


@pytest.mark.slow
def test_two_probabilities_by_one_name_at_once_are_noticed(tmp_path: Path) -> None:
    twice = PLAIN + "Rain?,bo,2025-03-01,0.2,1\n"
    [note] = [one for one in notes_of(read(tmp_path, twice)) if "same time" in one]
    assert "only the last one counts, as in sheet.csv, line 4, 'bo'" in note
    again = PLAIN + "Rain?,bo,2025-03-01,0.7,1\nRain?,cy,2025-03-01,0.2,1\n"
    assert not [one for one in notes_of(read(tmp_path, again)) if "same time" in one]


@pytest.mark.slow
def test_gzip(tmp_path: Path) -> None:
    record = read(tmp_path, gzip.compress(PLAIN.encode()), "sheet.csv.gz")
    assert len(record.frames.forecasts) == 2
    torn = sheets.refused(
        tmp_path / "t.csv.gz", gzip.compress(PLAIN.encode())[:-20], format_="pairs"
    )
    assert torn.message.startswith("t.csv.gz cannot be unpacked")


@pytest.mark.slow
def test_a_gzip_file_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(PLAIN.encode() + b"\n" * 12_000_000)
    error = sheets.refused(tmp_path / "b.csv.gz", bomb, format_="pairs")
    assert "the limit is 200 times its size" in error.message


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_read_alike(tmp_path: Path, separator: str) -> None:
    record = read(tmp_path, PLAIN.replace(",", separator))
    assert record.frames.forecasts.equals(read(tmp_path, PLAIN).frames.forecasts)


@pytest.mark.parametrize("name", ["538_governors"])
def test_real_files_have_the_brier_score_of_a_direct_computation(name: str) -> None:
    path = REAL / f"{name}.csv"
    if not path.is_file():
        pytest.skip("the real files are not here")
    text = path.read_text(encoding="utf-8")
    lines = list(csv.DictReader(text.splitlines()))
    [p] = {"p", "prob1"} & lines[0].keys()
    [outcome] = {"outcome", "outcome1"} & lines[0].keys()
    direct = np.mean([(float(line[p]) - float(line[outcome])) ** 2 for line in lines])
    record = sheets.parsed(path, format_="pairs")
    assert len(record.frames.forecasts) == len(lines)
    assert brier(record) == pytest.approx(direct, abs=1e-12)


@pytest.mark.slow
def test_a_close_in_the_sheet_is_kept_when_the_outcome_was_known_later(tmp_path: Path) -> None:
    text = (
        "question,timestamp,close_time,resolved_at,p,outcome\n"
        "a,2025-03-01 10:00:00+00:00,2025-03-10,2025-04-01,0.7,1\n"
        "a,2025-03-11 10:00:00+00:00,2025-03-10,2025-04-01,0.9,1\n"
        "b,2025-03-01 10:00:00+00:00,,2025-04-01,0.7,1\n"
        "c,2025-03-01 10:00:00+00:00,2024-01-01,2025-04-01,0.7,1\n"
    )
    record = read(tmp_path, text)
    a, b, c = record.frames.questions.itertuples()
    assert a.scheduled_close_time.isoformat() == "2025-03-10T23:59:59+00:00"
    assert a.resolved_at.isoformat() == "2025-04-01T23:59:59+00:00"
    assert b.scheduled_close_time.isoformat() == "2025-04-01T23:59:59+00:00"
    assert c.scheduled_close_time.isoformat() == "2025-04-01T23:59:59+00:00"
    assert (
        notes_of(record)[-1] == "1 forecast was made after the question closed, and will not count."
    )


def test_several_tags_are_in_one_cell(tmp_path: Path) -> None:
    text = "question,p,outcome,tags\na,0.7,1,weather; Rain ,weather\nb,0.7,1,\n"
    record = read(tmp_path, text.replace("; Rain ,", "; Rain ;"))
    assert record.frames.questions["tags"].tolist() == [["weather", "Rain"], None]


@pytest.mark.slow
def test_an_origin_does_not_repeat_the_name_of_the_format(tmp_path: Path) -> None:
    record = read(tmp_path, "question_id,question,p,outcome\nq7,Will it rain?,0.7,1\n")
    [origin] = record.origins.itertuples()
    assert (origin.question_id, origin.platform_id, origin.url) == ("pairs-q7", "q7", "")
    assert platform_name(record.platform) == "Spreadsheet"


@pytest.mark.parametrize(
    ("now", "known"),
    [("2025-03-10T15:00:00+00:00", "2025-03-10T15:00:00+00:00"),  # on that day
     ("2025-03-11T15:00:00+00:00", "2025-03-10T23:59:59+00:00"),
     ("2025-03-09T15:00:00+00:00", "2025-03-10T23:59:59+00:00")],  # ahead: the import says so
)  # fmt: skip
def test_an_outcome_of_today_is_known_by_now(tmp_path: Path, now: str, known: str) -> None:
    text = (
        "question,date,close_time,resolved_at,p,outcome\na,2025-03-01,2025-04-01,2025-03-10,0.7,1\n"
    )
    record = sheets.read(
        tmp_path / "sheet.csv", text, format_="pairs", now=datetime.fromisoformat(now)
    )
    [question] = record.frames.questions.itertuples()
    assert question.resolved_at.isoformat() == known
    assert question.actual_close_time.isoformat() == "2025-03-10T23:59:59+00:00"


@pytest.mark.slow
def test_an_outcome_with_a_time_later_today_is_not_known_by_now(tmp_path: Path) -> None:
    text = (
        "question,date,close_time,resolved_at,p,outcome\n"
        "a,2025-03-01,2025-04-01,2025-03-10 18:00,0.7,1\n"
    )
    now = datetime.fromisoformat("2025-03-10T15:00:00+00:00")
    record = sheets.read(tmp_path / "sheet.csv", text, format_="pairs", now=now)
    [known] = record.frames.questions["resolved_at"]
    assert known.isoformat() == "2025-03-10T18:00:00+00:00"


@pytest.mark.slow
def test_times_that_the_sheet_lacks_are_a_whole_day_from_a_time_of_day(tmp_path: Path) -> None:
    due = read(tmp_path, "question,deadline,p,outcome\na,2025-03-05 14:00,0.7,1\n").frames
    assert due.forecasts["made_at"][0].isoformat() == "2025-03-04T14:00:00+00:00"
    assert due.questions["open_time"][0].isoformat() == "2025-03-04T14:00:00+00:00"
    made = read(tmp_path, "question,timestamp,p,outcome\na,2025-03-05 14:00,0.7,1\n").frames
    assert made.questions["scheduled_close_time"][0].isoformat() == "2025-03-06T14:00:00+00:00"
    opened = "2025-03-05 14:00,2025-03-01,0.7,1\n"
    odd = read(tmp_path, f"question,open_time,close_time,p,outcome\na,{opened}").frames
    assert odd.questions["scheduled_close_time"][0].isoformat() == "2025-03-06T14:00:00+00:00"


@pytest.mark.slow
@pytest.mark.parametrize("day", ["2025-03-09", "2025-11-02"])  # of 23 and of 25 hours
def test_times_that_the_sheet_lacks_follow_the_clock(tmp_path: Path, day: str) -> None:
    zone = ZoneInfo("America/New_York")
    text = f"question,date,p,outcome\na,{day},0.7,1\nb,{day}T00:30,0.7,1\n"
    record = sheets.read(tmp_path / "s.csv", text, format_="pairs", zone=zone)
    closes = [at.tz_convert(zone) for at in record.frames.questions["scheduled_close_time"]]
    assert [f"{at:%H:%M:%S}" for at in closes] == ["23:59:59", "00:30:00"]
    assert [f"{at:%Y-%m-%d}" == day for at in closes] == [True, False]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_a_time_without_a_day_after_it_breaks_a_rule(tmp_path: Path, zone: str) -> None:
    text = "question,timestamp,p,outcome\na,9999-12-31 12:00,0.7,1\n"
    with pytest.raises(BadInput) as refused:
        sheets.read(tmp_path / "s.csv", text, format_="pairs", zone=ZoneInfo(zone))
    assert "must be after open_time" in str(refused.value.problems[0])


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_a_time_without_a_day_before_it_dates_nothing_before_the_year_1(
    tmp_path: Path, zone: str
) -> None:
    text = "question,deadline,p,outcome\na,0001-01-01 12:00,0.7,1\n"
    record = sheets.read(tmp_path / "s.csv", text, format_="pairs", zone=ZoneInfo(zone))
    assert record.frames.questions["open_time"].dt.year.tolist() == [1]
