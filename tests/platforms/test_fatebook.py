"""Fatebook's CSV in both shapes. No row is from a real account."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from forecasts.platforms.record import PlatformRecord
from tests.platforms import sheets
from tests.remarks import notes_of

ACCOUNT = {
    "Question title": "Will the bridge open?",
    "Multiple choice option": "",
    "Forecast created by": "Ann Bell",
    "Forecast (scale = 0-1)": "0.7",
    "Forecast created at": "2025-03-01 09:05:7",
    "Question created by": "Ann Bell",
    "Question created at": "2025-03-01 09:05:7",
    "Question resolve by": "2025-04-01 00:00:0",
    "Resolution": "",
    "Resolved at": "",
    "Your Brier score for this question": "",
    "Your relative Brier score for this question": "",
    "Question notes": "",
    "Question shared with": "",
    "Question shared publicly": "false",
    "Question comments": "",
    "Question tags": "",
}
TOURNAMENT = {"Tournament name": "Spring cup"} | {
    name: ACCOUNT[name]
    for name in (
        *("Question title", "Multiple choice option", "Forecast created by"),
        *("Forecast (scale = 0-1)", "Forecast created at", "Question created by"),
        *("Question created at", "Question resolve by", "Resolution", "Resolved at"),
        "Question notes",
    )
}
SHORT = {
    "title": "Question title",
    "option": "Multiple choice option",
    "by": "Forecast created by",
    "p": "Forecast (scale = 0-1)",
    "made": "Forecast created at",
    "asked": "Question created at",
    "due": "Question resolve by",
    "outcome": "Resolution",
    "resolved": "Resolved at",
    "brier": "Your Brier score for this question",
    "relative": "Your relative Brier score for this question",
    "notes": "Question notes",
    "comments": "Question comments",
    "tags": "Question tags",
}
RESOLVED = {"outcome": "YES", "resolved": "2025-03-20 12:00:30"}


def row(base: dict[str, str] = ACCOUNT, /, **fields: str) -> dict[str, str]:
    return base | {SHORT[name]: value for name, value in fields.items()}


def read(path: Path, *rows: dict[str, str], **choices: object) -> PlatformRecord:
    return sheets.read(
        path / "fatebook-forecasts.csv", sheets.table(*rows), format_="fatebook", **choices
    )


def refused(path: Path, *rows: dict[str, str]) -> list[tuple[str, str]]:
    error = sheets.refused(path / "f.csv", sheets.table(*rows), format_="fatebook")
    return sheets.places(error)


@pytest.mark.slow
def test_seconds_have_one_digit_and_no_zone(tmp_path: Path) -> None:
    record = read(tmp_path, row())
    assert record.frames.forecasts["made_at"].tolist()[0].isoformat() == "2025-03-01T09:05:07+00:00"
    assert "The file's times have no zone; they were read as UTC." in notes_of(record)


@pytest.mark.slow
def test_the_chosen_zone_moves_the_times_and_keeps_the_ids(tmp_path: Path) -> None:
    plain = read(tmp_path, row())
    moved = read(tmp_path, row(), zone=ZoneInfo("America/New_York"))
    assert moved.frames.forecasts["made_at"][0].isoformat() == "2025-03-01T14:05:07+00:00"
    assert moved.frames.questions["question_id"][0] == plain.frames.questions["question_id"][0]


def test_questions_of_one_title_asked_at_different_times_are_two(tmp_path: Path) -> None:
    questions = read(tmp_path, row(), row(asked="2025-03-02 09:05:7")).frames.questions
    assert len(set(questions["question_id"])) == 2


@pytest.mark.slow
def test_a_newer_export_keeps_the_ids(tmp_path: Path) -> None:
    before = read(tmp_path, row()).frames.questions["question_id"].tolist()
    newer = row(**RESOLVED, brier="0.18")
    after = read(tmp_path, newer, row(**RESOLVED, brier="0.18", p="0.9", made="2025-03-03 10:00:0"))
    assert after.frames.questions["question_id"].tolist() == before
    assert len(after.frames.forecasts) == 2


def test_a_question_counts_until_it_is_resolved(tmp_path: Path) -> None:
    early, late, odd = (
        row(title="early", **RESOLVED),
        row(title="late", outcome="NO", resolved="2025-05-01 00:00:0"),
        row(title="odd", due="2025-02-01 00:00:0"),
    )
    record = read(tmp_path, early, late, odd)
    closes = record.frames.questions["scheduled_close_time"].dt.strftime("%m-%d").tolist()
    assert closes == ["04-01", "05-01", "03-02"]
    opened, closed = record.frames.questions.iloc[2][["open_time", "scheduled_close_time"]]
    assert closed - opened == timedelta(days=1)
    actual = record.frames.questions["actual_close_time"]
    assert actual.notna().tolist() == [True, False, False]
    assert any(note.startswith("1 question was due before") for note in notes_of(record))


@pytest.mark.parametrize(
    ("printed", "outcome"), [("YES", "yes"), ("NO", "no"), ("AMBIGUOUS", "ambiguous"), ("", "")]
)
def test_resolutions(tmp_path: Path, printed: str, outcome: str) -> None:
    resolved = "2025-03-20 12:00:30" if printed else ""
    questions = read(tmp_path, row(outcome=printed, resolved=resolved)).frames.questions
    assert questions["resolution"].tolist() == [outcome]


@pytest.mark.slow
def test_each_option_is_a_question_of_one_family(tmp_path: Path) -> None:
    options = [
        row(title="Who wins?", option="Red", p="0.5", outcome="YES", resolved="2025-03-20 1:00:0"),
        row(title="Who wins?", option="Blue", p="0.2", outcome="NO", resolved="2025-03-20 1:00:0"),
        row(title="Who wins?", option="Blue", p="0.3", made="2025-03-02 00:00:0", outcome="NO",
            resolved="2025-03-20 1:00:0"),
        row(),
    ]  # fmt: skip
    questions = read(tmp_path, *options).frames.questions
    assert questions["title"].tolist() == [
        "Who wins?: Red",
        "Who wins?: Blue",
        "Will the bridge open?",
    ]
    assert questions["resolution"].tolist() == ["yes", "no", ""]
    red, blue, single = questions["family"]
    assert red == blue != single == ""


@pytest.mark.slow
def test_other_means_that_no_option_listed_came_true(tmp_path: Path) -> None:
    given = {"title": "Who wins?", "resolved": "2025-03-20 1:00:0"}
    red = row(option="Red", outcome="OTHER", **given)
    record = read(tmp_path, red, row(option="Blue", outcome="NO", **given))
    assert record.frames.questions["resolution"].tolist() == ["no", "no"]
    assert any("for Other and for Ambiguous alike" in note for note in notes_of(record))


@pytest.mark.slow
def test_several_forecasters_keep_their_names_and_the_account_is_its_owner(tmp_path: Path) -> None:
    scored = {**RESOLVED, "brier": "0.18", "relative": "-0.04"}
    record = read(
        tmp_path,
        row(**scored),
        row(by="Bo  Chan", p="1", **scored),
        row(title="Other?", by="Bo  Chan"),
        row(title="Third?", **scored),
    )
    assert record.frames.forecasts["forecaster"].tolist() == [
        "alice",
        "Bo Chan",
        "Bo Chan",
        "alice",
    ]
    assert "Forecasts of 'Ann Bell' are alice's." in notes_of(record)
    assert record.account == "Ann Bell"


@pytest.mark.slow
def test_someone_else_with_the_owners_handle_is_someone_else(tmp_path: Path) -> None:
    scored = {**RESOLVED, "brier": "0.18", "relative": "-0.04"}
    record = read(
        tmp_path, row(**scored), row(by="alice", p="1", **scored), row(title="Third?", **scored)
    )
    assert record.frames.forecasts["forecaster"].tolist() == ["alice", "alice (Fatebook)", "alice"]


@pytest.mark.slow
def test_printed_scores_are_kept_as_printed_and_are_the_accounts_own(tmp_path: Path) -> None:
    scored = {**RESOLVED, "brier": "0.18", "relative": "-0.04"}
    printed = read(tmp_path, row(**scored), row(title="Third?", **scored)).printed
    assert set(zip(printed["forecaster"], printed["name"], printed["score"], strict=True)) == {
        ("alice", "Brier score", 0.18),
        ("alice", "relative Brier score", -0.04),
    }


def test_scores_of_an_account_that_cannot_be_told_are_left_out(tmp_path: Path) -> None:
    scored = {**RESOLVED, "brier": "0.18"}
    record = read(tmp_path, row(**scored), row(by="Bo", **scored))
    assert record.printed.empty
    assert record.frames.forecasts["forecaster"].tolist() == ["Ann Bell", "Bo"]
    assert ["which forecaster you are" in one.reason for one in record.left_out][:1] == [True]


@pytest.mark.slow
def test_the_score_of_one_option_is_not_taken_for_that_of_another(tmp_path: Path) -> None:
    scored = {"title": "Who wins?", "brier": "0.5", **RESOLVED}
    record = read(tmp_path, row(option="Red", **scored), row(option="Blue", **scored))
    assert record.printed.empty
    assert [one.value for one in record.left_out[:2]] == ["Brier score 0.5"] * 2


def test_notes_tags_and_comments(tmp_path: Path) -> None:
    said = {"notes": 'See "the plan", p. 3', "tags": "roads; spring", "comments": "Bo: hm; Ann: ok"}
    record = read(tmp_path, row(**said), row(p="0.8", made="2025-03-02 00:00:0", **said))
    [question] = record.frames.questions.itertuples()
    assert question.background == 'See "the plan", p. 3'
    assert question.tags == ["roads", "spring"]
    assert [one.value for one in record.left_out if "comments" in one.reason] == ["Bo: hm; Ann: ok"]
    assert record.left_out[-1].value.startswith("Question created by, Question shared with")


def test_the_shape_of_a_tournament(tmp_path: Path) -> None:
    record = read(tmp_path, row(TOURNAMENT), row(TOURNAMENT, by="Bo", p="0.1"))
    assert record.frames.forecasts["forecaster"].tolist() == ["Ann Bell", "Bo"]
    assert record.frames.questions["tags"].tolist() == [["Spring cup"]]
    same = read(tmp_path, row())
    assert same.frames.questions["question_id"][0] == record.frames.questions["question_id"][0]


def test_a_name_that_a_handle_cannot_be(tmp_path: Path) -> None:
    record = read(tmp_path, row(TOURNAMENT, by="Zo\u200de"), row(TOURNAMENT, by=""))
    assert record.frames.forecasts["forecaster"].tolist() == ["Zoe"]
    assert record.left_out[0].place == "fatebook-forecasts.csv, line 3"


@pytest.mark.parametrize(
    ("field", "value"),
    [("p", "70%"), ("p", "1.2"), ("p", ""), ("made", "03/01/2025"), ("made", ""), ("due", "soon"),
     ("outcome", "MAYBE"), ("title", "")],
)  # fmt: skip
def test_a_bad_cell_is_named(tmp_path: Path, field: str, value: str) -> None:
    [(place, shown)] = refused(tmp_path, row(), row(**{field: value}))
    assert place == f"f.csv, line 3, column {SHORT[field]}"
    assert shown == value


def test_rows_that_contradict_each_other(tmp_path: Path) -> None:
    [(place, shown)] = refused(tmp_path, row(), row(outcome="YES"))
    assert (place, shown) == ("f.csv, line 3, column Resolution", "YES")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    cut = {name: value for name, value in row().items() if name != "Question resolve by"}
    error = sheets.refused(tmp_path / "f.csv", sheets.table(cut), format_="fatebook")
    assert error.message == "f.csv has no column 'Question resolve by'."
