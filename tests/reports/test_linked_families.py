"""Certain links: questions that they join count as one family, everywhere that families count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlmodel import Session

from forecasts.access.visibility import read_as
from forecasts.folder.dependence import joined
from forecasts.folder.frames import (
    LINK_COLUMNS,
    QUESTION_COLUMNS,
    TIME_DTYPE,
    Frames,
    typed_frame,
)
from forecasts.ledger.models import LinkKind, LinkStrength, Member, Visibility
from forecasts.questions.links import link
from forecasts.reports.comparison import build as compare
from forecasts.scores.attribution import attribute
from forecasts.scores.ledger_frames import ledger_frames
from tests.conftest import ask, day
from tests.reports.small_ledgers import NOW, asked, ledger, made, path, report


def linked(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    filled = [(*row, "", None) for row in rows]
    return typed_frame(pd.DataFrame(filled, columns=[*LINK_COLUMNS]), LINK_COLUMNS)


def forty(kind: str, strength: str, outcome: str = "yes") -> Frames:
    """Return forty questions, of which each second is linked with the one before."""
    questions = [asked(f"q{n:02}", outcome if n % 3 else "no") for n in range(40)]
    said = [made(f"q{n:02}", who, 0, p) for n in range(40) for who, p in (("ann", 0.8), ("bo", 1))]
    pairs = [(f"q{n:02}", f"q{n + 1:02}", kind, strength) for n in range(0, 40, 2)]
    return replace(ledger(questions, said), links=linked(*pairs))


@pytest.mark.parametrize(
    ("kind", "strength", "families"),
    [
        ("implies", "certain", 20),
        ("excludes", "certain", 20),
        ("equivalent", "certain", 20),
        ("causes", "certain", 40),
        ("implies", "strong", 40),
        ("equivalent", "weak", 40),
    ],
)
def test_certain_links_count_as_one_family_in_reports_and_comparisons(
    kind: str, strength: str, families: int
) -> None:
    frames = forty(kind, strength)
    assert [group.families for group in report(frames).groups] == [families]
    [pair] = compare(frames, between=["ann", "bo"], of="forecasters", as_of=NOW).pairs
    assert (pair.shared_questions, pair.families) == (40, families)


def test_families_do_not_depend_on_outcomes() -> None:
    found = [
        joined(frames.questions, frames.links)["family"].tolist()
        for frames in (forty("implies", "certain", outcome) for outcome in ("yes", "no", ""))
    ]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("linked_at", "known_at", "resolved_at", "families"),
    [
        (3, None, None, 20),
        (9.9, 10, 12, 20),
        (10, None, None, 40),  # one has closed
        (11, 12, 12, 40),  # its outcome may be known before it is recorded
        (4, 4, 12, 40),
        (4, None, 3, 40),
        (3.9, 4, 4, 20),
    ],
)
def test_a_link_made_once_an_outcome_may_be_known_joins_nothing(
    linked_at: float, known_at: float | None, resolved_at: float | None, families: int
) -> None:
    """One of the two is enough: each second question closes later."""
    frames = forty("implies", "certain")
    first = frames.questions.index % 2 == 0

    def times(at: float | None) -> pd.Series:
        given = [None if at is None or not one else day(at) for one in first]
        return pd.Series(given, dtype=TIME_DTYPE)

    questions = frames.questions.assign(
        scheduled_close_time=frames.questions["scheduled_close_time"].where(first, day(30)),
        known_at=times(known_at),
        resolved_at=times(resolved_at),
    )
    links = frames.links.assign(made_at=pd.Series([day(linked_at)] * 20, dtype=TIME_DTYPE))
    late = replace(frames, questions=questions, links=links)
    assert [group.families for group in report(late).groups] == [families]
    [pair] = compare(late, between=["ann", "bo"], of="forecasters", as_of=NOW).pairs
    assert pair.families == families


def test_points_have_an_interval_over_linked_families() -> None:
    said = [row for name in "xyz" for row in path(name, "ann", (0, 0.5), (5, 0.2))]
    frames = ledger([asked(name, "no") for name in "xyz"], said)
    for links, families in ((frames.links, 3), (linked(("x", "z", "implies", "certain")), 2)):
        [row] = attribute(replace(frames, links=links), "kind").to_dict("records")
        assert row["families"] == families


@pytest.mark.parametrize("seed", range(5))
def test_families_are_the_connected_questions(seed: int) -> None:
    """Against joining them one pair after another."""
    random = np.random.default_rng(seed)
    ids = [f"q{n:02}" for n in range(30)]
    family = [str(name) for name in random.choice(["", "a", "b", "c"], 30, p=[0.7, 0.1, 0.1, 0.1])]
    pairs: list[Any] = [tuple(random.choice(ids, 2, replace=False)) for _ in range(9)]
    sets = [
        {one, f"family {name}"} if name else {one} for one, name in zip(ids, family, strict=True)
    ]
    for pair in [*pairs, *sets]:
        met = [own for own in sets if own & set(pair)]
        sets = [own for own in sets if not own & set(pair)] + [set().union(*met, pair)]
    links = linked(*((*pair, "excludes", "certain") for pair in pairs))
    questions = typed_frame({"question_id": ids, "family": family}, QUESTION_COLUMNS)
    found = joined(questions, links)["family"].tolist()
    named = [name or one for one, name in zip(ids, found, strict=True)]
    of = {one: number for number, own in enumerate(sets) for one in own}
    for one, its in zip(ids, named, strict=True):
        assert {ids[k] for k, name in enumerate(named) if name == its} == {
            other for other in ids if of[other] == of[one]
        }


def test_a_hidden_question_joins_nothing_for_those_who_do_not_see_it(
    session: Session, alice: Member, bob: Member
) -> None:
    seen = [ask(session, alice, title=f"Will it rain {n}?") for n in (1, 2)]
    hidden = ask(session, alice, title="Will it snow?", visibility=Visibility.author)
    sure: Any = {"strength": LinkStrength.certain, "member": alice, "now": day(1)}
    link(session, seen[0], hidden, LinkKind.implies, **sure)
    link(session, hidden, seen[1], LinkKind.implies, **sure)
    for reader, families in ((alice, 1), (bob, 2)):
        read_as(session, reader, now=day(2))
        frames = ledger_frames(session)
        own = joined(frames.questions, frames.links)
        names = own["family"].where(own["family"] != "", own["question_id"])
        assert names[own["question_id"].isin([one.slug for one in seen])].nunique() == families
