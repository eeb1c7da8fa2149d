"""Members act in their own name, follow the second-resolver rule, and do not backdate."""

from __future__ import annotations

import ast
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pytest
from sqlmodel import Session, col, select

from forecasts.access import roles, teams, visibility
from forecasts.access.members import member_or_new
from forecasts.common.errors import Forbidden, Refused
from forecasts.exporting.export import left_out
from forecasts.folder.frames import complete
from forecasts.importing.frames import Imported, import_frames
from forecasts.ledger.models import Forecast, Member, MemberKind, Question, Role
from forecasts.questions import registry, revisions, standing
from forecasts.resolution import confirmation, proposals
from forecasts.scores.ledger_frames import ledger_frames, scoring_frames
from forecasts.updates import evidence, updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day, on_both, resolve

P = Value(probability=0.4)


@pytest.fixture
def carol(session: Session) -> Member:
    return member_or_new(session, "carol", now=day(0))


@pytest.fixture
def alders(session: Session, alice: Member, bob: Member, carol: Member) -> Question:
    """A question of team Alder; alice is the ledger's admin, bob and carol are resolvers."""
    alder = teams.create(session, "Alder", member=alice, now=day(0))
    for who in (bob, carol):
        teams.set_role(session, alder, who, Role.resolver, member=alice, now=day(0))
    teams.set_rule(session, alder, second_resolver=True, member=alice, now=day(0))
    return ask(session, alice, slug="rain", **teams.visibility_fields(session, "Alder"))


def test_a_forecaster_does_not_resolve_alone_under_the_teams_rule(
    session: Session, alice: Member, bob: Member, carol: Member, alders: Question
) -> None:
    for who in (alice, bob):
        updates.update(session, alders, P, member=who, now=day(1))
    with pytest.raises(Refused, match="bob has forecast on 'rain'") as caught:
        resolve(session, alders, bob, at=2)
    assert "forecasts propose rain OUTCOME" in caught.value.remedy
    with pytest.raises(Refused, match="alice has forecast"):  # an admin as well
        resolve(session, alders, alice, at=2)
    proposal = proposals.propose(
        session, alders, "yes", member=bob, now=day(2), note="The gazette."
    )
    for confirming in (
        lambda: confirmation.accept(session, proposal, member=bob, now=day(2)),
        lambda: confirmation.confirm(session, alders, "yes", member=bob, now=day(2)),
        lambda: confirmation.confirm(session, alders, "no", member=alice, now=day(2)),
    ):
        with pytest.raises(Refused, match="requires a second resolver"):
            confirming()
    # Two forecasters together may resolve it.
    accepted = confirmation.accept(session, proposal, member=alice, now=day(2)).resolution
    assert accepted.outcome == "yes"
    # A member who has not forecast may correct it alone.
    corrected = resolve(session, alders, carol, "no", at=3)
    assert corrected.outcome == "no"


def test_without_that_rule_and_without_a_forecast_one_resolves_alone(
    session: Session, alice: Member, bob: Member, alders: Question
) -> None:
    alder = teams.find(session, "Alder")
    resolve(session, alders, bob, at=2)
    teams.set_rule(session, alder, second_resolver=False, member=alice, now=day(2))
    snow = ask(session, alice, title="Will it snow?", **teams.visibility_fields(session, "Alder"))
    updates.update(session, snow, P, member=bob, now=day(1))
    row = resolve(session, snow, bob, at=2)
    assert row.outcome == "yes"


@on_both
@pytest.mark.parametrize(("others", "alone"), [(True, False), (False, True)])
def test_the_rule_follows_a_question_that_someone_forecast_in_the_team(
    session: Session, alice: Member, bob: Member, alders: Question, others: bool, alone: bool
) -> None:
    if others:
        updates.update(session, alders, P, member=bob, now=day(1))
    everyones = {"visibility": "everyone", "team_id": None}
    revisions.revise_all(session, ["rain"], lambda _: everyones, member=alice, now=day(2))
    updates.update(session, alders, P, member=alice, now=day(3))
    with nullcontext() if alone else pytest.raises(Refused, match="requires a second resolver"):
        resolve(session, alders, alice, at=4)


def folder(forecaster: str, *, slug: str = "rain", at: float = 1, p: float = 0.2) -> pd.DataFrame:
    said = {"question_id": slug, "forecaster": forecaster, "made_at": day(at), "probability": p}
    return pd.DataFrame([said])


WORDING = {"question_id": "rain", "title": "Will it rain?", "type": "binary"}
QUESTION = pd.DataFrame([WORDING | {"open_time": day(0), "scheduled_close_time": day(10)}])


def imports(
    session: Session, member: Member, rows: pd.DataFrame, at: float, **how: bool
) -> Imported:
    return import_frames(session, complete(QUESTION, rows), member=member, now=day(at), **how)


def test_in_a_ledger_of_ones_own_its_owner_vouches(session: Session, alice: Member) -> None:
    assert imports(session, alice, folder("bob"), 5).unvouched == 0
    row = session.exec(select(Forecast)).one()
    assert (row.made_at, row.recorded_at, row.claimed_at) == (day(1), day(5), None)
    assert (row.origin, row.vouched_by_id) == ("import", alice.id)
    assert imports(session, alice, folder("bob"), 6).forecasts == 0


@pytest.mark.slow
def test_shared_imports_count_when_recorded(session: Session, alice: Member, bob: Member) -> None:
    ask(session, alice, slug="rain")
    teams.create(session, "Alder", member=alice, now=day(0))
    for importing in (bob, alice):
        assert imports(session, importing, folder("bob"), 5).unvouched == (importing is bob)
    row = session.exec(select(Forecast)).one()
    assert (row.made_at, row.claimed_at, row.vouched_by_id) == (day(5), day(1), None)
    assert scoring_frames(session)[1]["made_at"].tolist() == [pd.Timestamp(day(5))]
    assert any("claimed without a voucher" in words for words in left_out(session))

    with pytest.raises(Forbidden, match="bob may not vouch") as caught:
        imports(session, bob, folder("bob"), 6, vouch=True)
    assert caught.value.remedy == "Ask alice to do it."
    for new in (1, 0):
        done = imports(session, alice, folder("bob"), 6, vouch=True)
        assert (done.forecasts, done.unvouched) == (new, 0)
    times = session.exec(select(Forecast.made_at).order_by(col(Forecast.made_at))).all()
    assert times == [day(1), day(5)]
    assert imports(session, bob, folder("bob"), 7).forecasts == 0


def test_an_import_is_bound_by_permissions(
    session: Session, alice: Member, bob: Member, carol: Member
) -> None:
    ask(session, alice, slug="rain")
    alder = teams.create(session, "Alder", member=alice, now=day(0))
    for rows in (folder("alice"), pd.concat([folder("bob"), folder("carol")])):
        with pytest.raises(Forbidden, match="bob may not import other members' forecasts"):
            imports(session, bob, rows, 5)
    mine = folder("bob")
    stays = pd.DataFrame([{"team": "Alder", "forecaster": "bob"}])
    for questions_, error in (
        (QUESTION.assign(title="Will it snow?"), "bob may not change 'rain'"),
        (QUESTION.assign(resolution="yes"), "bob may not decide the outcome of 'rain'"),
    ):
        with pytest.raises(Forbidden, match=error):
            import_frames(session, complete(questions_, mine), member=bob, now=day(5))
    with pytest.raises(Forbidden, match="bob may not import other members' forecasts"):
        import_frames(session, complete(QUESTION, mine, stays), member=bob, now=day(5))
    teams.set_role(session, alder, carol, Role.viewer, member=alice, now=day(1))
    with pytest.raises(Forbidden, match="carol may not ask a question: carol is a viewer"):
        imports(session, carol, folder("carol"), 5)
    assert session.exec(select(Forecast)).all() == []


def test_nobody_cites_evidence_for_the_forecast_of_another(
    session: Session, alice: Member, bob: Member, question: Question
) -> None:
    forecast = updates.update(session, question, P, member=alice, now=day(1)).forecast
    with pytest.raises(Forbidden, match="another member's"):
        evidence.cite(session, forecast, [CitedEvidence(note="x")], member=bob, now=day(1))


def test_in_a_shared_ledger_on_a_server_nobody_acts_as_another(
    session: Session, alice: Member, bob: Member, kind: str
) -> None:
    member_or_new(session, "robot", now=day(0), kind=MemberKind.bot)
    roles.require_own_name(session, "alice", "bob", now=day(0))  # a ledger of one's own
    teams.create(session, "Alder", member=alice, now=day(0))
    roles.require_own_name(session, "alice", "alice", now=day(0))
    roles.require_own_name(session, "alice", "robot", now=day(0))  # an admin, for a bot
    for signer, handle in (("alice", "bob"), ("bob", "robot"), ("nobody", "alice")):
        # The owner of a file could sign as anyone anyway.
        with nullcontext() if kind == "sqlite" else pytest.raises(Forbidden) as caught:
            roles.require_own_name(session, signer, handle, now=day(0))
        if caught is not None:
            assert caught.value.message.startswith(f"{signer} cannot act as {handle}")
            assert "--as" in caught.value.remedy


def test_a_hidden_question_blocks_nobody_and_is_opened_to_everyone_by_a_new_wording(
    session: Session, alice: Member, bob: Member, alders: Question
) -> None:
    dora = member_or_new(session, "dora", now=day(0))
    visibility.read_as(session, dora, now=day(1))
    assert standing.listing(session, now=day(1)) == []
    with visibility.reading_everything(session):
        assert len(standing.listing(session, now=day(1))) == 1
    assert standing.listing(session, now=day(1)) == []
    # The title of a hidden question is free for another one.
    assert ask(session, dora, title="Will it rain?").slug == "will-it-rain"
    visibility.read_as(session, bob, now=day(1))
    opened = teams.visibility_fields(session, "everyone")
    revisions.revise(session, alders, member=bob, now=day(1), **opened)
    visibility.read_as(session, dora, now=day(1))
    text = registry.newest_wording(session, alders)
    assert text.team_id is not None  # it stays the team's, whose resolvers decide on it
    with pytest.raises(Forbidden, match="dora may not decide the outcome of"):
        resolve(session, alders, dora, at=2)
    updates.update(session, alders, P, member=dora, now=day(2))


def test_hiding_a_question_makes_an_admin(session: Session, alice: Member, bob: Member) -> None:
    ask(session, bob, slug="open")
    assert not roles.is_shared(session)
    ask(session, bob, slug="mine", title="Mine?", **teams.visibility_fields(session, "me"))
    assert roles.admins(session) == ["bob"]
    visibility.read_as(session, alice, now=day(1))
    assert [state.slug for state in standing.listing(session, now=day(1))] == ["open"]
    assert ledger_frames(session).questions["question_id"].tolist() == ["open"]


ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_pages_and_commands_read_the_ledger_for_the_acting_member() -> None:
    """Sessions are opened in few places, which all set the reader.

    The others read for the ledger itself: its existence, owner, sign-in, ended sign-ins, tokens,
    hashes, newest entry, protection and chain; on entry, the visitor's own settings.
    """
    others = (
        "app/navigation.py",  # asks whether the ledger is the demonstration
        "app/forms/imports.py",  # writes the ledger's secret for aliases
        "app/web/previews.py",  # reads for a stranger
        "app/web/routes.py",  # the verb reads for the address's member
    )
    doors = (
        {"app/session.py": 5, "forecasts/cli/session.py": 2}
        | dict.fromkeys(others, 1)
        | {"forecasts/cli/digests.py": 2, "forecasts/cli/members.py": 3, "app/forms/sign_in.py": 3}
        | {"forecasts/cli/runs.py": 2}  # the ledger's protection
        | {"forecasts/cli/operations.py": 4}  # the folders of stamps of both ledgers of a move
    )
    code = [path for tree in ("app", "forecasts/cli") for path in (ROOT / tree).rglob("*.py")]
    opened = {str(path.relative_to(ROOT)): _sessions_opened(path) for path in code}
    assert {path: number for path, number in opened.items() if number} == doors


def _sessions_opened(path: Path) -> int:
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    return sum(
        ast.unparse(call.func).endswith((".reading", ".writing"))
        or (ast.unparse(call.func) == "reading" and bool(call.args))
        for call in calls
        if ast.unparse(call) != "session.reading()"  # the pages' own door
    )


@pytest.mark.slow
def test_a_writing_command_names_the_acting_member() -> None:
    """The commands write through ``session.acting``.

    ``rescore`` needs nobody; ``_run``, ``_run_if_due`` and ``backup`` only record that a run began,
    a backup was made; ``_administering`` and ``identify`` are for the owner of the database, whom
    they ask for.
    """
    without = []
    for path in sorted((ROOT / "forecasts" / "cli").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            calls = [n for n in ast.walk(function) if isinstance(n, ast.Call)]
            names = {ast.unparse(call.func) for call in calls}
            if "writing" in names and "acting" not in names:
                without.append(function.name)
    known = ["_administering", "_run", "_run_if_due", "acting", "backup", "identify", "rescore"]
    assert sorted(without) == known
