"""People and bots in one ledger: records and comparisons by kind, model and owner."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from sqlmodel import Session

from forecasts.access import tokens, visibility
from forecasts.access.members import find_member
from forecasts.common.errors import BadInput
from forecasts.folder.frames import MEMBER_COLUMNS, MODEL_COLUMNS, Frames
from forecasts.ledger.models import Member
from forecasts.reports import formats
from forecasts.reports.comparison import build as compare
from forecasts.reports.digest import sha256
from forecasts.reports.groups import group_names
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.updates import updates
from forecasts.updates.model_uses import Model
from forecasts.values.value import Value
from tests.conftest import ask, say
from tests.conftest import day as in_2026
from tests.reports.small_ledgers import NOW, asked, day, joined, ledger, made, report

pytestmark = pytest.mark.slow

KINDS = {"ann": "human", "bob": "human", "b1": "bot", "b2": "bot", "b3": "bot"}
OWNERS = {"b1": "ann", "b2": "ann"}


def arena(
    rows: list[dict[str, Any]], models: Mapping[int, tuple[str, str]] | None = None, many: int = 40
) -> Frames:
    """Return a ledger with people and bots; ``models`` has the name and version behind rows."""
    frames = ledger([asked(f"q{n:03}", "yes" if n % 2 else "no") for n in range(many)], rows)
    members = [(who, kind, OWNERS.get(who, "")) for who, kind in KINDS.items()]
    used = [(*(models or {}).get(row, ("", "")), math.nan) for row in range(len(rows))]
    return replace(
        frames,
        members=pd.DataFrame(members, columns=list(MEMBER_COLUMNS)),
        models=pd.DataFrame(used, columns=list(MODEL_COLUMNS)),
    )


def everyone(said: Mapping[str, float], many: int = 40) -> list[dict[str, Any]]:
    """Return a forecast by each on each question; ``said`` is the probability of the outcome."""
    return [
        made(f"q{n:03}", who, 0, p if n % 2 else 1 - p)
        for n in range(many)
        for who, p in said.items()
    ]


def test_a_kind_has_the_mean_score_of_its_members() -> None:
    frames = arena(everyone({"ann": 0.9, "bob": 0.7, "b1": 0.8}))
    found = report(frames, by="kind").groups
    scores = {one.name: one.brier.mean for one in found}
    assert scores == pytest.approx({"bot": 0.04, "human": 0.05})
    stays = [joined("bot", "b1"), joined("human", "ann"), joined("human", "bob")]
    assert found == report(replace(frames, teams=ledger([], [], stays).teams), by="team").groups


def test_an_owner_has_the_forecasts_of_their_bots_alone() -> None:
    frames = arena(everyone({"ann": 0.5, "b1": 0.8, "b2": 0.6, "b3": 0.99}))
    made_by = report(frames, by="owner")
    assert [(one.name, one.forecasters) for one in made_by.groups] == [("ann", 2)]
    assert made_by.groups[0].brier.mean == pytest.approx((0.04 + 0.16) / 2)
    assert "An owner’s record is that of their bots alone." in made_by.notes


def test_a_model_has_the_forecasts_made_with_it_while_they_were_current() -> None:
    rows = [made("q001", "b1", 0, 0.5), made("q001", "b1", 5, 0.9), made("q001", "b2", 0, 0.7)]
    models = {0: ("oracle", "1"), 1: ("oracle", "2"), 2: ("oracle", "2")}
    frames = arena(rows, models, many=2)
    groups = {one.name: one for one in report(frames, by="model").groups}
    assert groups["oracle 1"].brier.mean == pytest.approx(0.25)
    assert groups["oracle 1"].coverage == pytest.approx(0.5)
    assert groups["oracle 2"].brier.mean == pytest.approx((0.01 + 0.09) / 2)
    assert groups["oracle 2"].forecasters == 2


def test_a_forecast_without_a_model_ends_the_models_time() -> None:
    rows = [made("q001", "b1", 0, 0.5), made("q001", "b1", 2, 0.9)]
    [group] = report(arena(rows, {0: ("oracle", "")}, many=2), by="model").groups
    assert group.name == "oracle"
    assert group.coverage == pytest.approx(0.2)


def test_an_unknown_kind_or_a_folder_is_refused_with_the_names() -> None:
    frames = arena(everyone({"ann": 0.9, "b1": 0.8}))
    with pytest.raises(BadInput, match="There is no kind 'alien'") as caught:
        report(frames, by="kind", names=["alien"])
    assert caught.value.remedy == "Use one of: bot, human."
    for by in ("kind", "model", "owner"):
        with pytest.raises(BadInput, match="A ledger folder does not name kinds"):
            report(replace(frames, members=None, models=None), by=by)


def test_the_digest_covers_the_kinds_only_in_a_report_by_kind() -> None:
    frames = arena(everyone({"ann": 0.9, "b1": 0.8}, 4), many=4)
    other = replace(frames, members=frames.members.assign(kind="human"))
    for by, is_same in (("all", True), ("kind", False)):
        assert (sha256(frames, by) == sha256(other, by)) == is_same


def test_kinds_are_compared_on_shared_questions_and_the_bots_are_named() -> None:
    rows = everyone({"ann": 0.9, "b1": 0.7, "b2": 0.7, "b3": 0.6})
    models = {row: ("oracle", "") for row, one in enumerate(rows) if one["forecaster"] in OWNERS}
    found = compare(arena(rows, models), between=[], of="kinds", as_of=NOW)
    [pair] = found.pairs
    assert (pair.a, pair.b, pair.better) == ("bot", "human", "human")
    assert pair.difference == pytest.approx((0.09 + 0.09 + 0.16) / 3 - 0.01)
    [note] = [note for note in found.notes if "oracle" in note]
    assert note == (
        "The bots here: b1, b2 and b3. b1 and b2 share the model oracle, so their errors tend to "
        "agree."
    )
    assert "human did better than bot" in str(formats.rendered(found, "text"))
    assert formats.rendered(found, "json")


def test_bots_that_share_a_model_count_as_one_member_beyond_these_members() -> None:
    rows = everyone({"ann": 0.9, "bob": 0.8, "b1": 0.7, "b2": 0.65})
    shared = {row: ("oracle", "") for row, one in enumerate(rows) if one["forecaster"] in OWNERS}
    own = {row: (rows[row]["forecaster"], "") for row in shared}

    for models, comparable in ((own, True), (shared, False)):  # one says nothing of others
        frames = arena(rows, models)
        [pair] = compare(frames, between=[], of="kinds", as_of=NOW, alike=True).pairs
        assert pair.comparable == comparable


def test_only_the_forecasts_made_before_a_time_count_with_their_models() -> None:
    rows = [made("q001", "b1", 0, 0.5), made("q001", "b1", 4, 0.9), made("q001", "ann", 5, 0.9)]
    frames = arena(rows, {0: ("oracle", "1"), 1: ("oracle", "2")}, many=2)
    found = report(frames, by="model", made_before=day(4))
    assert [(one.name, one.coverage) for one in found.groups] == [
        ("oracle 1", pytest.approx(1.0)),  # as if nobody had updated
        ("oracle 2", None),
    ]
    assert found.metadata.made_before == day(4)
    text = str(formats.rendered(found, "text"))
    assert "Only forecasts made before 2026-01-05" in text
    everyone_then = report(frames, by="forecaster", made_before=day(4)).groups
    assert {one.name: one.questions for one in everyone_then} == {"ann": 0, "b1": 1}


def test_models_are_compared_by_name() -> None:
    rows = everyone({"b1": 0.9, "b2": 0.6})
    models = {row: (f"m-{one['forecaster']}", "") for row, one in enumerate(rows)}
    found = compare(arena(rows, models), between=["m-b1", "m-b2"], of="models", as_of=NOW)
    assert found.pairs[0].better == "m-b1"


def test_the_ledger_has_kinds_and_models(session: Session, alice: Member, bob: Member) -> None:
    tokens.create(session, "alice-bot", member=None, owner=alice, now=in_2026(0))
    bot = find_member(session, "alice-bot")
    rain = ask(session, alice, slug="rain", crowd_hidden=True)
    model = Model("oracle", "2", cost=0.5)
    say(session, rain, alice, 0.2, 1)
    updates.update(session, rain, Value(probability=0.3), member=bot, now=in_2026(1), model=model)
    frames = ledger_frames(session)
    told = {who: (kind, owner) for who, kind, owner in frames.members.itertuples(index=False)}
    assert told["alice-bot"] == ("bot", "alice")
    assert told["alice"] == ("human", "")
    [used] = frames.models[frames.forecasts["forecaster"] == "alice-bot"].itertuples(index=False)
    assert tuple(used) == ("oracle", "2", 0.5)
    assert group_names(frames, by="kind") == ["bot", "human"]
    visibility.read_as(session, bob, now=in_2026(2))
    hidden = ledger_frames(session)  # the crowd is hidden from bob, and its models with it
    assert hidden.models.empty
    assert group_names(hidden, by="kind") == []
