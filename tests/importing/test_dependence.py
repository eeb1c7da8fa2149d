"""Groups, conditions and links in a ledger folder: a round trip, and the rules of the files."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access import teams
from forecasts.access.members import find_member, member_or_new
from forecasts.access.visibility import read_as
from forecasts.common.errors import BadInput, Forbidden, Refused
from forecasts.common.settings import sqlite_url
from forecasts.folder.folder import read_folder, write_folder
from forecasts.folder.frames import FRAME_COLUMNS, Frames
from forecasts.importing.frames import Imported, import_frames
from forecasts.ledger import database
from forecasts.ledger.models import GroupKind, LinkKind, Role
from forecasts.ledger.verification import verify
from forecasts.parts.export import export_parts
from forecasts.questions.conditions import branches_of, register_conditional
from forecasts.questions.groups import NewPlace, add_to_group, find_group, register_group, take_out
from forecasts.questions.links import link, linked_at, links
from forecasts.questions.registry import find, question_text
from forecasts.questions.standing import current_state
from forecasts.resolution.confirmation import withdraw
from forecasts.resolution.proposals import history
from forecasts.scores.ledger_frames import ledger_frames
from tests.conftest import ask, day, on_both, resolve, say

pytestmark = pytest.mark.slow
HEADER = "question_id,type,open_time,scheduled_close_time,resolution,known_at,family,group,"
HEADER += "group_kind,condition\n"
TIMES = "2026-01-01T00:00:00Z,2026-01-11T00:00:00Z"


def furnish(session: Session) -> None:
    alice = member_or_new(session, "alice", now=day(0))
    by = {"member": alice, "now": day(0)}
    rain = ask(session, alice, slug="rain")
    times = {"open_time": day(0), "scheduled_close_time": day(10)}
    fall = question_text(title="Fall?", resolution_criteria="So.", **times)
    yes, no = register_conditional(session, rain, fall, **by)
    say(session, yes.state.question, alice, 0.4, 1)
    members = [
        NewPlace(name, question_text(title=f"By {name}?", resolution_criteria="So.", **times))
        for name in ("March", "June")
    ]
    group = register_group(session, "Open?", members, kind=GroupKind.nested, slug="open", **by)
    early = ask(session, alice, slug="early")
    add_to_group(session, "open", early, "Soon", before=group.members[0].state.question, **by)
    link(session, rain, early, LinkKind.causes, reason="Wet, cold", **by)
    link(session, no.state.question, rain, LinkKind.excludes, **by)
    resolve(session, rain, alice, "yes", 3, at=4)


def bring(engine: Engine, frames: Frames, at: float = 9) -> Imported:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        return import_frames(session, frames, member=alice, now=day(at))


def told(frames: Frames) -> dict[str, object]:
    return {
        name: {tuple(map(str, row)) for row in getattr(frames, name).itertuples(index=False)}
        for name in FRAME_COLUMNS
    }


@on_both
def test_a_folder_brings_them_into_another_ledger_and_once(
    engine: Engine, empty_ledger: Path, tmp_path: Path
) -> None:
    with database.writing(engine) as session:
        furnish(session)
    with database.reading(engine) as session:
        before = ledger_frames(session)
        export_parts(session, tmp_path / "parts", member=None, now=day(9))
    write_folder(before, tmp_path / "out")
    read = read_folder(tmp_path / "out")
    assert told(read) == told(before)
    assert set(before.questions["group_label"]) == {"", "Soon", "March", "June"}
    other = database.open_engine(sqlite_url(Path(shutil.copy(empty_ledger, tmp_path / "other"))))
    assert bring(other, read).dependence == 3 + 2 + 2
    with database.reading(other) as session:
        assert told(ledger_frames(session)) == told(before)
        group = find_group(session, "open", now=day(9))
        assert [one.label for one in group.members] == ["Soon", "March", "June"]
        assert verify(session).broken is None
    assert bring(other, read).changes_nothing
    with database.writing(other) as session:
        alice = member_or_new(session, "alice", now=day(0))
        take_out(session, find(session, "early"), member=alice, now=day(9))
    assert bring(other, read, 9.5).dependence == 1
    with database.writing(other) as session:  # the branch that only its condition annulled is open
        alice = member_or_new(session, "alice", now=day(0))
        rain = find(session, "rain")
        withdraw(session, rain, reason="a slip", member=alice, now=day(12))
        for one in branches_of(session, rain, now=day(12)):
            assert one.state.resolution is None
    other.dispose()


def folder(path: Path, questions: str, links: str = "") -> Path:
    path.mkdir()
    (path / "questions.csv").write_text(HEADER + questions, "utf-8")
    (path / "forecasts.csv").write_text("question_id,forecaster,made_at,probability\n", "utf-8")
    if links:
        (path / "links.csv").write_text("question_id,other_id,kind,strength\n" + links, "utf-8")
    return path


def condition(question: str, outcome: str) -> str:
    return f'"{{""question"": ""{question}"", ""outcome"": ""{outcome}""}}"'


def test_an_import_annuls_the_branch_whose_condition_does_not_hold(
    engine: Engine, tmp_path: Path
) -> None:
    rows = f"a,,{TIMES},no,2026-01-04T00:00:00Z,,,,\n"
    rows += f"b,,{TIMES},,,,,,{condition('a', 'yes')}\nc,,{TIMES},yes,,,,,{condition('a', 'no')}\n"
    rows += f"d,,{TIMES},,,,,,{condition('b', 'yes')}\n"
    frames = read_folder(folder(tmp_path / "f", rows))
    assert frames.questions["family"].tolist() == ["a"] * 4
    bring(engine, frames)
    with database.reading(engine) as session:
        outcomes = {
            slug: current_state(session, find(session, slug), now=day(9)).resolution
            for slug in "bcd"
        }
        assert {slug: row and row.outcome for slug, row in outcomes.items()} == {
            "b": "annulled",
            "c": "yes",
            "d": "annulled",
        }
        assert len(history(session, find(session, "b"))) == 1
    assert bring(engine, frames).changes_nothing


def test_a_group_needs_only_its_name(tmp_path: Path) -> None:
    rows = f"a,,{TIMES},,,,open,,\nb,,{TIMES},,,,open,,\n"
    questions = read_folder(folder(tmp_path / "f", rows)).questions
    kept = questions[["family", "group_title", "group_label", "group_kind", "group_place"]]
    assert kept.values.tolist() == [
        ["open", "open", "a", "independent", 1.0],
        ["open", "open", "b", "independent", 2.0],
    ]


@pytest.mark.parametrize(
    ("rows", "links", "place", "rule"),
    [
        (f"a,,{TIMES},,,,g,some,\n", "", "line 2, column group_kind", "one of independent"),
        (f"a,,{TIMES},,,,,nested,\n", "", "column group_kind", "blank without a group"),
        (f"a,,{TIMES},,,,g,nested,\nb,,{TIMES},,,,g,exclusive,\n", "", "line 3", "the same for"),
        (f'a,,{TIMES},,,,,,"{{""question"": 1}}"\n', "", "column condition", "of this folder"),
        (f"a,,{TIMES},,,,,,{condition('b', 'yes')}\n", "", "column condition", "of this folder"),
        (f"a,,{TIMES},,,,,,\nb,,{TIMES},,,,,,{condition('a', '..5')}\n", "", "line 3", "yes or no"),
        (
            f"a,,{TIMES},,,,,,{condition('b', 'no')}\nb,,{TIMES},,,,,,{condition('a', 'no')}\n",
            *("", "column condition", "asked under this one"),
        ),
        (
            f"a,,{TIMES},no,,,,,\nb,,{TIMES},yes,,,,,{condition('a', 'yes')}\n",
            *("", "line 3, column resolution", "blank or annulled"),
        ),
        (f"a,,{TIMES},,,,,,\n", "a,a,causes,\n", "links.csv, line 2", "another question"),
        (f"a,,{TIMES},,,,,,\n", "a,b,causes,\n", "column other_id", "of this folder"),
        (f"a,,{TIMES},,,,,,\nb,,{TIMES},,,,,,\n", "a,b,helps,sure\n", "kind", "one of implies"),
    ],
)
def test_each_cell_that_breaks_a_rule_is_named(
    tmp_path: Path, rows: str, links: str, place: str, rule: str
) -> None:
    with pytest.raises(BadInput) as bad:
        read_folder(folder(tmp_path / "f", rows, links))
    assert any(place in one.place and rule in one.rule for one in bad.value.problems), bad.value


def test_what_contradicts_the_ledger_is_refused(engine: Engine, tmp_path: Path) -> None:
    with database.writing(engine) as session:
        furnish(session)
    for number, (cells, rule) in enumerate(
        (
            (f"early,,{TIMES},,,,open,exclusive,", "nested here"),
            (f"early,,{TIMES},,,,other,,", "open in this ledger"),
        )
    ):
        frames = read_folder(folder(tmp_path / f"{number}", f"{cells}\n"))
        with pytest.raises(BadInput, match="contradicts") as bad:
            bring(engine, frames)
        assert rule in {one.rule for one in bad.value.problems}
    with database.reading(engine) as session:
        assert len(links(session, now=day(9))) == 2


def test_a_changed_link_is_a_new_row_and_anothers_needs_the_right(
    engine: Engine, tmp_path: Path
) -> None:
    rows = f"a,,{TIMES},,,,,,\nb,,{TIMES},,,,,,\n"
    frames = read_folder(folder(tmp_path / "f", rows, "a,b,causes,weak\n"))
    assert bring(engine, frames).dependence == 1
    changed = read_folder(folder(tmp_path / "g", rows, "a,b,causes,certain\n"))
    with database.writing(engine) as session:
        alice, bob = (member_or_new(session, name, now=day(0)) for name in ("alice", "bob"))
        teams.appoint(session, alice, Role.admin, member=alice, now=day(1))
    with database.writing(engine) as session, pytest.raises(Forbidden):
        import_frames(session, changed, member=bob, now=day(9))
    assert bring(engine, changed).dependence == 1
    with database.reading(engine) as session:
        assert [one.row.strength for one in links(session, now=day(9))] == ["certain"]


def test_a_certain_link_needs_the_right_to_change_both_questions(
    engine: Engine, tmp_path: Path
) -> None:
    with database.writing(engine) as session:
        alice, _ = (member_or_new(session, name, now=day(0)) for name in ("alice", "bob"))
        teams.appoint(session, alice, Role.admin, member=alice, now=day(1))
        for slug in ("a", "b"):
            ask(session, alice, slug=slug)
        ask(session, alice, slug="secret", visibility="author")

    def links_of(name: str, row: str) -> None:
        frames = read_folder(folder(tmp_path / name, "", row))
        with database.writing(engine) as session:
            bob = find_member(session, "bob")
            read_as(session, bob, now=day(2))
            import_frames(session, frames, member=bob, now=day(2))

    links_of("f", "a,b,implies,strong\n")
    for name, kind in (("g", "implies"), ("h", "excludes")):  # changed, and new
        with pytest.raises(Forbidden):
            links_of(name, f"a,b,{kind},certain\n")
    for unknown in ("secret", "none"):
        with pytest.raises(BadInput, match="nothing was imported") as bad:
            links_of(unknown, f"a,{unknown},implies,weak\n")
        [problem] = bad.value.problems
        assert "line 2, column other_id" in problem.place
        assert unknown in problem.value


@pytest.mark.parametrize(
    ("vouch", "made_at", "expected"),
    [
        (True, "2026-01-05T00:00:00Z", day(4)),
        (True, "", day(0)),  # before: when the questions opened
        (True, "2027-01-05T00:00:00Z", day(9)),
        (False, "2026-01-05T00:00:00Z", day(9)),
    ],
)
def test_a_link_between_new_questions_is_as_old_as_an_import_vouches(
    engine: Engine, tmp_path: Path, vouch: bool, made_at: str, expected: datetime
) -> None:
    path = folder(tmp_path / "f", f"a,,{TIMES},,,,,,\nb,,{TIMES},,,,,,\n")
    header = "question_id,other_id,kind,strength,made_at\n"
    (path / "links.csv").write_text(f"{header}a,b,implies,certain,{made_at}\n", "utf-8")
    with database.writing(engine) as session:
        alice, _ = (member_or_new(session, name, now=day(0)) for name in ("alice", "bob"))
        teams.appoint(session, alice, Role.admin, member=alice, now=day(1))
        import_frames(session, read_folder(path), member=alice, now=day(9), vouch=vouch)
    with database.reading(engine) as session:
        [found] = links(session, now=day(9))
        assert (linked_at(found.row), found.row.recorded_at) == (expected, day(9))


def test_an_import_makes_no_earlier_link_of_questions_that_are_here_and_changes_no_final_one(
    engine: Engine, tmp_path: Path
) -> None:
    known = f"a,,{TIMES},,,,,,\n"
    bring(engine, read_folder(folder(tmp_path / "f", known)), 1)
    both = f"{known}b,,{TIMES},,,,,,\n"
    bring(engine, read_folder(folder(tmp_path / "g", both, "a,b,implies,certain\n")), 2)
    with database.reading(engine) as session:
        assert [linked_at(one.row) for one in links(session, now=day(9))] == [day(2)]
    weaker = read_folder(folder(tmp_path / "h", both, "a,b,implies,weak\n"))
    with pytest.raises(Refused, match="can no longer be changed"):
        bring(engine, weaker, 11)
    assert bring(engine, weaker, 9).dependence == 1


def test_an_import_brings_no_question_into_a_group_whose_outcomes_may_be_known(
    engine: Engine, tmp_path: Path
) -> None:
    known = f"a,,{TIMES},,,,,,\nb,,{TIMES},,,,,,\n"
    grouped = f"a,,{TIMES},,,,abc,nested,\nb,,{TIMES},,,,abc,nested,\n"
    late = "c,,2026-01-01T00:00:00Z,2026-02-11T00:00:00Z,,,,abc,nested,\n"
    bring(engine, read_folder(folder(tmp_path / "f", known)), 1)
    frames = read_folder(folder(tmp_path / "g", grouped))
    with pytest.raises(BadInput, match="contradicts") as bad:
        bring(engine, frames, 11)
    assert [one.value for one in bad.value.problems] == ["abc", "abc"]
    assert bring(engine, frames, 2).dependence == 2
    made = "question_id,forecaster,made_at,probability\n"
    for name, at in (("h", "2026-01-05"), ("i", "2026-01-11")):  # before and at the first close
        path = folder(tmp_path / name, grouped + late)
        (path / "forecasts.csv").write_text(f"{made}c,alice,{at}T00:00:00Z,0.5\n", "utf-8")
    with pytest.raises(BadInput, match="contradicts") as bad:
        bring(engine, read_folder(tmp_path / "h"), 12)
    [problem] = bad.value.problems
    assert "may be known" in problem.rule
    assert bring(engine, read_folder(tmp_path / "i"), 12).dependence == 1


def test_an_import_puts_no_forecast_question_beside_new_ones_that_have_ended(
    engine: Engine, tmp_path: Path
) -> None:
    times = "2026-01-01T00:00:00Z,2026-02-11T00:00:00Z"
    made = "question_id,forecaster,made_at,probability\n"
    path = folder(tmp_path / "f", f"a,,{times},,,,,,\n")
    (path / "forecasts.csv").write_text(f"{made}a,alice,2026-01-02T00:00:00Z,0.9\n", "utf-8")
    bring(engine, read_folder(path), 3)
    rows = f"a,,{times},,,,abc,exclusive,\nb,,{TIMES},no,2026-01-05T00:00:00Z,,abc,exclusive,\n"
    with pytest.raises(BadInput, match="contradicts") as bad:
        bring(engine, read_folder(folder(tmp_path / "g", rows)), 9)
    [problem] = bad.value.problems
    assert "may be known" in problem.rule
    unresolved = folder(tmp_path / "h", rows.replace("no,2026-01-05T00:00:00Z", ","))
    assert bring(engine, read_folder(unresolved), 9).dependence == 2
