import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

import scoring
from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput, Refused
from forecasts.folder.folder import read_folder, write_folder
from forecasts.folder.frames import FRAME_COLUMNS, Frames, complete
from forecasts.importing.frames import import_frames
from forecasts.ledger import database
from forecasts.reading.article import CapturedArticle, content_hash
from forecasts.scores.ledger_frames import ledger_frames
from tests.conftest import day
from tests.examples import examples
from tests.folder.sound import laid_out
from tests.reports import small_ledgers as small

EXAMPLES = Path(__file__).parents[1] / "scoring" / "examples"
QUESTIONS = "question_id,open_time,scheduled_close_time,type,options,resolution\n"
BINARY = "q,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,,,yes\n"
FORECASTS = "question_id,forecaster,made_at,probability,probabilities,quantiles\n"


def folder(path: Path, questions: str = QUESTIONS + BINARY, forecasts: str = FORECASTS) -> Path:
    path.mkdir(exist_ok=True)
    (path / "questions.csv").write_text(questions, encoding="utf-8")
    (path / "forecasts.csv").write_text(forecasts, encoding="utf-8")
    return path


def cells(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return the frame's rows with every blank as None, to compare regardless of order."""
    plain = frame.astype(object).where(frame.notna(), None)
    return sorted((tuple(map(repr, row)) for row in plain.itertuples(index=False)), key=str)


def import_into(engine: Engine, frames: Frames, **how: Any) -> Any:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        return import_frames(session, frames, member=alice, now=day(400), **how)


@pytest.mark.parametrize("name", ["metaculus", "gjo", "sound"])
def test_a_folder_comes_back_from_the_ledger_without_loss_with_the_same_scores(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    frames = read_folder(laid_out(tmp_path / "a") if name == "sound" else EXAMPLES / name)
    first, second = import_into(engine, frames), import_into(engine, frames)
    assert (first.questions, first.forecasts) == (len(frames.questions), len(frames.forecasts))
    assert (second.questions, second.forecasts, second.resolutions, second.scores) == (0, 0, 0, 0)
    with database.reading(engine) as session:
        stored = ledger_frames(session)
    write_folder(stored, tmp_path / "out")
    again = read_folder(tmp_path / "out")
    for table in FRAME_COLUMNS:
        assert cells(getattr(again, table)) == cells(getattr(frames, table)), table
    protocols = ["brier", "brier_final", "metaculus_peer", "gjo_accuracy"]
    pd.testing.assert_frame_equal(
        scoring.score(frames.questions, frames.forecasts, protocols),
        scoring.score(stored.questions, stored.forecasts, protocols),
    )


def test_an_import_keeps_accounts_and_tells_one_instant_for_many_forecasts(engine: Engine) -> None:
    at = [(f"q{n}", "ana", n if n % 2 else 1) for n in range(9)]
    at += [(f"q{n}", "bo", 1 if n < 10 else 2) for n in range(12)]
    frames = small.ledger(
        [small.asked(f"q{n}", title=f"Will it, {n}?") for n in range(12)],
        [small.made(id_, who, day, 0.4) for id_, who, day in at],
    )
    is_ana = (frames.forecasts["forecaster"] == "ana").to_numpy()
    marked = frames.forecasts.assign(account=np.where(is_ana, "ana-elsewhere", ""))
    marked.loc[0, "undated"] = True
    import_into(engine, replace(frames, forecasts=marked))
    with database.reading(engine) as session:
        stored = ledger_frames(session).forecasts
    of_ana = stored["forecaster"] == "ana"
    assert set(stored["account"][of_ana]) == {"ana-elsewhere"}
    assert set(stored["account"][~of_ana]) == {""}
    assert stored["question_id"][of_ana & stored["undated"]].tolist() == ["q0"]
    undated = set(stored["question_id"][~of_ana & stored["undated"]])
    assert undated == {f"q{n}" for n in range(10)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("questions", "forecasts", "place", "rule"),
    [
        ("x,2026-01-01,2026-01-11T00:00:00Z,,,\n", "", "questions.csv, line 3, column open_time",
         "offset or Z"),
        ("x,2026-01-01T00:00:00,2026-01-11T00:00:00Z,,,\n", "", "column open_time", "naive"),
        ("x,,2026-01-11T00:00:00Z,,,\n", "", "column open_time", "required"),
        (BINARY, "", "line 3, column question_id", "unique"),
        ("x,2026-01-11T00:00:00Z,2026-01-01T00:00:00Z,,,\n", "", "column scheduled_close_time",
         "after open_time"),
        ("x,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,essay,,\n", "", "column type", "one of"),
        ("x,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,multiple_choice,a|b,\n", "",
         "column options", "JSON"),
        ("x,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,multiple_choice,\"[\"\"a\"\",\"\"Annulled\"\"]\",\n",
         "", "column options", "without an option named annulled or ambiguous"),
        ("x,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,,,perhaps\n", "", "column resolution",
         "yes, no"),
        ("", "q,alice,2026-01-02T00:00:00Z,1.2,,\n", "forecasts.csv, line 2, column probability",
         "from 0 to 1"),
        ("", "q,alice,2026-01-02T00:00:00Z,often,,\n", "column probability", "a number"),
        ("", "q,alice,2026-01-02T00:00:00Z,nan,,\n", "column probability", "finite"),
        ("", "q,alice,yesterday,0.5,,\n", "column made_at", "ISO 8601"),
        ("", "q,alice,2026-01-02T10:00:00,0.5,,\n", "column made_at", "naive"),
        ("", "q,,2026-01-02T00:00:00Z,0.5,,\n", "column forecaster", "required for every forecast"),
        ("", "z,alice,2026-01-02T00:00:00Z,0.5,,\n", "column question_id", "of this folder"),
        ("", 'q,alice,2026-01-02T00:00:00Z,,"[0.5, 0.5]",\n', "column probabilities",
         "takes probability"),
        ("m,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,multiple_choice,\"[\"\"a\"\",\"\"b\"\"]\",\n",
         'm,alice,2026-01-02T00:00:00Z,,"[0.5, 0.6]",\n', "column probabilities", "sum to 1"),
        ("", "q, alice,2026-01-02T00:00:00Z,0.5,,\n", "line 2, column forecaster", "white space"),
        ("", "q,al\u202eice,2026-01-02T00:00:00Z,0.5,,\n", "column forecaster", "printable"),
        ("", "q,alice,2026-01-02T00:00:00Z,,null,\n", "column probabilities", "not null"),
        ("", "q,alice,2026-01-02T00:00:00Z,,NaN,\n", "column probabilities", "JSON"),
        ("x,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,multiple_choice,[null],a\n", "",
         "column options", "a JSON list of texts"),
        ("", "q,alice,2026-01-02T00:00:00Z,,,null\n", "column quantiles", "not null"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named_by_file_line_column_value_and_rule(
    tmp_path: Path, questions: str, forecasts: str, place: str, rule: str
) -> None:
    here = folder(tmp_path / "bad", QUESTIONS + BINARY + questions, FORECASTS + forecasts)
    with pytest.raises(BadInput) as caught:
        read_folder(here)
    [problem] = caught.value.problems
    assert place in problem.place
    assert rule in problem.rule


@pytest.mark.parametrize(
    ("closes", "rule"),
    [
        ("[]", "a JSON object"),
        ("{}", "a JSON object"),
        ('{"2026-01-02T00:00:00Z": null}', "a JSON object"),
        ('{"2026-01-02T00:00:00Z": ""}', "a JSON object"),
        ('{"2026-01-02T00:00:00Z": "soon"}', "an ISO 8601 time"),
        ('{"2026-01-02T00:00:00": "2026-01-05T00:00:00Z"}', "naive"),
    ],
)
def test_earlier_closes_are_times_by_time(tmp_path: Path, closes: str, rule: str) -> None:
    header = "question_id,open_time,scheduled_close_time,earlier_closes\n"
    cell = closes.replace('"', '""')
    row = f'q,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,"{cell}"\n'
    with pytest.raises(BadInput) as caught:
        read_folder(folder(tmp_path / "bad", header + row))
    [problem] = caught.value.problems
    assert problem.place == "questions.csv, line 2, column earlier_closes"
    assert rule in problem.rule


@pytest.mark.parametrize("bounds", ["-1e308,1e308", "5,5", "9,1", "1e16,10000000000000002"])
def test_bounds_between_which_nothing_can_be_scored_are_named(tmp_path: Path, bounds: str) -> None:
    header = "question_id,type,lower_bound,upper_bound,open_time,scheduled_close_time\n"
    row = f"q,numeric,{bounds},2026-01-01T00:00:00Z,2026-01-11T00:00:00Z\n"
    with pytest.raises(BadInput) as caught:
        read_folder(folder(tmp_path / "bad", header + row))
    [problem] = caught.value.problems
    assert problem.place == "questions.csv, line 2, column upper_bound"
    assert "bound" in problem.rule


@pytest.mark.slow
def test_an_outcome_in_other_letters_is_read_as_the_option_it_means(tmp_path: Path) -> None:
    rows = BINARY.replace("yes", " YES ")
    rows += 'm,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,multiple_choice,"[""Aye"",""Nay""]",nay\n'
    frames = read_folder(folder(tmp_path / "cases", QUESTIONS + rows))
    assert frames.questions["resolution"].tolist() == ["yes", "Nay"]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"question_id,question_id\n", b"question_id\n1,2\n", b"a\n"]
)
def test_a_file_without_a_table_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    here = folder(tmp_path / "bad")
    (here / "forecasts.csv").write_bytes(content)
    with pytest.raises(BadInput, match=r"forecasts\.csv"):
        read_folder(here)


def test_a_folder_without_a_file_or_with_one_twice_is_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(BadInput, match="There is no folder"):
        read_folder(tmp_path / "nowhere")
    here = folder(tmp_path / "twice")
    read_folder(here).forecasts.to_parquet(here / "forecasts.parquet")
    with pytest.raises(BadInput, match=r"both forecasts\.csv and forecasts\.parquet"):
        read_folder(here)
    (folder(tmp_path / "half") / "forecasts.csv").unlink()
    with pytest.raises(BadInput, match=r"has no forecasts\.csv"):
        read_folder(tmp_path / "half")


def test_tables_with_any_index_are_completed_row_by_row() -> None:
    forecasts = pd.DataFrame(
        {"question_id": ["q", "r"], "forecaster": ["a", "b"], "made_at": [day(1), day(2)]},
        index=[7, 3],
    )
    frames = complete(pd.DataFrame(), forecasts)
    assert frames.forecasts["question_id"].tolist() == ["q", "r"]
    assert frames.forecasts["rationale"].tolist() == ["", ""]


def test_unknown_columns_are_named_and_left_out(tmp_path: Path) -> None:
    here = folder(
        tmp_path / "more",
        forecasts="question_id,forecaster,made_at,probability,mood\n"
        "q,alice,2026-01-02T00:00:00Z,0.5,good\n",
    )
    said: list[str] = []
    frames = read_folder(here, warn=said.append)
    assert said == ["forecasts.csv: left out columns that the format does not have: mood"]
    assert "mood" not in frames.forecasts


def test_it_warns_that_scoring_goes_on_after_an_outcome_was_known(tmp_path: Path) -> None:
    rows = [
        "a,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,,,yes,2026-01-05T00:00:00Z,",
        "b,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,,,yes,2026-01-05T00:00:00Z,2026-01-05T00:00:00Z",
        "c,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,,,yes,2026-01-11T00:00:00Z,",
        "d,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,,,yes,,",
        "e,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,,,annulled,2026-01-05T00:00:00Z,",
    ]
    header = QUESTIONS.strip() + ",known_at,actual_close_time"
    said: list[str] = []
    read_folder(folder(tmp_path / "late", "\n".join([header, *rows, ""])), warn=said.append)
    [words] = said
    assert "1 question has an outcome known before the scheduled close but no" in words


@pytest.mark.slow
def test_parquet_reads_like_csv(tmp_path: Path) -> None:
    frames = read_folder(EXAMPLES / "metaculus")
    here = tmp_path / "parquet"
    here.mkdir()
    frames.questions.to_parquet(here / "questions.parquet")
    frames.forecasts.drop(columns=["quantiles", "evidence"]).to_parquet(here / "forecasts.parquet")
    again = read_folder(here)
    for table in FRAME_COLUMNS:
        assert cells(getattr(again, table)) == cells(getattr(frames, table)), table


def test_a_folder_that_holds_something_is_not_overwritten_unasked(tmp_path: Path) -> None:
    frames = read_folder(EXAMPLES / "gjo")
    write_folder(frames, tmp_path / "out")
    with pytest.raises(Refused, match="not empty"):
        write_folder(frames, tmp_path / "out")
    write_folder(frames, tmp_path / "out", overwrite=True)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["datapackage.json", "forecasts.csv", "questions.csv"]
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text())
    assert "Texts are exact: a spreadsheet may run one" in package["description"]


def test_a_folder_that_cannot_be_written_is_refused_with_a_sentence(tmp_path: Path) -> None:
    frames = read_folder(EXAMPLES / "gjo")
    (tmp_path / "file").write_text("not a folder")
    for place in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(BadInput, match="cannot be written"):
            write_folder(frames, place)


@pytest.mark.slow
def test_a_folder_may_cite_evidence_that_it_leaves_to_the_ledger(tmp_path: Path) -> None:
    here = folder(
        tmp_path / "a",
        forecasts="question_id,forecaster,made_at,probability,evidence\n"
        'q,alice,2026-01-02T00:00:00Z,0.5,"[{""evidence_id"": ""e1""}]"\n',
    )
    assert read_folder(here).forecasts["evidence"].tolist() == [[{"evidence_id": "e1"}]]
    (here / "evidence.csv").write_text("evidence_id\ne2\n")
    with pytest.raises(BadInput) as caught:
        read_folder(here)
    assert "an evidence_id of evidence.csv" in caught.value.problems[0].rule


@pytest.mark.parametrize(
    ("words", "refused"),
    [("They say it may rain.", False), ("They say it may snow.", True), ("", False)],
)
def test_an_article_that_is_named_by_its_words_has_those_words(
    tmp_path: Path, words: str, refused: bool
) -> None:
    article = CapturedArticle("Pasted", None, None, None, None, "They say it may rain.")
    here = folder(tmp_path / "a")
    (here / "articles.csv").write_text(
        f"url,title,text\nurn:sha256:{content_hash(article)},Pasted,{words}\n"
    )
    if not refused:
        assert read_folder(here).articles["text"].tolist() == [words]
        return
    with pytest.raises(BadInput) as caught:
        read_folder(here)
    assert caught.value.problems[0].place == "articles.csv, line 2, column url"


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
PRINTED = st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S"]) | st.just(" ")
NAMES = st.text(PRINTED, min_size=1, max_size=20).map(str.strip).filter(bool)


@pytest.mark.slow
@settings(max_examples=examples(25))
@given(st.lists(st.tuples(NAMES, st.integers(0, 10**12), st.none() | st.floats(0, 1), WORDS)))
def test_any_words_numbers_and_instants_survive_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, float | None, str]]
) -> None:
    question = {"question_id": "q", "open_time": day(0), "scheduled_close_time": day(20)}
    made = [
        {
            "question_id": "q",
            "forecaster": who,
            "made_at": pd.Timestamp(day(0)) + pd.Timedelta(microseconds=at),
            "probability": p,
            "rationale": words,
        }
        for who, at, p, words in rows
    ]
    frames = complete(pd.DataFrame([question]), pd.DataFrame(made))
    out = tmp_path_factory.mktemp("words") / "out"
    write_folder(frames, out)
    again = read_folder(out)
    assert cells(again.forecasts) == cells(frames.forecasts)


def test_forecasts_without_a_column_of_values_are_not_taken_for_withdrawals(tmp_path: Path) -> None:
    forecasts = "question_id,forecaster,made_at,prob\nq,alice,2026-01-02T00:00:00Z,0.7\n"
    place = folder(tmp_path / "ledger", forecasts=forecasts)
    with pytest.raises(BadInput, match=r"forecasts\.csv has no column probability, probabilities"):
        read_folder(place)
    withdrawn = forecasts.replace("prob", "probability").replace("0.7", "")
    assert len(read_folder(folder(place, forecasts=withdrawn)).forecasts) == 1
