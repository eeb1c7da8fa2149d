"""The platforms that a record can be fetched from, and its questions that are settled here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sqlmodel import Session, col, select

from forecasts.exchange.accounts import fatebook, manifold, metaculus
from forecasts.exchange.accounts.client import Client, Known, Site
from forecasts.exchange.accounts.kept import Kept
from forecasts.exchange.platforms.record import Choices, PlatformRecord
from forecasts.ledger.current import has_outcome
from forecasts.ledger.models import Forecast, Member, QuestionOrigin


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
