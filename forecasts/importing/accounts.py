"""The accounts in the record of another platform: the importer's, and those with doubtful names."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd
from sqlmodel import Session, col, func, or_, select

from forecasts.access.members import find_member
from forecasts.access.visibility import forecast_visible
from forecasts.common.errors import Advice, BadInput, Remedy
from forecasts.common.text import count, in_words
from forecasts.importing.origins import mapped
from forecasts.ledger.models import Forecast, Member, Question, QuestionOrigin
from forecasts.platforms.handles import apart
from forecasts.platforms.record import PlatformRecord
from forecasts.questions.origins import in_words as platform_in_words
from forecasts.questions.origins import platform_name
from forecasts.questions.standing import rows_with

_FEW = 10  # accounts: an error lists up to this many


def as_member(
    session: Session, record: PlatformRecord, account: str | None, owner: str
) -> PlatformRecord:
    """Return the record in which the member ``owner`` is the forecaster of that account, if given.

    Its notes say whose the forecasts become, where that may be a mistake. BadInput if the record
    has no such account.
    """
    notes = [*record.notes, *_whose(session, record, account, owner)]
    if account is not None and account != record.account:
        record = _renamed(record, account, owner)
    name, forecasts = account or record.account, record.frames.forecasts
    if name not in ("", owner):
        # Two accounts of a member stay apart: each knows its own forecasts only.
        own = forecasts["account"].mask(forecasts["forecaster"] == owner, name)
        record = replace(
            record, frames=replace(record.frames, forecasts=forecasts.assign(account=own))
        )
    return replace(record, notes=notes)


def whose(session: Session, forecasts: pd.DataFrame, account: str, owner: str) -> Advice:
    """Return whose these new forecasts become, with advice if a member has the account's name.

    Blank if none becomes the owner's. ``account``: the owner's name in the file, '' if unknown.
    """
    mine = forecasts[forecasts["forecaster"] == owner]
    if mine.empty:
        return ""
    is_other = account not in ("", owner)
    of = f" by {account!r}" if is_other else ""
    many = count(len(mine), "new forecast")
    said = f"{many}{of} in the file {'becomes' if len(mine) == 1 else 'become'} {owner}'s."
    namesakes = select(Member.id, Member.handle).where(
        or_(Member.handle == account, func.lower(Member.handle) == account.lower()),
        Member.handle != owner,
    )
    same = session.exec(namesakes.order_by(col(Member.id)).limit(1)).first() if is_other else None
    if same is None:
        return said
    id_, handle = same
    their_forecasts = (
        select(func.count(col(Forecast.id)))
        .join(Question, col(Question.id) == col(Forecast.question_id))
        .where(Forecast.member_id == id_, forecast_visible(session))
    )
    slugs = mine["question_id"].tolist()
    theirs = sum(rows_with(session, their_forecasts, Question.slug, slugs))
    has = f", who has {theirs:,} on these questions" if theirs else ""
    return (
        f"{said} The ledger has a member {handle!r}{has}.",
        Remedy("If they are that member's, name the member: {}", "", as_=handle),
    )


def _renamed(record: PlatformRecord, account: str, owner: str) -> PlatformRecord:
    """Return the record with the owner's handle for the account, and another for a namesake."""
    platform = platform_name(record.platform)
    handles = [str(handle) for handle in record.frames.forecasts["forecaster"].unique()]
    # The member's handle is that of the file's own account, so a namesake has another.
    if record.account and (namesake := apart(account, owner, platform)) in handles:
        account = namesake
    if account not in handles:
        own = record.account or owner
        there = [own if one == owner else one for one in handles]
        raise BadInput(
            f"No forecast in the file is by {account!r}.{_like(account, there)}",
            remedy="Give the name as in the file." if there else "",
        )
    other = apart(record.account or owner, owner, platform)
    names = {owner: other, account: owner}
    frames = record.frames
    forecasts = frames.forecasts.assign(forecaster=mapped(frames.forecasts["forecaster"], names))
    members = frames.members
    if members is not None:
        members = members[members["forecaster"] != account]
        members = members.assign(forecaster=mapped(members["forecaster"], names))
    return replace(
        record,
        frames=replace(frames, forecasts=forecasts, members=members),
        printed=record.printed.assign(forecaster=mapped(record.printed["forecaster"], names)),
    )


def _whose(
    session: Session, record: PlatformRecord, account: str | None, owner: str
) -> Iterator[Advice]:
    """Yield sentences on forecasters who may be the importer, or someone else."""
    members = record.frames.members
    people = set() if members is None else set(members["forecaster"][members["kind"] == "human"])
    if account is not None:
        if account != owner and find_member(session, account) is not None:
            yield (
                f"Forecasts already imported stay with the member {account!r}, so each would count "
                "for both of you."
            )
    elif people and owner not in record.frames.forecasts["forecaster"].unique():
        yield (
            "No forecast in the file is imported as yours.",
            Remedy("If you are one of its forecasters, name your account: {}.", "", account="NAME"),
            "Forecasts already imported stay with the other member.",
        )
    elif len(people) > 1 and not record.account and owner in people:
        yield (
            f"Forecasts by {owner!r} in the file are imported as yours.",
            Remedy("If that is someone else, name your own account: {}", "", account="NAME"),
        )


def doubtful_names(
    session: Session, platform: str, new: Sequence[str], known: Sequence[str], member: Member
) -> Iterator[Advice]:
    """Yield sentences on names that may split a person in two, or join two people.

    ``new``: the members that this import by ``member`` creates; ``known``: existing members who get
    forecasts.
    """
    there = [member.handle, *session.exec(select(Member.handle).order_by(Member.handle))]
    first = {handle.casefold(): handle for handle in reversed(there)}
    beside = [
        f"{handle!r} beside {other!r}"
        for handle in new
        if (other := first.setdefault(handle.casefold(), handle)) != handle
    ]
    if beside:
        yield (
            "Names that differ only in capital letters become different members: "
            f"{in_words(beside, _FEW)}.",
            "If they are one person, give both the same name in the file before you import it.",
            Remedy("If one of them is you, name it: {}", "", account="NAME"),
        )
    without = _without(session, platform, known)
    if strangers := [repr(handle) for handle in known if handle in without]:
        yield (
            "Members with the same names as in the file get their first forecasts from "
            f"{platform_in_words(platform)}: {in_words(strangers, _FEW)}. If a name in the file is "
            "someone else's, change it there before you import it."
        )


def _without(session: Session, platform: str, handles: Sequence[str]) -> set[str]:
    """Return which of these members have no forecast on a question of the platform."""
    of_platform = (
        select(Forecast.id)
        .join(QuestionOrigin, col(QuestionOrigin.question_id) == col(Forecast.question_id))
        .where(Forecast.member_id == Member.id, QuestionOrigin.platform == platform)
    )
    without = select(Member.handle).where(~of_platform.exists())
    return set(rows_with(session, without, Member.handle, handles))


def _like(account: str, handles: Sequence[str]) -> str:
    """Return a sentence with the file's accounts or, of many, the similar ones; '' without any."""
    if not handles:
        return " It has no forecasts."
    if len(handles) <= _FEW:
        return f" The names in the file: {', '.join(sorted(handles))}."
    near = difflib.get_close_matches(account, handles, n=3)
    return f" Did you mean {' or '.join(near)}?" if near else ""
