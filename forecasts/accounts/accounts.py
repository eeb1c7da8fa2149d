"""The platforms that a record can be fetched from, and the parts of it that are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np
from sqlmodel import Session, col, select

from forecasts.accounts import fatebook, manifold, metaculus
from forecasts.accounts.client import Client, Known, Site
from forecasts.accounts.kept import Kept
from forecasts.common.text import count
from forecasts.folder.frames import MEMBER_COLUMNS, typed_frame
from forecasts.importing.frames import without
from forecasts.ledger.current import has_outcome
from forecasts.ledger.models import Forecast, Member, QuestionOrigin
from forecasts.platforms.record import Choices, LeftOut, PlatformRecord


class Account(Protocol):
    """A module of this package for one platform."""

    @property
    def SITE(self) -> Site:  # noqa: N802 - a constant of the module
        """The platform's API."""

    def fetch(self, client: Client, kept: Kept, known: Known, /) -> None:
        """Fetch the account's record, from where ``kept`` ends."""

    def read(self, kept: Kept, choices: Choices, /) -> PlatformRecord:
        """Return the fetched record."""


ACCOUNTS: Mapping[str, Account] = {one.SITE.name: one for one in (metaculus, fatebook, manifold)}


def own(record: PlatformRecord, handle: str) -> PlatformRecord:
    """Return one forecaster's part of a record: their forecasts and the questions of these."""
    frames = record.frames
    kept = np.flatnonzero(frames.forecasts["forecaster"] == handle)
    others = len(frames.forecasts) - len(kept)
    mine = replace(
        frames,
        forecasts=frames.forecasts.iloc[kept].reset_index(drop=True),
        members=typed_frame({"forecaster": [handle], "kind": ["human"]}, MEMBER_COLUMNS),
        place=lambda name, row: frames.place(name, int(kept[row]) if name == "forecasts" else row),
    )
    unused = set(frames.questions["question_id"]) - set(mine.forecasts["question_id"])
    left_out = [
        LeftOut(record.platform, count(many, what), reason)
        for many, what, reason in (
            (others, "forecast", "by others"),
            (len(unused), "question", "without a forecast of yours"),
        )
        if many
    ]
    return replace(
        record,
        frames=without(mine, unused),
        origins=record.origins[~record.origins["question_id"].isin(unused)],
        printed=record.printed[record.printed["forecaster"] == handle],
        left_out=[*record.left_out, *left_out],
    )


def settled(session: Session, platform: str, member: Member) -> set[str]:
    """Return the platform's ids of questions with an outcome that the member has forecast here."""
    own = select(Forecast.id).where(
        col(Forecast.question_id) == col(QuestionOrigin.question_id),
        col(Forecast.member_id) == member.id,
    )
    return set(
        session.exec(
            select(QuestionOrigin.platform_id).where(
                col(QuestionOrigin.platform) == platform,
                has_outcome(QuestionOrigin.question_id),
                own.exists(),
            )
        )
    )
