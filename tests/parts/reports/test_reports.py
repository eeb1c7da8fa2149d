"""Reports and comparisons on parts: each number is that of one process."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from forecasts.cli.main import app
from forecasts.common.errors import BadInput
from forecasts.common.times import iso
from forecasts.folder.frames import Frames
from forecasts.parts.folder import Parts
from forecasts.parts.reports import plan, reports
from forecasts.parts.reports.comparisons import compare_parts
from forecasts.parts.reports.reports import report_parts
from forecasts.reports import Report
from forecasts.reports.comparison import Comparison, build
from tests.parts.reports.ledgers import assert_equal, everything, read_piecemeal, written
from tests.reports import small_ledgers
from tests.reports.small_ledgers import NOW, asked, day, made, picked, report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ledger() -> Frames:
    return everything(questions=24, numeric=6)


@pytest.fixture(scope="module")
def parts(ledger: Frames, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Parts]]:
    with read_piecemeal(tmp_path_factory.mktemp("parts"), ledger, 100) as every:
        yield every


def report_on(parts: Parts, **wanted: Any) -> Report:
    with ThreadPoolExecutor(2) as executor:
        return report_parts(parts, executor=executor, **({"as_of": NOW} | picked(wanted)))


def compared(parts: Parts, between: list[str], **wanted: Any) -> Comparison:
    with ThreadPoolExecutor(2) as executor:
        return compare_parts(
            parts, executor=executor, sides=between, **({"as_of": NOW} | picked(wanted))
        )


@pytest.mark.parametrize(
    ("count", "wanted"),
    [
        (2, {"by": "all"}),
        (4, {"by": "forecaster"}),
        (2, {"by": "lead"}),
        (2, {"by": "forecaster", "names": ["cy", "ana"], "lead": 2, "until": day(10)}),
        (2, {"by": "team", "tags": ("t1",), "cohort": "resolved"}),
        (1, {"by": "tag", "made_before": day(3)}),
    ],
)
def test_every_number_of_a_report_is_that_of_one_process(
    ledger: Frames, parts: dict[int, Parts], count: int, wanted: dict[str, Any]
) -> None:
    found = report_on(parts[count], **wanted)
    assert len(found.groups) > 0
    if wanted == {"by": "forecaster"}:
        assert any(one.adjusted is not None for one in found.groups)
    assert_equal(found, report(ledger, **wanted))


@pytest.mark.parametrize(
    ("count", "between", "wanted"),
    [
        (1, ["north", "south"], {"cohort": "resolved"}),
        (2, ["south", "north"], {"alike": True}),
        (2, ["north", "south"], {"cohort": "resolved", "without": ("ana",)}),
        (2, ["dee", "zoe", "bo"], {"of": "forecasters", "tags": ("t1", "t2")}),
        (2, ["ana", "dee"], {"of": "forecasters", "made_before": day(5), "lead": 3}),
        (4, ["ana", "bo", "zoe"], {"of": "forecasters", "as_of": day(8)}),  # all are still open
    ],
)
def test_every_number_of_a_comparison_is_that_of_one_process(
    ledger: Frames,
    parts: dict[int, Parts],
    count: int,
    between: list[str],
    wanted: dict[str, Any],
) -> None:
    arguments: dict[str, Any] = {"as_of": NOW} | picked(wanted)
    assert_equal(
        compared(parts[count], between, **wanted), build(ledger, between=between, **arguments)
    )


def test_a_side_that_is_silent_in_a_whole_part_is_imputed_as_in_one_process(tmp_path: Path) -> None:
    names = [f"q{n}" for n in range(64)]
    said = [made(name, who, 1, p) for name in names for who, p in (("ana", 0.2), ("cy", 0.4))]
    said += [made(name, "bo", 1, 0.3) for name in names[:32]]
    frames = small_ledgers.ledger([asked(name, "no") for name in names], said)
    wanted: dict[str, Any] = {"between": ["ana", "bo"], "of": "forecasters", "as_of": NOW}
    one = build(frames, **wanted)
    assert [pair.imputed is None for pair in one.pairs] == [False]
    found = compared(written(tmp_path, frames, 16), ["ana", "bo"], of="forecasters")
    assert_equal(found, one)


def test_a_comparison_takes_two_sides(parts: dict[int, Parts]) -> None:
    with pytest.raises(BadInput, match="two or more teams"):
        compared(parts[1], ["north"])
    with pytest.raises(BadInput, match="no team 'east'"):
        compared(parts[1], ["north", "east"])


@pytest.mark.parametrize(("by", "resolved"), [("forecaster", []), ("team", ["q001"])])
def test_a_ledger_with_hardly_any_resolved_questions_has_a_report(
    ledger: Frames, tmp_path: Path, by: str, resolved: list[str]
) -> None:
    asked = ledger.questions
    outcome = asked["resolution"].where(asked["question_id"].isin(resolved), "")
    few = replace(ledger, questions=asked.assign(resolution=outcome))
    assert_equal(report_on(written(tmp_path / "parts", few, 2), by=by), report(few, by=by))


def test_progress_ends_at_the_total_and_nothing_is_left_beside_the_parts(
    parts: dict[int, Parts],
) -> None:
    seen: list[tuple[int, int]] = []
    with ThreadPoolExecutor(2) as executor:
        report_parts(
            parts[2],
            executor=executor,
            by="tag",
            names=["t1"],
            as_of=NOW,
            progress=lambda done, of: seen.append((done, of)),
        )
    assert seen == sorted(seen)
    total = parts[2].rows("forecasts")
    assert seen[-1] == (total, total)
    beside = parts[2].folder.parent
    assert sorted(each.name for each in beside.iterdir()) == ["1", "2", "4"]


def test_a_group_too_large_for_memory_is_refused_with_the_memory_it_needs(
    parts: dict[int, Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "BYTES_EACH", 10**12)
    use = r"everyone does not fit .* use --by forecaster, --by team or --by tag\."
    with pytest.raises(BadInput, match=use) as no:
        report_on(parts[2])
    assert "forecasts take about" in no.value.remedy
    with pytest.raises(BadInput, match="A report on north does not fit"):
        report_on(parts[2], by="team")


def test_groups_that_need_the_memory_are_made_one_at_a_time(
    ledger: Frames, parts: dict[int, Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "machine_memory", lambda: 10**6)
    monkeypatch.setattr(plan, "BYTES_EACH", 7_000)
    monkeypatch.setattr(plan, "cores", lambda: 2)
    found = report_on(parts[2], by="team")
    assert_equal(found, report(ledger, by="team"))


def test_tags_are_not_compared_and_take_no_tables_of_tags_by_tags(
    parts: dict[int, Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compares(*_: object) -> None:
        raise AssertionError("Groups are compared.")

    monkeypatch.setattr(reports, "adjusted_blocks", compares)
    assert len(report_on(parts[2], by="tag", names=["t1", "t2"]).groups) == 2


def test_names_and_kinds_that_parts_do_not_have_are_refused(parts: dict[int, Parts]) -> None:
    with pytest.raises(BadInput, match="no forecaster 'max' with a forecast"):
        report_on(parts[2], by="forecaster", names=["max"])
    with pytest.raises(BadInput, match="does not name kinds"):
        report_on(parts[2], by="kind")


def test_the_command_reports_and_compares_parts(parts: dict[int, Parts]) -> None:
    folder_ = str(parts[2].folder)
    asked = ["--as-of", "2026-06-01", "--format", "json", "--workers", "1"]
    made = CliRunner().invoke(app, ["report", folder_, "--by", "tag", *asked])
    assert made.exit_code == 0, made.output
    assert [group["name"] for group in json.loads(made.stdout)["groups"]] == [
        "numbers",
        "t0",
        "t1",
        "t2",
    ]
    made = CliRunner().invoke(app, ["compare", folder_, "--between", "north", "south", *asked])
    assert made.exit_code == 0, made.output
    assert len(json.loads(made.stdout)["pairs"]) == 1


def test_sigterm_ends_a_report_and_leaves_nothing(
    parts: dict[int, Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "plan_of", lambda *_: signal.raise_signal(signal.SIGTERM))
    stopped = CliRunner().invoke(app, ["report", str(parts[2].folder), "--workers", "1"])
    assert (stopped.exit_code, stopped.stderr) == (130, "Stopped. Nothing was written.\n")
    beside = parts[2].folder.parent
    assert sorted(each.name for each in beside.iterdir()) == ["1", "2", "4"]


def test_a_full_disk_is_explained_and_leaves_nothing(
    parts: dict[int, Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plan, "store", full)
    made = CliRunner().invoke(app, ["report", str(parts[2].folder), "--workers", "1"])
    assert made.exit_code == 2
    assert "Nothing can be written beside" in made.stderr
    assert "No space left on device" in made.stderr
    beside = parts[2].folder.parent
    assert sorted(each.name for each in beside.iterdir()) == ["1", "2", "4"]


@pytest.mark.parametrize("verb", ["report", "compare"])
def test_workers_need_parts(verb: str, tmp_path: Path) -> None:
    made = CliRunner().invoke(app, [verb, str(tmp_path), "--workers", "2"])
    assert made.exit_code == 2
    assert "is not a folder of parts" in " ".join(made.output.split())


def test_more_groups_than_the_memory_holds_tables_of_get_no_adjusted_scores(
    parts: dict[int, Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "machine_memory", lambda: 100)
    found = report_on(parts[2], by="forecaster")
    assert {one.adjusted for one in found.groups} == {None}


def test_moved_closes_and_missing_outcomes_count_as_in_one_process(tmp_path: Path) -> None:
    ledger = everything(questions=12, numeric=0)
    questions = ledger.questions
    stood = questions["scheduled_close_time"].map(lambda at: {iso(at): iso(at)})
    is_moved = questions.index % 3 == 0
    moved = replace(
        ledger,
        questions=questions.assign(
            earlier_closes=stood.where(is_moved, None),
            scheduled_close_time=questions["scheduled_close_time"].mask(is_moved, day(800)),
            resolution=questions["resolution"].mask(is_moved, ""),
        ),
    )
    with read_piecemeal(tmp_path, moved, 100) as every:
        found = report_on(every[2], by="forecaster")
        assert any(group.verdict.waiting for group in found.groups)
        assert_equal(found, report(moved, by="forecaster"))
        sides = ["north", "south"]
        assert_equal(compared(every[2], sides), build(moved, between=sides, as_of=NOW))


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (lambda who, on: (who * 2, on * 2), "A worker counted "),
        (lambda who, on: (who, on.rename(index=lambda name: f"{name}-")), "belongs to part"),
    ],
    ids=["doubled", "of other questions"],
)
def test_a_part_that_was_counted_wrongly_is_refused(
    parts: dict[int, Parts], monkeypatch: pytest.MonkeyPatch, lie: Any, said: str
) -> None:
    def miscount(item: tuple[Parts, int]) -> tuple[Any, Any]:
        return lie(*plan.count(item))  # type: ignore[no-any-return]

    monkeypatch.setattr(reports, "count", miscount)
    with pytest.raises(BadInput, match=said):
        report_on(parts[2])
