"""Fatebook's CSV in both shapes. No row is from a real account."""

import csv
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from forecasts.platforms.record import PlatformRecord
from tests.platforms import sheets

[HEADER] = csv.reader(
    [
        "Question title,Multiple choice option,Forecast created by,Forecast (scale = 0-1),"
        "Forecast created at,Question created by,Question created at,Question resolve by,"
        "Resolution,Resolved at,Your Brier score for this question,"
        "Your relative Brier score for this question,Question notes,Question shared with,"
        "Question shared publicly,Question comments,Question tags"
    ]
)
NAMES = (
    *("title", "option", "by", "p", "made", "asked by", "asked", "due", "outcome", "resolved"),
    *("brier", "relative", "notes", "shared", "public", "comments", "tags"),
)
SHORT = dict(zip(NAMES, HEADER, strict=True))
ACCOUNT = dict.fromkeys(HEADER, "") | {
    "Question title": "Will the bridge open?",
    "Forecast created by": "Ann Bell",
    "Forecast (scale = 0-1)": "0.7",
    "Forecast created at": "2025-03-01 09:05:7",
    "Question created by": "Ann Bell",
    "Question created at": "2025-03-01 09:05:7",
    "Question resolve by": "2025-04-01 00:00:0",
    "Question shared publicly": "false",
}
TOURNAMENT = {"Tournament name": "Spring cup"} | {
    name: ACCOUNT[name] for name in (*HEADER[:10], "Question notes")
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


SCORED = {**RESOLVED, "brier": "0.18", "relative": "-0.04"}
AT_ONE = {"title": "Who wins?", "resolved": "2025-03-20 1:00:0"}
SAID = {"notes": 'See "the plan", p. 3', "tags": "roads; spring", "comments": "Bo: hm; Ann: ok"}
BRIER = ["alice", "Brier score", 0.18], ["alice", "relative Brier score", -0.04]
FILES: dict[str, tuple[list[dict[str, str]], dict[str, Any]]] = {
    "times with a digit of seconds and no zone": (
        [row()],
        {"made": ["2025-03-01 09:05"], "note": "times have no zone; they were read as UTC."},
    ),
    "questions close when they are due or resolved": (
        [row(title="early", **RESOLVED), row(title="odd", due="2025-02-01 00:00:0"),
         row(title="late", outcome="NO", resolved="2025-05-01 00:00:0")],
        {"closes": ["2025-04-01 00:00", "2025-03-02 09:05", "2025-05-01 00:00"],
         "ends": ["2025-03-20 12:00", "", ""], "note": "1 question was due before"},
    ),
    "resolutions": (
        [row(title=one, outcome=one, resolved="2025-03-20 12:00:30")
         for one in ("YES", "NO", "AMBIGUOUS")] + [row()],
        {"outcomes": ["yes", "no", "ambiguous", ""]},
    ),
    "each option is a question": (
        [row(option="Red", p="0.5", outcome="YES", **AT_ONE),
         row(option="Blue", p="0.2", outcome="NO", **AT_ONE),
         row(option="Blue", p="0.3", made="2025-03-02 00:00:0", outcome="NO", **AT_ONE)],
        {"titles": ["Who wins?: Red", "Who wins?: Blue"], "outcomes": ["yes", "no"],
         "p": [0.5, 0.2, 0.3], "note": "the options of one question are a family"},
    ),
    "other means that no option came true": (
        [row(option="Red", outcome="OTHER", **AT_ONE), row(option="Blue", outcome="NO", **AT_ONE)],
        {"outcomes": ["no", "no"], "note": "for Other and for Ambiguous alike"},
    ),
    "the account with every score is the owner": (
        [row(**SCORED), row(by="Bo  Chan", p="1", **SCORED), row(title="Other?", by="alice"),
         row(title="Third?", **SCORED)],
        {"who": ["alice", "Bo Chan", "alice (Fatebook)", "alice"], "account": "Ann Bell",
         "printed": [*BRIER, *BRIER], "note": "Forecasts of 'Ann Bell' are alice's."},
    ),
    "scores of an account that cannot be told": (
        [row(**SCORED), row(by="Bo", **SCORED)],
        {"printed": [], "who": ["Ann Bell", "Bo"], "account": ""},
    ),
    "the score of one option": (
        [row(option="Red", **AT_ONE, brier="0.5"), row(option="Blue", **AT_ONE, brier="0.5")],
        {"printed": []},
    ),
    "notes and tags": (
        [row(**SAID), row(p="0.8", made="2025-03-02 00:00:0", **SAID)],
        {"background": ['See "the plan", p. 3'], "tags": [["roads", "spring"]]},
    ),
    "a tournament": (
        [row(TOURNAMENT), row(TOURNAMENT, by="Bo", p="0.1")],
        {"who": ["Ann Bell", "Bo"], "tags": [["Spring cup"]]},
    ),
    "a name that a handle cannot be, and none": (
        [row(TOURNAMENT, by="Zo\u200de"), row(TOURNAMENT, by="")],
        {"who": ["Zoe"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), FILES.values(), ids=FILES)
def test_a_file_is_read(
    tmp_path: Path, rows: list[dict[str, str]], expected: dict[str, Any]
) -> None:
    sheets.require(read(tmp_path, *rows), expected)


def test_omissions_are_named(tmp_path: Path) -> None:
    rows = [row(**SCORED), row(by="Bo", **SCORED), row(title="b", by=""), row(**SAID, title="c")]
    reasons = [one.reason for one in read(tmp_path, *rows).left_out]
    assert "names no forecaster" in reasons
    assert "the comments of a question are in one cell, without their times" in reasons
    assert "your score, and the file does not tell which forecaster you are" in reasons
    scored = row(option="Red", brier="0.5", **AT_ONE)
    assert [one.value for one in read(tmp_path, scored).left_out][:1] == ["Brier score 0.5"]


def test_an_id_is_of_the_title_and_the_time_of_asking(tmp_path: Path) -> None:
    def ids(*rows: dict[str, str], **choices: object) -> list[str]:
        return [
            str(one) for one in read(tmp_path, *rows, **choices).frames.questions["question_id"]
        ]

    [one] = ids(row())
    assert ids(row(), zone=ZoneInfo("America/New_York")) == [one]
    assert ids(row(**RESOLVED), row(**RESOLVED, p="0.9", made="2025-03-03 10:00:0")) == [one]
    assert ids(row(TOURNAMENT)) == [one]
    assert len(set(ids(row(), row(asked="2025-03-02 09:05:7")))) == 2


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
