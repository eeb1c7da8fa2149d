"""The clock, the zone and the answers of the person at the terminal."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from tzlocal import get_localzone

from forecasts.cli.printing import print_note
from forecasts.common.errors import BadInput
from forecasts.common.times import local_day, to_minute

# The time zone of the acting or reading member's settings.
_ZONE: ContextVar[tzinfo | None] = ContextVar("_ZONE", default=None)
# Closed when the command ends: the ledgers that it opened, and the member's zone.
ENDING = ExitStack()


def now() -> datetime:
    """Return the current time. The command line reads the clock only here."""
    return clock()


def clock() -> datetime:
    """Return the time of this machine; a test sets another."""
    return datetime.now(UTC)


def use_zone(name: str | None) -> None:
    """Read and print times in this zone from now on; None, or one that is unknown here: not set."""
    _ZONE.set(None)
    if name is not None:
        with suppress(ZoneInfoNotFoundError):
            _ZONE.set(ZoneInfo(name))


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone with this name; BadInput if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(
            f"{name!r} is not a time zone.",
            remedy="Name one such as Europe/Paris or America/New_York.",
        ) from None


def zone() -> tzinfo:
    """Return the zone of the member's settings, else that of the computer; UTC if it has none."""
    if (chosen := _ZONE.get()) is not None:
        return chosen
    with warnings.catch_warnings():  # of a computer without a zone
        warnings.simplefilter("ignore")
        try:
            return get_localzone()
        except (ZoneInfoNotFoundError, ValueError):
            return UTC


def when(moment: datetime) -> str:
    """Return a time to the minute in the member's zone: 2026-11-24 14:00 EST."""
    return to_minute(moment, zone())


def day(moment: datetime) -> str:
    """Return a time's day in the member's zone: 2026-11-24."""
    return local_day(moment, zone()).isoformat()


def one_of(option: str, value: str, known: Sequence[str]) -> Any:
    """Return ``value``; raise BadInput unless it is one of the ``known`` values of ``option``."""
    if value not in known:
        names = f"{', '.join(known[:-1])} or {known[-1]}"
        near = get_close_matches(value, known, n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise BadInput(f"{option} {value!r} is not known.", remedy=f"{meant}Use {names}.")
    return value


def confirm(question: str, *, yes: bool) -> None:
    """Ask the question on a terminal and end the command unless the answer is yes.

    Elsewhere nobody can answer: BadInput without the option ``--yes``.
    """
    if yes:
        return
    if not on_terminal():
        raise BadInput(f"{question} There is no terminal to answer on.", remedy="Add --yes.")
    if not typer.confirm(question, err=True):
        print_note("Nothing was changed.")
        raise typer.Exit(1)


def ask_secret(label: str) -> str:
    """Return a secret typed on the terminal, which does not show it. BadInput without one."""
    if not on_terminal():
        raise BadInput(
            f"{label} cannot be asked for: there is no terminal to type it on.",
            remedy="Set it in the environment instead.",
        )
    return str(typer.prompt(label, hide_input=True, err=True)).strip()


def on_terminal() -> bool:
    """Return whether someone can answer a question here."""
    return sys.stdin is not None and sys.stdin.isatty()
