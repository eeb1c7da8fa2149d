"""Metaculus exports: questions, forecasts and scores as the ledger's."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scoring
from app.remedies import said
from forecasts.common.errors import in_words
from forecasts.ledger.models import QuestionText
from forecasts.platforms.record import PlatformRecord, check_record
from forecasts.updates.previews import knots
from forecasts.values.value import Value, check_value
from tests.platforms import sheets
from tests.platforms.metaculus_files import (
    FORECAST_HEADER,
    QUESTION_HEADER,
    account,
    crowd,
    export,
    forecast,
    hashed,
    made,
    question,
    read,
    refused,
    write,
)
from tests.remarks import notes_of

P, VECTOR, CDF = "Probability Yes", "Probability Yes Per Category", "Continuous CDF"
TWO = [forecast(who="ann", **{P: 0.3}), forecast(who="bob", **{P: 0.6})]


SCORES = "Question ID,User ID,User Username,Score Type,Score,Coverage\n"
RANGE = {"Lower Bound": "0", "Upper Bound": "9"}
DAYS = {"Lower Bound": "2026-01-01", "Upper Bound": "2027-01-01"}
KNOWN = {"Resolution Known Time": "2026-01-08 00:00:00+00:00"}
NINE = [*FORECAST_HEADER[:3], *FORECAST_HEADER[4:10]]
OLD = ["Question ID", "Question Title", "Question Type", "Actual Close Time", "Resolution"]
NAMELESS = [one for one in FORECAST_HEADER if one != "Forecaster ID"]
# Each export: its questions, its forecasts, its scores, and the columns of old files.
EXPORTS: dict[str, tuple[list[Any], list[Any], str, dict[str, list[str]], dict[str, Any]]] = {
    "nine columns": (
        [question()], [*TWO, crowd(**{P: 0.5})], "", {"forecast_data": NINE}, {"p": [0.3, 0.6]},
    ),
    "no opening times": (
        [question(**{"Actual Close Time": "2026-01-09 00:00:00+00:00"})], TWO, "",
        {"question_data": OLD},
        {"opens": ["2026-01-02 03:04"], "closes": ["2026-01-09 00:00"], "note": "has no opening"},
    ),
    "no opening times and no forecasts": (
        [question(**{"Actual Close Time": "2026-01-09 00:00:00+00:00"})], [], "",
        {"question_data": OLD}, {"left out": [("line 2", "it has no opening time, as a draft")]},
    ),
    "no ids of forecasters": (
        [question()], TWO, f"{SCORES}41,,ann,peer,-1,\n", {"forecast_data": NAMELESS},
        {"who": ["ann", "bob"]},
    ),
    "ids and an address": (
        [question(41, **{"Post ID": 9041})], TWO, "", {},
        {"id": ["metaculus-41"], "urls": ["https://www.metaculus.com/questions/9041/"]},
    ),
    "ids that pandas made decimal": (
        [question("41.0")], TWO, "", {}, {"id": ["metaculus-41"], "p": [0.3, 0.6]},
    ),
    "a group is a family with labels": (
        [question(41, **{"Label": "Busan", "Question Title": "Where?"}),
         question(42, **{"Label": "Seoul", "Question Title": "Where? (Seoul)"}),
         question(43, **{"Post ID": 7})], [], "", {},
        {"families": ["metaculus-post-9041", "metaculus-post-9041", ""],
         "titles": ["Where? (Busan)", "Where? (Seoul)", "Will it rain on day 43?"]},
    ),
    "a tournament": (
        [question(**{"Default Project": "AI Cup"})], [], "", {}, {"tags": [["Weather", "AI Cup"]]},
    ),
    **{
        f"the outcome {stated} of a {kind} question": (
            [question(**{"Question Type": kind, "Resolution": stated} | cells | KNOWN)],
            [], "", {}, {"outcomes": [stated]},
        )
        for kind, cells, stated in (
            ("binary", {}, "yes"),
            ("binary", {}, "annulled"),
            ("multiple_choice", {"MC Options (All)": "['Busan', 'Other']"}, "Other"),
            ("numeric", RANGE, "6.0"),
            ("numeric", RANGE, "below_lower_bound"),
            ("date", DAYS, "2026-03-01T12:00:00+00:00"),
            ("date", DAYS, "above_upper_bound"),
        )
    },
    "drafts": (
        [question(), question(42, **{"Open Time": ""})],
        [*TWO, forecast(42, **{P: 0.5}), forecast(43, **{P: 0.5})], "", {},
        {"p": [0.3, 0.6], "left": ["Will it rain on day 42?", "2 forecasts"],
         "left out": [("line 3", "it has no opening time, as a draft"),
                      ("", "their questions are not imported")]},
    ),
    "one person": (
        [question()], [TWO[0], crowd(**{P: 0.5})], "", {},
        {"who": ["owner"], "account": "ann", "note": "All forecasts are by ann on Metaculus"},
    ),
    "a bot's own": (
        [question()], [TWO[0] | {"Is Bot": "True"}], "", {}, {"who": ["ann"], "kinds": ["bot"]},
    ),
    "accounts with the same name": (
        [question()],
        [forecast(who="kate", **{P: 0.3, "Forecaster ID": 90}),
         forecast(who="kate", **{P: 0.6, "Forecaster ID": 8})],
        f"{SCORES}41,90,kate,peer,-1,1\n41,8,kate,peer,2,1\n", {},
        {"who": ["kate (Metaculus 90)", "kate"], "p": [0.3, 0.6],
         "printed": [["kate (Metaculus 90)", "peer", -1], ["kate", "peer", 2]],
         "note": "Accounts with the same name on Metaculus are different forecasters"},
    ),
    "an account that changed its name": (
        [question()],
        [forecast(who="kate", **{P: 0.3, "Forecaster ID": 8}),
         forecast(who="Kate B", at="2026-01-03 00:00:00", **{P: 0.6, "Forecaster ID": 8}), TWO[1]],
        f"{SCORES}41,8,kate,peer,-1,\n", {},
        {"who": ["Kate B", "Kate B", "bob"], "printed": [["Kate B", "peer", -1]]},
    ),
    "crowds": (
        [question()],
        [*TWO, crowd(**{P: 0.5}), crowd(**{P: 0.4}), crowd(method="unweighted", **{P: 0.5})],
        "", {},
        {"who": ["ann", "bob"], "left": ["2 of recency_weighted", "1 of unweighted"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "rows", "scores", "headers", "expected"), EXPORTS.values(), ids=EXPORTS
)
def test_an_export_is_read(
    tmp_path: Path,
    asked: list[Any],
    rows: list[Any],
    scores: str,
    headers: dict[str, list[str]],
    expected: dict[str, Any],
) -> None:
    folder = export(tmp_path, asked, rows, **({"score_data": scores} if scores else {}))
    for name, header in headers.items():
        write(folder / f"{name}.csv", header, asked if name == "question_data" else rows)
    record = read(folder)
    check_record(record.frames)
    sheets.require(record, expected)


# --- files ------------------------------------------------------------------------------------


def test_a_zip_is_recognised_by_its_contents(tmp_path: Path) -> None:
    folder = export(tmp_path / "made", [question()], TWO)
    with zipfile.ZipFile(tmp_path / "download.zip", "w") as archive:
        archive.write(folder / "question_data.csv", "question_data (1).csv")
        archive.write(folder / "forecast_data.csv", "forecast_data (1).csv")
    record = sheets.parsed(tmp_path / "download.zip", format_="metaculus")
    sheets.require(record, {"who": ["ann", "bob"]})


@pytest.mark.slow
def test_rows_of_unresolved_questions_have_one_cell_less(tmp_path: Path) -> None:
    """The platform writes no PDF for them, not even a blank one."""
    folder = export(tmp_path, [question()], TWO)
    lines = (folder / "forecast_data.csv").read_text().splitlines()
    short = [lines[0], *(line.removesuffix(",") for line in lines[1:])]
    (folder / "forecast_data.csv").write_text("\r\n".join(short) + "\r\n")
    assert [value for _, _, value in made(read(folder))] == [0.3, 0.6]
    (folder / "forecast_data.csv").write_text("\n".join([*short[:2], short[2][:-3]]) + "\n")
    assert "forecast_data.csv, line 3: " in refused(folder)


def test_forecasts_without_their_questions_are_refused_with_the_remedy(tmp_path: Path) -> None:
    folder = export(tmp_path, [], TWO)
    (folder / "question_data.csv").unlink()
    assert "Give the whole ZIP" in refused(folder)


def test_two_exports_in_one_folder_are_refused(tmp_path: Path) -> None:
    folder = export(tmp_path, [question()], TWO)
    (folder / "forecast_data (1).csv").write_bytes((folder / "forecast_data.csv").read_bytes())
    assert "have the same columns" in refused(folder)


def test_a_resolution_that_is_not_an_outcome_and_a_spot_before_the_opening(tmp_path: Path) -> None:
    said = refused(export(tmp_path, [question(Resolution="maybe")], []))
    assert "question_data.csv, line 2, column resolution: 'maybe' cannot be used. Possible" in said
    both = [
        question(41, **{"CP Reveal Time": "2026-01-03 00:00:00+00:00"}),
        question(42, **{"CP Reveal Time": "2025-12-31 00:00:00+00:00"}),
    ]
    spots = read(export(tmp_path, both, [])).frames.questions["spot_time"]
    assert [str(one) for one in spots] == ["2026-01-03 00:00:00+00:00", "NaT"]


@pytest.mark.slow
def test_every_bad_cell_is_named_by_file_line_column_and_rule(tmp_path: Path) -> None:
    bad = [
        forecast(**{P: 1.5}),
        forecast(**{"Start Time": "2026-01-02 03:04:05", P: 0.5}),
        forecast(at="2026-01-03 00:00:00", **{P: 0.5, "End Time": "2026-01-02 00:00:00+00:00"}),
    ]
    folder = export(tmp_path, [question(), question(42, **{"Question Type": "poll"})], bad)
    said = refused(folder)
    assert "question_data.csv, line 3, column Question Type: 'poll' must be one of" in said
    assert "forecast_data.csv, line 2, column Probability Yes: '1.5' must be a" in said
    assert "forecast_data.csv, line 3, column Start Time" in said
    assert "forecast_data.csv, line 4, column End Time" in said
    assert "must not be before Start Time" in said


def test_a_forecast_is_placed_at_its_line_and_so_is_its_end(tmp_path: Path) -> None:
    rows = [
        forecast(who="bob", **{P: 0.6}),
        forecast(who="ann", **{P: 0.3, "End Time": "2026-01-05 00:00:00+00:00"}),
    ]
    frames = read(export(tmp_path, [question()], rows)).frames
    assert [frames.place("forecasts", row) for row in range(3)] == [
        "forecast_data.csv, line 2", "forecast_data.csv, line 3", "forecast_data.csv, line 3",
    ]  # fmt: skip
    assert frames.place("questions", 0) == "question_data.csv, line 2"


@pytest.mark.slow
def test_other_files_of_the_export_are_left_out_with_their_counts(tmp_path: Path) -> None:
    record = read(
        export(
            tmp_path, [question()], TWO,
            README="This data was exported on 2026-02-13 22:23:07.015940+00:00\n",
            comment_data='Post ID,Author (Anonymized),Comment Text\n1,x,"a\nb"\n2,y,c\n',
            key_factor_data="Key Factor ID,Comment ID,Post ID,Question ID\n1,2,3,41\n",
            question_link_data="Link ID,Question 1 ID,Question 2 ID,Link Type\n1,41,42,causal\n",
            holiday="place,price\nRome,3\n",
        )
    )  # fmt: skip
    assert {(one.place, one.value) for one in record.left_out} == {
        ("comment_data.csv", "2 comments"),
        ("key_factor_data.csv", "1 key factor"),
        ("question_link_data.csv", "1 link between questions"),
        ("holiday.csv", ""),
    }


# --- forecasters ------------------------------------------------------------------------------


@pytest.mark.slow
def test_anonymised_ids_become_aliases_and_their_crowds_stay_crowds(tmp_path: Path) -> None:
    header = ["Question ID", "Forecaster (Anonymized)", *FORECAST_HEADER[3:]]
    rows = [
        one | {"Forecaster (Anonymized)": who}
        for one, who in zip(
            [*TWO, crowd(**{P: 0.5})], [hashed(7), hashed(8), "unweighted"], strict=True
        )
    ]
    scores = (
        "Question ID,User (Anonymized),Score Type,Score,Coverage\n"
        f"41,{hashed(7)},peer,3.5,0.8\n41,recency_weighted,peer,1.5,1.0\n"
    )
    folder = export(tmp_path, [question()], [], score_data=scores)
    write(folder / "forecast_data.csv", header, rows)
    record = read(folder, alias=lambda id_: f"alias-{id_[:4]}")
    aliases = [f"alias-{hashed(7)[:4]}", f"alias-{hashed(8)[:4]}"]
    assert [who for who, _, _ in made(record)] == aliases
    assert record.printed["forecaster"].tolist() == aliases[:1]
    assert any("can be traced" in note for note in notes_of(record))
    assert {one.value for one in record.left_out} == {"1 of unweighted", "1 score"}


def test_a_file_of_crowds_alone_says_how_to_import_them(tmp_path: Path) -> None:
    folder = export(tmp_path, [question()], [crowd(**{P: 0.5})])
    [note] = read(folder).notes
    only = "Only crowds have forecasts."
    assert in_words(note) == f"{only} Import them: --aggregates"
    assert said(note) == f"{only} Import them: “Import the platform’s crowd forecasts, as bots”"
    assert not notes_of(read(folder, aggregates=True))


@pytest.mark.slow
def test_crowds_are_bots_when_asked_and_a_geometric_mean_is_a_pair(tmp_path: Path) -> None:
    mean = crowd(method="geometric_mean", **{VECTOR: "[0.8, 0.2]"})
    record = read(export(tmp_path, [question()], [*TWO, mean]), aggregates=True)
    assert made(record)[-1] == ("metaculus-geometric_mean", "02 03", 0.2)
    sheets.require(record, {"kinds": ["human", "human", "bot"]})


def test_printed_scores_keep_their_names_and_coverage(tmp_path: Path) -> None:
    scores = (
        "Question ID,User ID,User Username,Score Type,Score,Coverage\n"
        f"41,{account('ann')},ann,peer,-12.5,0.25\n41,{account('ann')},ann,spot_peer,4.0,\n"
        f"41,,recency_weighted,peer,1.0,1.0\n99,{account('ann')},ann,peer,1.0,1.0\n"
    )
    record = read(export(tmp_path, [question()], TWO, score_data=scores))
    assert record.printed.iloc[0].to_dict() == {
        "question_id": "metaculus-41", "forecaster": "ann", "name": "peer", "score": -12.5,
        "coverage": 0.25,
    }  # fmt: skip
    assert record.printed["name"].tolist() == ["peer", "spot_peer"]
    assert [one.reason for one in record.left_out] == [
        "scores of the platform's crowds", "their questions are not imported",
    ]  # fmt: skip


END = "End Time"
BOB = forecast(who="bob", at="2026-01-01 01:00:00", **{P: 0.6})
CHOICE = question(**{"Question Type": "multiple_choice", "MC Options (All)": "['a', 'b', 'Other']"})
OLD_OPTIONS = {"MC Options (All)": "", "MC Options": "['a', 'b', 'Other']"}
HISTORY = (
    "[['0001-01-01T00:00:00', ['a', 'Other']], ['2026-01-05T00:00:00+00:00', ['a', 'b', 'Other']]]"
)
EVEN_RANGE = repr(np.linspace(0.0, 100.0, 201).tolist())
AMOUNT = question(
    **{"Question Type": "numeric", "Lower Bound": 0.0, "Upper Bound": 100.0,
       "Continuous Range": EVEN_RANGE}
)  # fmt: skip


def ann(record: PlatformRecord) -> list[tuple[Any, ...]]:
    return [one[1:] for one in made(record) if one[0] == "ann"]


def at(day: int, p: float, end: str = "", number: int = 41) -> Any:
    """Return a forecast of ann's that starts, and perhaps ends, on a day of January."""
    ends = {END: f"2026-01-{end}+00:00"} if end else {}
    return forecast(number, at=f"2026-01-{day:02d} 00:00:00", **{P: p} | ends)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([at(2, 0.3, "03 00:00:00"), at(3, 0.4)], [("02 00", 0.3), ("03 00", 0.4)]),
        (
            [at(4, 0.4, "06 12:00:00"), at(2, 0.0, "03 00:00:00")],
            [("02 00", 0.0), ("03 00", None), ("04 00", 0.4), ("06 12", None)],
        ),
        (
            [at(2, 0.3, "03 00:00:00"), at(3, 0.4, number=42)],
            [("02 00", 0.3), ("03 00", None), ("03 00", 0.4)],
        ),
    ],
    ids=["followed", "withdrawn", "on another question"],
)
def test_a_forecast_that_ends_is_withdrawn_unless_another_follows(
    tmp_path: Path, rows: list[Any], expected: list[Any]
) -> None:
    record = read(export(tmp_path, [question(), question(42)], [BOB, *rows]))
    assert ann(record) == expected


def test_an_imported_export_scores_as_the_platform_does(tmp_path: Path) -> None:
    """Ann's 80% count for four days of ten, Bob's 50% for six; for two they count together."""
    closed = "2026-01-09 00:00:00+00:00"
    times = {"Actual Close Time": closed, "Resolution Known Time": closed}
    rows = [
        forecast(at="2025-12-31 00:00:00", **{P: 0.8, END: "2026-01-05 00:00:00+00:00"}),
        forecast(who="bob", at="2026-01-03 00:00:00", **{P: 0.5}),
    ]
    folder = export(tmp_path, [question(**{"Resolution": "yes"} | times)], rows)
    frames = read(folder).frames
    found = scoring.score(
        frames.questions, frames.forecasts, ["metaculus_baseline", "metaculus_peer"]
    )
    peer = 100 * 0.2 * np.log(0.8 / 0.5)
    assert found["forecaster"].tolist() == ["ann", "bob"] * 2
    assert found["score"].tolist() == pytest.approx([40 * np.log2(2 * 0.8), 0, peer, -peer])
    assert found["coverage"].tolist() == pytest.approx([0.4, 0.6] * 2)


@pytest.mark.parametrize(
    ("first", "second", "asked"),
    [
        ("[0.2, 0.3, 0.5]", "[0.4, None, 0.6]", CHOICE),
        # The option b was removed, so it is not current any more.
        ("[0.2, 0.3, 0.5]", "[0.4, None, 0.6]", {**CHOICE, "MC Options (Current)": "['a']"}),
        ("(0.2, 0.3, 0.5)", "[ 0.4,nan ,6e-1]", CHOICE),
        ("[0.2, 0.3, 0.5]", "[0.4, None, 0.6]", {**CHOICE, **OLD_OPTIONS}),
    ],
    ids=["added later", "removed", "a tuple and nan", "an old column"],
)
def test_vectors_align_with_all_options(
    tmp_path: Path, first: str, second: str, asked: dict[str, Any]
) -> None:
    rows = [BOB | {P: "", VECTOR: first}, forecast(**{VECTOR: second})]
    folder = export(tmp_path, [asked], [*rows, crowd(**{VECTOR: "[" + "0," * 100_000 + "0]"})])
    write(folder / "question_data.csv", [*QUESTION_HEADER, "MC Options"], [asked])
    frames = read(folder).frames
    assert frames.questions["options"].tolist() == [["a", "b", "Other"]]
    vectors = dict(
        zip(frames.forecasts["forecaster"], frames.forecasts["probabilities"], strict=True)
    )
    assert vectors == {"ann": [0.4, None, 0.6], "bob": [0.2, 0.3, 0.5]}


@pytest.mark.parametrize(
    ("exported", "now"),
    [("2026-02-01", "2026-03-01"), ("2026-03-01", "2026-02-01"), ("", "2026-02-01")],
)
def test_an_end_after_the_export_or_import_is_ignored(
    tmp_path: Path, exported: str, now: str
) -> None:
    readme = f"This data was exported on {exported} 22:23:07.015940+00:00\n" if exported else ""
    rows = [BOB, forecast(at="2026-01-02 00:00:00", **{P: 0.3, END: "2026-02-02 00:00:00+00:00"})]
    folder = export(tmp_path, [question()], rows, README=readme)
    record = read(folder, now=datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert ann(record) == [("02 00", 0.3)]
    assert notes_of(record) == ["1 forecast expires later, and has not ended yet."]
    later = read(export(tmp_path, [question()], rows, README=""))
    assert ann(later) == [("02 00", 0.3), ("02 00", None)]


def test_a_vector_over_the_options_of_its_time_is_read_by_the_history(tmp_path: Path) -> None:
    old = CHOICE | {"MC Options (All)": "", "MC Options History": HISTORY}
    rows = [
        BOB | {P: "", VECTOR: "[0.4, 0.6]"},
        forecast(at="2026-01-06 00:00:00", **{VECTOR: "[0.1, 0.2, 0.7]"}),
    ]
    frames = read(export(tmp_path, [old], rows)).frames
    assert frames.questions["options"].tolist() == [["a", "b", "Other"]]
    assert frames.forecasts["probabilities"].tolist() == [[0.4, None, 0.6], [0.1, 0.2, 0.7]]
    late = rows[1] | {VECTOR: "[0.3, 0.7]"}
    assert "3 probabilities that sum to 1" in refused(export(tmp_path, [old], [rows[0], late]))


def test_vectors_that_rounding_kept_from_one_are_divided_by_their_sum(tmp_path: Path) -> None:
    rows = [BOB | {P: "", VECTOR: "[0.2, 0.3, 0.5]"}, forecast(**{VECTOR: "[0.3, 0.3, 0.399]"})]
    record = read(export(tmp_path, [CHOICE], rows))
    assert sum(record.frames.forecasts["probabilities"].iloc[1]) == pytest.approx(1, abs=1e-12)
    assert "1 forecast on several options did not sum to 1" in notes_of(record)[0]
    bad = export(tmp_path, [CHOICE], [forecast(**{VECTOR: "[0.3, 0.3, 0.3]"})])
    assert "column Probability Yes Per Category: '[0.3, 0.3, 0.3]'" in refused(bad)


# --- numbers and dates ------------------------------------------------------------------------


def curve(record: PlatformRecord) -> tuple[list[float], list[float]]:
    """Return the levels and figures of the only forecast, which must suit its question."""
    [row] = record.frames.questions.to_dict("records")
    text = QuestionText.model_construct(
        title="?", type=row["type"], options=None,
        lower_bound=row["lower_bound"], upper_bound=row["upper_bound"],
    )  # fmt: skip
    [quantiles] = record.frames.forecasts["quantiles"].tolist()
    return knots(check_value(Value(quantiles=quantiles), text), text)


def test_a_cdf_of_201_points_becomes_quantiles_at_the_numbers_of_the_range(tmp_path: Path) -> None:
    cdf = np.interp(np.arange(201), [0, 50, 150, 200], [0.01, 0.25, 0.9, 0.98]).tolist()
    record = read(export(tmp_path, [AMOUNT], [forecast(**{CDF: repr(cdf)})]))
    levels, figures = curve(record)
    assert figures == [0, 25, 75, 100]
    assert levels == pytest.approx([0.01, 0.25, 0.9, 0.98], abs=1e-9)


def test_a_discrete_cdf_is_not_zipped_with_the_range(tmp_path: Path) -> None:
    """Ten outcomes have eleven points from bound to bound, whatever the 201 of the range are."""
    spots = question(
        **{"Question Type": "discrete", "Lower Bound": -0.5, "Upper Bound": 9.5,
           "Continuous Range": repr(np.linspace(-0.5, 9.5, 201).tolist())}
    )  # fmt: skip
    cdf = [0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.95, 0.95, 0.95]
    levels, figures = curve(read(export(tmp_path, [spots], [forecast(**{CDF: repr(cdf)})])))
    assert np.interp([-0.5, 1.5, 2.5, 6.5, 7.5, 9.5], figures, levels) == pytest.approx(
        [0.1, 0.1, 0.5, 0.5, 0.95, 0.95], abs=1e-6
    )  # the first is below the bounds, one minus the last above them


def test_a_logarithmic_range_is_kept_also_for_other_lengths_of_cdf(tmp_path: Path) -> None:
    wide = AMOUNT | {
        "Lower Bound": 1.0, "Upper Bound": 10_000.0,
        "Continuous Range": repr(np.geomspace(1, 10_000, 201).tolist()),
    }  # fmt: skip
    long = np.interp(np.arange(201), [0, 100, 200], [0, 0.9, 1]).tolist()
    short = [0.0, 0.45, 0.9, 0.95, 1.0]
    for cdf in (long, short):
        levels, figures = curve(read(export(tmp_path, [wide], [forecast(**{CDF: repr(cdf)})])))
        assert np.interp([1, 10, 100, 1000], figures, levels) == pytest.approx([0, 0.45, 0.9, 0.95])


def test_an_old_files_scaling_has_the_bounds_and_the_zero_point(tmp_path: Path) -> None:
    folder = export(tmp_path, [], [forecast(**{CDF: "[0.0, 0.5, 1.0]"})])
    scaling = (
        "{'Range Min': 1.0, 'Range Max': 10000.0, 'Zero Point': 0.0, 'Open Lower Bound': True}"
    )
    (folder / "question_data.csv").write_text(
        "Question ID,Question Title,Question Type,Scaling,Open Time,Scheduled Close Time\n"
        f'41,How many?,numeric,"{scaling}",2026-01-01 00:00:00+00:00,2026-01-11 00:00:00+00:00\n'
    )
    record = read(folder)
    assert record.frames.questions["upper_bound"].tolist() == ["10000"]
    assert curve(record)[1] == pytest.approx([1, 100, 10_000])


def test_dates_have_days_for_bounds_and_quantiles(tmp_path: Path) -> None:
    days = [f"2026-{month:02d}-01" for month in range(1, 13)]
    landing = question(
        **{"Question Type": "date", "Lower Bound": "2026-01-01", "Upper Bound": "2026-01-11",
           "Continuous Range": repr([days[0]] * 100 + ["2026-01-06"] + ["2026-01-11"] * 100)}
    )  # fmt: skip
    cdf = np.interp(np.arange(201), [0, 50, 200], [0.0, 0.5, 0.9]).tolist()
    record = read(export(tmp_path, [landing], [forecast(**{CDF: repr(cdf)})]))
    [quantiles] = record.frames.forecasts["quantiles"].tolist()
    assert record.frames.questions[["lower_bound", "upper_bound"]].values.tolist() == [
        ["2026-01-01", "2026-01-11"]
    ]
    assert quantiles == {"0.5": "2026-01-03T12:00:00Z", "above": pytest.approx(0.1)}


def test_a_cdf_that_falls_and_a_question_without_bounds_are_named(tmp_path: Path) -> None:
    falling = forecast(**{CDF: "[0.0, 0.6, 0.5]"})
    said = refused(export(tmp_path, [AMOUNT], [falling]))
    assert "forecast_data.csv, line 2, column Continuous CDF: '[0.0, 0.6, 0.5]' must be at" in said
    said = refused(export(tmp_path, [AMOUNT | {"Lower Bound": ""}], []))
    assert "question_data.csv, line 2, column Lower Bound is blank; it must be the bound" in said


# --- hostile lists ----------------------------------------------------------------------------


HOSTILE = {
    "a million": "[" + "0," * 1_000_000 + "0]",
    "nested": "[" * 5_000 + "]" * 5_000,
    "digits": "[" + "9" * 99_000 + "]",
    "product": "[0.1] * 10**9",
    "call": "__import__('os').getcwd()",
    "text": "[0.5, 'x']",
    "empty": "[]",
    "open": "[0.5",
    "number": "5",
}


@pytest.mark.parametrize(
    ("column", "name"),
    [
        *((column, name) for column in (VECTOR, "MC Options (All)") for name in HOSTILE),
        *((column, name) for column in (CDF, "MC Options History") for name in ("nested", "text")),
    ],
)
def test_hostile_lists_are_refused_with_place_and_rule(
    tmp_path: Path, column: str, name: str
) -> None:
    if column.startswith("MC"):
        folder = export(tmp_path, [CHOICE | {column: HOSTILE[name]}], [])
        place = f"question_data.csv, line 2, column {column}: "
    else:
        asked = CHOICE if column == VECTOR else AMOUNT
        folder = export(tmp_path, [asked], [forecast(**{column: HOSTILE[name]})])
        place = f"forecast_data.csv, line 2, column {column}: "
    said = refused(folder)
    assert place in said
    assert len(said) < 2_000
