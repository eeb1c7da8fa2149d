from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine
from sqlmodel import select

import scoring
from forecasts.access import teams
from forecasts.access.members import find_member, member_or_new
from forecasts.access.memberships import join, team_or_new
from forecasts.access.roles import ensure_admin, is_shared
from forecasts.access.visibility import reading_everything
from forecasts.articles import library
from forecasts.common import limits
from forecasts.common.errors import BadInput, Forbidden, NotFound, Remedy, in_words
from forecasts.folder.folder import read_folder
from forecasts.importing.frames import Imported, import_frames
from forecasts.ledger import database
from forecasts.ledger.models import (
    Article,
    Evidence,
    Member,
    Membership,
    QuestionRevision,
    QuestionSource,
    Role,
    Score,
    Visibility,
)
from forecasts.questions.standing import listing
from forecasts.reading.article import CapturedArticle
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.scores.stored_scores import STORED_PROTOCOLS
from tests.conftest import day
from tests.folder.test_folder import import_into

pytestmark = pytest.mark.slow

QUESTIONS = (
    "question_id,title,open_time,scheduled_close_time,actual_close_time,"
    "tags,background,resolution\n"
)
OPEN = 'q,Rain?,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,,"[""sky""]",Clouds.,\n'
RESOLVED = OPEN.replace("11T00:00:00Z,,", "11T00:00:00Z,2026-01-09T00:00:00Z,").replace(
    "Clouds.,", "Clouds.,yes"
)
FORECASTS = "question_id,forecaster,made_at,probability,evidence\n"
FORECAST = "q,bob,2026-01-02T00:00:00Z,0.4,\n"


def import_files(
    engine: Engine, path: Path, visible_to: str | None = None, **files: str
) -> Imported:
    """Import a folder that has these files and no others."""
    path.mkdir(exist_ok=True)
    for old in path.iterdir():
        old.unlink()
    for name, text in ({"forecasts": FORECASTS} | files).items():
        (path / f"{name}.csv").write_text(text, encoding="utf-8")
    done: Imported = import_into(engine, read_folder(path), visible_to=visible_to)
    return done


def stored(engine: Engine) -> Any:
    """Return the one question of the ledger."""
    with database.reading(engine) as session:
        [question] = ledger_frames(session).questions.itertuples()
    return question


def test_a_column_that_is_not_in_the_file_revises_nothing(engine: Engine, tmp_path: Path) -> None:
    import_files(engine, tmp_path / "a", questions=QUESTIONS + OPEN)
    done = import_files(
        engine,
        tmp_path / "a",
        questions="question_id,open_time,scheduled_close_time\n"
        "q,2026-01-01T00:00:00Z,2026-01-12T00:00:00Z\n",
    )
    assert done.revised == 1
    question = stored(engine)
    assert (question.title, question.tags, question.background) == ("Rain?", ["sky"], "Clouds.")
    assert question.scheduled_close_time == day(11)


def test_a_blank_close_does_not_reopen_a_question(engine: Engine, tmp_path: Path) -> None:
    import_files(engine, tmp_path / "a", questions=QUESTIONS + RESOLVED)
    done = import_files(engine, tmp_path / "a", questions=QUESTIONS + OPEN)
    assert (done.revised, done.resolutions) == (0, 0)
    assert stored(engine).actual_close_time == day(8)


TERMS = (
    "question_id,type,open_time,scheduled_close_time,actual_close_time,"
    "options,ordered,lower_bound,upper_bound,resolution\n"
)
STAYS = "2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,2026-01-09T00:00:00Z"


ASKED = {
    "a": f"binary,{STAYS},,,,,yes",
    "n": f"numeric,{STAYS},,,0,9,5",
    "m": f'multiple_choice,{STAYS},"[""A"",""C""]",,,,A',
    "b": f"binary,{STAYS},,,,,",
}


def test_the_type_and_the_terms_of_a_resolved_question_are_not_revised(
    engine: Engine, tmp_path: Path
) -> None:
    rows = "".join(f"{id_},{cells}\n" for id_, cells in ASKED.items())
    import_files(engine, tmp_path / "a", questions=TERMS + rows)
    for id_, before, after, column in (
        ("a", "2026-01-01T", "2025-12-31T", "open_time"),
        ("a", "2026-01-11T", "2026-01-12T", "scheduled_close_time"),
        ("a", "2026-01-09T", "2026-01-08T", "actual_close_time"),
        ("n", ",0,9", ",-1,9", "lower_bound"),
        ("n", ",0,9", ",0,10", "upper_bound"),
        ("m", 'C""]', 'B"",""C""]', "options"),
        ("m", '",,,,', '",true,,,', "ordered"),
        ("b", f"binary,{STAYS},,,,", f"numeric,{STAYS},,,0,9", "type"),
    ):
        changed = ASKED[id_].replace(before, after)
        with pytest.raises(BadInput, match="contradicts") as caught:
            import_files(engine, tmp_path / "a", questions=f"{TERMS}{id_},{changed}\n")
        [problem] = caught.value.problems
        assert problem.place == f"questions.csv, line 2, column {column}"
        is_type = column == "type"
        rule = "a question's type is fixed" if is_type else "the question is resolved"
        assert problem.rule.endswith(rule)
    with database.reading(engine) as session:
        assert len(session.exec(select(QuestionRevision)).all()) == len(ASKED)


HEAD = (
    "question_id,type,lower_bound,upper_bound,open_time,scheduled_close_time,"
    "resolution,known_at,resolved_at\n"
)
TIMES = "2026-01-01T00:00:00Z,2026-01-11T00:00:00Z"
NEXT_YEAR = "2027-12-01T00:00:00Z"  # the import is on 5 February 2027


def test_a_resolution_that_cannot_be_is_refused(engine: Engine, tmp_path: Path) -> None:
    binary, date = f"q,binary,,,{TIMES}", f"d,date,2026-01-01,2030-01-01,{TIMES}"
    for known in (False, True):  # new questions, and those that the ledger has
        if known:
            import_files(engine, tmp_path / "a", questions=f"{HEAD}{binary},,,\n{date},,,\n")
        for cells, column, rule in (
            (f"{binary},yes,{NEXT_YEAR},", "known_at", "cannot be known at 2027-12-01"),
            (f"{binary},annulled,{NEXT_YEAR},", "known_at", "cannot be known at 2027-12-01"),
            (f"{binary},yes,2026-01-01T00:00:00Z,", "known_at", "not after 'q' opened"),
            (f"{date},2027-12-01,,", "resolution", "lies ahead"),
            (f"{binary},yes,,{NEXT_YEAR}", "resolved_at", "not ahead of now"),
        ):
            with pytest.raises(BadInput, match="cannot be known yet") as caught:
                import_files(engine, tmp_path / "a", questions=f"{HEAD}\n{cells}\n")
            [problem] = caught.value.problems
            assert problem.place == f"questions.csv, line 3, column {column}"
            assert rule in problem.rule


def test_an_outcome_known_too_early_can_annul_a_question(engine: Engine, tmp_path: Path) -> None:
    cells = f"q,binary,,,{TIMES},annulled,2025-12-01T00:00:00Z,"
    assert import_files(engine, tmp_path / "a", questions=f"{HEAD}{cells}\n").resolutions == 1


def test_a_forecast_that_has_not_been_made_yet_is_refused(engine: Engine, tmp_path: Path) -> None:
    ahead = FORECASTS + FORECAST + FORECAST.replace("2026-01-02T00:00:00Z", NEXT_YEAR)
    with pytest.raises(BadInput, match="times in the future") as caught:
        import_files(engine, tmp_path / "a", questions=QUESTIONS + OPEN, forecasts=ahead)
    [problem] = caught.value.problems
    assert problem.place == "forecasts.csv, line 3, column made_at"
    assert problem.value == NEXT_YEAR
    with database.reading(engine) as session:
        assert find_member(session, "bob") is None


def test_forecasts_imported_after_the_outcome_are_scored(engine: Engine, tmp_path: Path) -> None:
    first = FORECASTS + FORECAST
    import_files(engine, tmp_path / "a", questions=QUESTIONS + RESOLVED, forecasts=first)
    later = first + "q,bob,2026-01-03T00:00:00Z,0.9,\nq,carol,2026-01-02T00:00:00Z,0.7,\n"
    done = import_files(engine, tmp_path / "a", questions=QUESTIONS + RESOLVED, forecasts=later)
    assert (done.forecasts, done.resolutions) == (2, 0)
    assert done.scores == 2 * len(STORED_PROTOCOLS)
    frames = read_folder(tmp_path / "a")
    fresh = scoring.score(frames.questions, frames.forecasts, STORED_PROTOCOLS)
    with database.reading(engine) as session:
        assert sorted(session.exec(select(Score.score))) == sorted(fresh["score"])


def test_a_membership_that_ended_is_not_doubled(engine: Engine, tmp_path: Path) -> None:
    def stays(left_at: str) -> list[datetime | None]:
        import_files(
            engine,
            tmp_path / "a",
            questions=QUESTIONS + OPEN,
            teams=f"team,forecaster,joined_at,left_at\nAlder,bob,2026-01-01T00:00:00Z,{left_at}\n",
        )
        with database.reading(engine) as session:
            ends = ledger_frames(session).teams["left_at"]
        return [None if pd.isna(end) else end.to_pydatetime() for end in ends]

    assert stays("") == [None]
    assert stays("") == [None]
    assert stays("2026-01-05T00:00:00Z") == [day(4)]
    assert stays("") == [day(4)]
    with database.reading(engine) as session:
        assert [row.left_at for row in session.exec(select(Membership))] == [None, day(4)]
    with pytest.raises(BadInput, match="bob left Alder"):
        stays("2026-01-06T00:00:00Z")


def test_a_stay_that_ends_before_it_has_begun_is_refused(engine: Engine) -> None:
    with database.writing(engine) as session:
        bob = member_or_new(session, "bob", now=day(0))
        alder = team_or_new(session, "Alder", now=day(0))
        for left in (1, 2):
            with pytest.raises(BadInput, match="cannot leave Alder"):
                join(session, alder, bob, joined_at=day(2), left_at=day(left))
        assert session.exec(select(Membership)).all() == []


EVIDENCE = "evidence_id,kind,title,url,publisher,note,quote\n"
RADAR = "e1,data,Radar,https://example.org/radar,Met,Wet.,It rains.\n"


def test_other_evidence_under_a_known_id_is_refused(engine: Engine, tmp_path: Path) -> None:
    files = {"questions": QUESTIONS + OPEN}
    import_files(engine, tmp_path / "a", **files, evidence=EVIDENCE + RADAR)
    assert import_files(engine, tmp_path / "a", **files, evidence=EVIDENCE + RADAR).evidence == 0
    for words in ("data", "Radar", "https://example.org/radar", "Met", "Wet.", "It rains."):
        other = RADAR.replace(words, "expert", 1)
        with pytest.raises(BadInput, match="contradicts evidence") as caught:
            import_files(engine, tmp_path / "a", **files, evidence=EVIDENCE + other)
        assert caught.value.problems[0].value == "expert"


def test_cited_evidence_must_be_in_the_folder_or_the_ledger(engine: Engine, tmp_path: Path) -> None:
    cites = FORECASTS + FORECAST.replace("0.4,", '0.4,"[{""evidence_id"": ""e1""}]"')
    with pytest.raises(BadInput, match="cites evidence") as caught:
        import_files(engine, tmp_path / "a", questions=QUESTIONS + OPEN, forecasts=cites)
    assert caught.value.problems[0].value == "e1"
    with database.reading(engine) as session:
        assert find_member(session, "bob") is None
    import_files(engine, tmp_path / "a", questions=QUESTIONS + OPEN, evidence=EVIDENCE + RADAR)
    done = import_files(engine, tmp_path / "a", questions=QUESTIONS + OPEN, forecasts=cites)
    assert done.forecasts == 1
    with database.reading(engine) as session:
        [cited] = ledger_frames(session).forecasts["evidence"]
    assert cited == [{"evidence_id": "e1", "stance": "supports"}]


def test_a_known_text_elsewhere_is_the_same_article(engine: Engine, tmp_path: Path) -> None:
    words = "They say it may rain. Or not."
    with database.writing(engine) as session:
        clouds = CapturedArticle("Clouds", None, None, None, "https://example.org/clouds", words)
        alice = member_or_new(session, "alice", now=day(0))
        [(known, _)] = library.store(session, [clouds], member=alice, captured_at=day(0))
    copied = "https://mirror.example.org/c"
    done = import_files(
        engine,
        tmp_path / "a",
        articles=f"url,title,text\n{copied},Copied,{words}\n",
        evidence=f"evidence_id,kind,title,url\ne1,news,Clouds,{copied}\n",
        questions="question_id,open_time,scheduled_close_time,article_url,quote\n"
        f"q,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,{copied},it may rain\n",
    )
    assert done.articles == 0
    with database.reading(engine) as session:
        assert [article.id for article in session.exec(select(Article))] == [known.id]
        assert session.exec(select(Evidence.article_id)).all() == [known.id]
        assert session.exec(select(QuestionSource.article_id)).all() == [known.id]


CRITERIA = (
    "question_id,title,open_time,scheduled_close_time,resolution_criteria\n"
    "q,Rain?,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,\n"
    "s,Snow?,2026-01-01T00:00:00Z,2026-01-11T00:00:00Z,As the gauge says.\n"
)


def audiences(engine: Engine) -> dict[str, str]:
    with database.reading(engine) as session, reading_everything(session):
        return {state.slug: state.text.visibility for state in listing(session, now=day(2))}


def test_only_the_importer_sees_questions_without_criteria(engine: Engine, tmp_path: Path) -> None:
    with database.writing(engine) as session:
        ensure_admin(session, member_or_new(session, "alice", now=day(0)), now=day(0))
    done = import_files(engine, tmp_path / "a", questions=CRITERIA)
    assert (done.questions, done.kept_private) == (2, 1)
    way = Remedy("To show it: {}", "revise", "q", visible_to="everyone")
    assert in_words(done.private_note(way)) == (
        "1 new question lacks resolution criteria, so only you can see it. To show it: "
        "forecasts revise q --visible-to everyone"
    )
    assert audiences(engine) == {"q": Visibility.author, "s": Visibility.everyone}
    again = import_files(engine, tmp_path / "a", questions=CRITERIA)
    assert (again.questions, again.kept_private, again.private_note(way)) == (0, 0, "")


def test_an_import_names_the_audience_of_its_new_questions(engine: Engine, tmp_path: Path) -> None:
    come = partial(import_files, engine, tmp_path / "a", questions=CRITERIA)
    with pytest.raises(NotFound, match="There is no team 'Alder'"):
        come(visible_to="Alder")
    with database.writing(engine) as session:
        assert not is_shared(session)
        bob = member_or_new(session, "bob", now=day(0))
        teams.create(session, "Alder", member=bob, now=day(0))
    with pytest.raises(Forbidden, match="may not ask a question Alder: alice is not in the team"):
        come(visible_to="Alder")
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        teams.appoint(session, alice, Role.admin, member=bob, now=day(0))
    assert (done := come(visible_to="Alder")).kept_private == 0
    assert done.questions == 2
    assert audiences(engine) == dict.fromkeys("qs", Visibility.team)
    assert come(visible_to="everyone").changes_nothing  # only new questions get an audience


def test_an_import_for_oneself_makes_a_ledger_shared(engine: Engine, tmp_path: Path) -> None:
    done = import_files(engine, tmp_path / "a", questions=CRITERIA, visible_to="Me")
    assert done.kept_private == 0  # as chosen, not for lack of criteria
    assert audiences(engine) == dict.fromkeys("qs", Visibility.author)
    with database.reading(engine) as session:
        assert is_shared(session)


def test_a_personal_ledger_needs_no_criteria(engine: Engine, tmp_path: Path) -> None:
    assert import_files(engine, tmp_path / "a", questions=CRITERIA).kept_private == 0
    assert set(audiences(engine).values()) == {Visibility.everyone}


def test_without_an_admins_rights_an_import_has_a_limit(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MEMBER_ROWS", 5)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "questions.csv").write_text(QUESTIONS + OPEN)
    lines = [f"q,bob,2026-01-02T00:00:0{number}Z,0.4,\n" for number in range(5)]
    with database.writing(engine) as session:
        root, bob = (member_or_new(session, name, now=day(0)) for name in ("root", "bob"))
        ensure_admin(session, root, now=day(0))

    def comes_in(rows: int, member: Member, *, dry_run: bool) -> int:
        (folder / "forecasts.csv").write_text(FORECASTS + "".join(lines[: rows - 1]))
        frames = read_folder(folder)
        with database.writing(engine) as session:
            return import_frames(
                session, frames, member=member, now=day(20), dry_run=dry_run
            ).forecasts

    for dry_run in (True, False):
        with pytest.raises(Forbidden, match="has 6 rows; without an admin's rights at most 5"):
            comes_in(6, bob, dry_run=dry_run)
        assert comes_in(5, bob, dry_run=dry_run) == 4
    assert comes_in(6, root, dry_run=False) == 1


def test_an_import_says_how_long_others_wait_to_write() -> None:
    nothing = Imported(0, 0, 0, 0, 0, 0, 0)
    assert nothing.wait_note == replace(nothing, forecasts=900).wait_note == ""
    said = replace(nothing, forecasts=60_000).wait_note
    assert said == "Others wait about 4 seconds to write while it is imported."
