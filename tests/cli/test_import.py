"""Importing another platform's export by the command line."""

from pathlib import Path

import pytest

from forecasts.platforms.handles import hashed_id
from tests.cli.conftest import Clock, Run
from tests.platforms.metaculus_files import (
    FORECAST_HEADER,
    export,
    forecast,
    hashed,
    question,
    write,
)

pytestmark = pytest.mark.slow

YES = {"Probability Yes": 0.25}


@pytest.fixture(autouse=True)
def _later(clock: Clock) -> None:
    clock("2026-06-01")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export of Metaculus with two questions, one of them with a forecast."""
    return export(tmp_path / "export", [question(41), question(42)], [forecast(41, **YES)])


def test_a_dry_run_shows_each_row_names_the_new_member_and_writes_nothing(
    forecasts: Run, folder: Path
) -> None:
    command = ("import", str(folder), "--as", "zoe")
    seen = forecasts(*command, "--dry-run")
    assert "metaculus-41" in seen.stdout
    assert "made 2026-01-02; close 2026-01-11" in " ".join(seen.stdout.split())
    assert "An import would add 2 new questions, 1 forecast." in seen.stdout
    assert "imported as zoe's" in seen.stderr
    once = "There is no member 'zoe' yet; this would add them.", "An import cannot be undone."
    assert all(said in seen.stderr for said in once)
    assert "metaculus-41" not in forecasts("questions").stdout
    later = forecasts(*command).stderr + forecasts(*command, "--dry-run").stderr
    assert not any(said in later for said in once)


def test_a_dry_run_previews_on_a_named_ledger_that_does_not_exist_yet_and_creates_none(
    forecasts: Run, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "new" / "ledger.sqlite3"
    monkeypatch.setenv("FORECASTS_DATABASE_URL", f"sqlite:///{place}")
    seen = forecasts("import", str(folder), "--dry-run")
    assert "An import would add 2 new questions, 1 forecast." in seen.stdout
    assert f"There is no ledger yet. The first thing you store creates {place}." in seen.stderr
    assert not place.parent.exists()


def test_anonymised_accounts_get_the_same_aliases_at_each_import(
    forecasts: Run, folder: Path
) -> None:
    header = [*(name for name in FORECAST_HEADER if "Forecaster " not in name)]
    header.append("Forecaster (Anonymized)")
    rows = [forecast(41, **YES, **{"Forecaster (Anonymized)": hashed(n)}) for n in (1, 2)]
    write(folder / "forecast_data.csv", header, rows)
    done = forecasts("import", str(folder))
    assert "anonymous-" in done.stderr
    assert "can be traced to accounts" in done.stderr
    assert hashed(1) not in done.stderr
    assert "Imported nothing" in forecasts("import", str(folder)).stdout
    assert hashed(1) in forecasts("import", str(folder), "--real-ids").stderr


def test_an_option_that_does_not_fit_is_refused_with_a_remedy(forecasts: Run, folder: Path) -> None:
    for options, said in (
        (["--timezone", "Mars"], "'Mars' is not a time zone"),
        (["--column", "probability"], "does not name two columns"),
        (["--format", "metacullus"], "Formats are: metaculus"),
        (["--account", "zoe"], "No forecast in the file is by 'zoe'"),
        (["--format", "manifold"], "has no question of Manifold"),
        (["--closes", "soon"], "'soon' is not a date"),
        (["--closes", "2027-03-01"], "is read as a file of Metaculus."),
    ):
        assert said in forecasts.refused("import", str(folder), *options)


def test_several_exports_are_imported_together_or_not_at_all(
    forecasts: Run, tmp_path: Path, folder: Path
) -> None:
    questions = [question(41, **{"Question Title": "Rain?"}), question(42), question(43)]
    newer = export(tmp_path / "newer", questions, [forecast(41, **YES), forecast(43, **YES)])
    fatebook = tmp_path / "fatebook.csv"
    fatebook.write_text(FATEBOOK, encoding="utf-8")
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    wrong = forecasts("import", str(folder), str(tmp_path / "wrong.csv"), exit_code=2)
    assert "wrong.csv has no format that can be imported" in wrong.stderr
    forecasts("export", str(tmp_path / "ledger"))
    refused = forecasts("import", str(folder), str(tmp_path / "ledger"), exit_code=2)
    assert "ledger is a ledger folder, which is imported alone." in refused.stderr
    given = [str(folder), str(newer), str(fatebook), str(folder)]
    refused = forecasts("import", *given, "--account", "ann", exit_code=2)
    assert f"{fatebook}: No forecast in the file is by 'ann'" in refused.stderr
    assert "No questions yet." in forecasts("questions").stdout
    seen = forecasts("import", *given, "--dry-run")
    assert seen.stdout.count("An import would add ") == 3
    assert "Each is compared with the ledger as it is now" in seen.stderr
    done = forecasts("import", *given).stdout
    said = [line for line in done.splitlines() if line.startswith((str(tmp_path), "Imported"))]
    assert said == [
        f"{folder}:", "Imported 2 new questions, 1 forecast.",
        f"{newer}:", "Imported 1 new question, 1 changed question, 1 forecast.",
        f"{fatebook}:", said[-1],
    ]  # fmt: skip
    assert said[-1].startswith("Imported 1 new question, ")


def test_a_path_that_leads_nowhere_is_said(forecasts: Run, tmp_path: Path) -> None:
    for path in (str(tmp_path / "none.zip"), "a" * 5_000):
        assert "There is no file" in forecasts.refused("import", path)
    (tmp_path / "empty").mkdir()
    empty = forecasts("import", str(tmp_path / "empty"), exit_code=2)
    assert "Looked for:\n  Ledger folder: " in empty.stderr


FATEBOOK = (
    "Question title,Multiple choice option,Forecast created by,Forecast (scale = 0-1),"
    "Forecast created at,Question created by,Question created at,Question resolve by,Resolution,"
    "Resolved at,Your Brier score for this question,Your relative Brier score for this question\n"
    "Will it rain?,,Alice A.,0.7,2026-01-02 10:11:5,Alice A.,2026-01-02 10:11:5,"
    "2026-01-09 00:00:0,YES,2026-01-08 08:00:9,0.09,-0.02\n"
)


def test_the_scores_that_a_platform_printed_are_shown_as_the_platforms(
    forecasts: Run, tmp_path: Path
) -> None:
    (tmp_path / "fatebook.csv").write_text(FATEBOOK)
    forecasts("import", str(tmp_path / "fatebook.csv"))
    slug = hashed_id("fatebook", "Will it rain?", "2026-01-02 10:11:05")
    lines = [
        "Printed by the platform:",
        "  alice: Fatebook Brier score 0.0900, ours (brier_original) 0.180",
        "  alice: Fatebook relative Brier score −0.0200",
    ]
    for command in (("show", slug), ("show", slug, "--all"), ("scores", slug)):
        said = forecasts(*command).stdout
        assert "\n".join(lines) in said, command
        explained = "  Fatebook relative Brier score: Fatebook subtracts each day’s median"
        assert (explained in said) == (command != ("show", slug))
    [one] = forecasts.printed("scores", slug)
    assert one["score"] == pytest.approx(0.09)
    printed = {each["name"]: each for each in one["printed_scores"]}
    assert printed["Brier score"]["ours"] == pytest.approx(0.18)
    assert printed["relative Brier score"]["ours"] is None


def test_a_question_with_only_printed_scores_is_in_the_json_without_a_score(
    forecasts: Run, tmp_path: Path
) -> None:
    forecasts("team", "create", "Alder")
    file = tmp_path / "fatebook.csv"
    file.write_text(FATEBOOK)
    # Without --vouch the forecast counts from its import on, after the close.
    forecasts("import", str(file), "--account", "Alice A.")
    slug = next(one["id"] for one in forecasts.printed("questions"))
    [one] = forecasts.printed("scores", slug)
    assert one["score"] is None
    assert one["forecasts"] == []
    assert len(one["printed_scores"]) == 2
    assert forecasts.printed("scores") == []


def test_a_sheet_without_dates_comes_in_open_with_the_closes_of_its_titles_and_the_one_given(
    forecasts: Run, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(
        "question,p,outcome\nWill Ann marry?,0.3,\nWill it open by 1 June 2027?,0.4,\n"
    )
    seen = forecasts("import", str(sheet), "--dry-run")
    assert "close 2027-06-01 (“by 1 June 2027” in the title)" in " ".join(seen.stdout.split())
    assert "1 open question left out" in seen.stderr
    assert "--closes" in seen.stderr
    forecasts("import", str(sheet), "--closes", "end of March 2027")
    lines = [line.split("\t")[1:] for line in forecasts("questions").stdout.splitlines()]
    assert lines == [
        ["Will Ann marry?", "open", "2027-03-31", "30%", ""],
        ["Will it open by 1 June 2027?", "open", "2027-06-01", "40%", ""],
    ]


def test_a_preview_in_a_shared_ledger_equals_the_imports_summary(
    forecasts: Run, tmp_path: Path
) -> None:
    (tmp_path / "sheet.csv").write_text("question,date,p,outcome\nRain?,2026-03-01,70%,yes\n")
    forecasts("team", "create", "Alder")
    seen = forecasts("import", str(tmp_path / "sheet.csv"), "--dry-run")
    assert "1 new forecast in the file becomes alice's." in seen.stderr
    done = forecasts("import", str(tmp_path / "sheet.csv")).stderr
    for said in (
        "1 new question lacks resolution criteria, so only you can see it.",
        "1 of the forecasts count as made now, because nobody vouches for the imported times.",
        "Counted as made now, after their question closed, so not scored: 1 forecast (alice).",
    ):
        assert said in seen.stderr
        assert said in done
    assert "dated 2026-03-01" in " ".join(seen.stdout.split())
    vouched = forecasts("import", str(tmp_path / "sheet.csv"), "--dry-run", "--vouch")
    assert "as made now" not in vouched.stderr
