"""The groups of a report, and the forecasts that count in each."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasts.common.errors import BadInput
from forecasts.folder.frames import Frames
from forecasts.reports.report import By
from scoring.arrays import Places

EVERYONE = "all"
# Days before the scheduled close.
LEADS = (1.0, 7.0, 30.0, 90.0)
_LEAD = re.compile(r"(\d{1,5}(?:\.\d{1,6})?)(?: days?)?")
_MOST_NAMES = 20
VALUES = ("probability", "probabilities", "quantiles")


@dataclass(frozen=True)
class Entries:
    """Forecasts as the groups made them.

    ``forecasts`` has the columns that ``scoring`` takes, with ``forecaster`` a number for each
    member of each group; ``inside`` marks those made as a member of the group, ``row`` is the
    position in the frame. ``group`` and ``forecaster`` (indexed by that number) name both.
    """

    forecasts: pd.DataFrame
    group: pd.Series
    forecaster: pd.Series


def group_entries(frames: Frames, *, by: By) -> Entries:
    """Return the forecasts of every group of that kind; by tag or lead, of everyone as one group.

    A team has a member's forecasts made during the membership (joined_at <= made_at < left_at),
    while they are current: a forecast made before or after acts on the team as a withdrawal.
    Someone in two teams counts in both.

    A kind has the forecasts of its members, an owner those of their bots, and a model those made
    with it: another forecast of the same bot acts on the model as a withdrawal.
    """
    # An empty column would be searched for values again and again.
    used = [name for name in VALUES if frames.forecasts[name].notna().any()] or list(VALUES)
    made = frames.forecasts
    plain = made[["question_id", "made_at", *used]].assign(undated=made.get("undated", False))
    code, handles = pd.factorize(frames.forecasts["forecaster"], sort=True)
    who = pd.Series(handles, dtype=str)
    if by == "team":
        return _of_teams(plain, code, who, frames.teams)
    if by == "model":
        return _of_models(plain, code, who, model_names(frames))
    if by in ("kind", "owner"):
        told = _told(frames, by)
        # Of a kind or an owner all along.
        stays = pd.DataFrame({"team": told.to_numpy(), "forecaster": told.index})
        never = pd.Series(pd.NaT, index=stays.index, dtype="datetime64[us, UTC]")
        return _of_teams(plain, code, who, stays.assign(joined_at=never, left_at=never))
    group = who if by == "forecaster" else pd.Series(EVERYONE, index=who.index, dtype=str)
    forecasts = plain.assign(forecaster=code, inside=True, row=np.arange(len(code)))
    return Entries(forecasts, group, who)


def by_account(entries: Entries, forecasts: pd.DataFrame) -> Entries:
    """Return the entries with a member for each account of a member; ``forecasts``: the frame's.

    Two accounts that became one handle are still two paths: each knows only its own forecasts.
    """
    if not (forecasts.get("account", pd.Series(dtype=str)) != "").any():
        return entries
    account = forecasts["account"].to_numpy()[entries.forecasts["row"].to_numpy()]
    pairs = pd.DataFrame({"member": entries.forecasts["forecaster"], "account": account})
    number = pairs.groupby(["member", "account"], sort=True).ngroup().to_numpy()
    member = pd.Series(pairs["member"].to_numpy(), index=number)
    member = member[~member.index.duplicated()].sort_index()
    return Entries(
        entries.forecasts.assign(forecaster=number),
        entries.group.take(member.to_numpy()).reset_index(drop=True),
        entries.forecaster.take(member.to_numpy()).reset_index(drop=True),
    )


def of_members(names: pd.Series, member: pd.Series | Places) -> pd.Categorical:
    """Return the names of the members of ``Entries`` with these numbers."""
    code, every = pd.factorize(names.to_numpy(dtype=object))
    return pd.Categorical.from_codes(code[np.asarray(member, dtype=np.intp)], pd.Index(every))


def model_names(frames: Frames) -> pd.Series:
    """Return the model behind each forecast, its version with it; blank without one.

    BadInput for a folder, which has no models.
    """
    if frames.models is None:
        raise _untold()
    name, version = frames.models["model"], frames.models["version"]
    return name.where(version == "", name + " " + version)


def _told(frames: Frames, by: By) -> pd.Series:
    """Return the kind or owner of each forecaster, by name; without those that have none."""
    if frames.members is None:
        raise _untold()
    told = frames.members.set_index("forecaster")[by]
    return told[(told != "") & told.index.isin(frames.forecasts["forecaster"].unique())]


def forecast_groups(frames: Frames, *, by: By) -> pd.Series:
    """Return the kind, model or owner behind each forecast; blank without one."""
    if by == "model":
        return model_names(frames)
    return frames.forecasts["forecaster"].map(_told(frames, by)).fillna("").astype(str)


def _untold() -> BadInput:
    return BadInput(
        "A ledger folder does not name kinds of members, owners of bots, or models.",
        remedy="Use the ledger itself: leave the folder out.",
    )


def tagged(questions: pd.DataFrame) -> pd.DataFrame:
    """Return one row (group, question_id) for each tag of each question."""
    long = questions[["question_id", "tags"]].explode("tags").dropna(subset="tags")
    return long.rename(columns={"tags": "group"}).astype({"group": str}).drop_duplicates()


def _of_teams(
    plain: pd.DataFrame, code: np.ndarray, who: pd.Series, teams: pd.DataFrame
) -> Entries:
    handle = pd.Index(who).get_indexer(teams["forecaster"])
    stays = teams.assign(handle=handle)[handle >= 0]
    member = stays.groupby(["team", "handle"], sort=True).ngroup().to_numpy()
    stays = stays.assign(member=member).sort_values("member", kind="stable")
    # Each forecast with each stay of its forecaster in a team.
    beside = pd.DataFrame({"row": np.arange(len(code)), "handle": code}).merge(
        stays[["handle", "member", "joined_at", "left_at"]], on="handle"
    )
    made_at = plain["made_at"].take(beside["row"].to_numpy()).reset_index(drop=True)
    inside = ~(beside["joined_at"] > made_at) & ~(beside["left_at"] <= made_at)
    flags = beside[["row", "member"]].assign(inside=inside)
    if stays["member"].duplicated().any():
        # One row for each forecast and team: a forecast made during any of the stays counts.
        flags = flags.groupby(["row", "member"], sort=True)["inside"].any().reset_index()
    people = stays.drop_duplicates("member")
    return _of_parts(plain, flags, people["team"], people["forecaster"])


def _of_models(plain: pd.DataFrame, code: np.ndarray, who: pd.Series, model: pd.Series) -> Entries:
    made = pd.DataFrame({"row": np.arange(len(code)), "handle": code, "model": model.to_numpy()})
    used = made.loc[made["model"] != "", ["handle", "model"]].drop_duplicates()
    used = used.sort_values(["model", "handle"], ignore_index=True)
    beside = made.merge(used.assign(member=used.index), on="handle", suffixes=("", "_used"))
    flags = beside[["row", "member"]].assign(inside=beside["model"] == beside["model_used"])
    flags = flags.sort_values(["row", "member"], ignore_index=True)
    return _of_parts(plain, flags, used["model"], who.take(used["handle"].to_numpy()))


def _of_parts(
    plain: pd.DataFrame, flags: pd.DataFrame, group: pd.Series, forecaster: pd.Series
) -> Entries:
    """Return the entries of members of groups, each with some forecasts, some of them inside."""
    forecasts = plain.iloc[flags["row"].to_numpy()].reset_index(drop=True)
    forecasts = forecasts.assign(
        forecaster=flags["member"], inside=flags["inside"], row=flags["row"]
    )
    for name in forecasts.columns[forecasts.columns.isin(VALUES)]:
        forecasts[name] = forecasts[name].where(flags["inside"])
    return Entries(
        forecasts,
        group.reset_index(drop=True).astype(str),
        forecaster.reset_index(drop=True).astype(str),
    )


def group_questions(
    entries: Entries, questions: pd.DataFrame, by: By, wanted: Sequence[str]
) -> pd.DataFrame:
    """Return the questions of each group, scored or not: group, place among all questions.

    By tag, those with the tag; else those that the group's members forecast; all for everyone.
    """
    if by in ("all", "lead"):
        place = np.tile(np.arange(len(questions)), len(wanted))
        return pd.DataFrame({"group": np.repeat(wanted, len(questions)), "place": place})
    if by == "tag":
        rows = tagged(questions)
    else:
        inside = entries.forecasts.loc[entries.forecasts["inside"], ["forecaster", "question_id"]]
        rows = inside.drop_duplicates()  # numbers, so that fewer texts are compared
        group = entries.group.to_numpy(dtype=object)[rows["forecaster"].to_numpy()]
        rows = rows.assign(group=group)[["group", "question_id"]].drop_duplicates()
    place = pd.Index(questions["question_id"]).get_indexer(rows["question_id"])
    found = pd.DataFrame({"group": rows["group"].to_numpy(), "place": place})
    return found[found["place"] >= 0]


def only(entries: Entries, names: Sequence[str]) -> Entries:
    """Return the forecasts of these groups only, their members renumbered."""
    kept = entries.group.index[entries.group.isin(names)]
    forecasts = entries.forecasts[entries.forecasts["forecaster"].isin(kept)]
    number = kept.get_indexer(pd.Index(forecasts["forecaster"]))
    return Entries(
        forecasts.assign(forecaster=number),
        entries.group[kept].reset_index(drop=True),
        entries.forecaster[kept].reset_index(drop=True),
    )


def in_several_teams(teams: pd.DataFrame) -> list[str]:
    """Return the members of two teams at the same time, by name."""
    pairs = teams.merge(teams, on="forecaster", suffixes=("", "_other"))
    # A blank time compares as False: such a stay has no such end.
    both = (
        (pairs["team"] < pairs["team_other"])
        & ~(pairs["joined_at"] >= pairs["left_at_other"])
        & ~(pairs["joined_at_other"] >= pairs["left_at"])
    )
    return sorted(set(pairs.loc[both, "forecaster"]))


def chosen(frames: Frames, *, by: By, names: Sequence[str]) -> list[str]:
    """Return the names of the groups to report on: the requested ones, else all.

    BadInput lists the existing names if one is unknown.
    """
    if by == "all":
        if names:
            raise BadInput(
                f"A report on everyone takes no names, got {names[0]!r}.",
                remedy="Report by forecaster, team, tag or lead.",
            )
        return [EVERYONE]
    if by == "lead":
        asked = [lead_days(name) for name in names] or LEADS
        return [lead_name(days) for days in dict.fromkeys(asked)]
    there = group_names(frames, by=by)
    for name in names:
        if name not in there:
            raise BadInput(
                f"There is no {by} {name!r}{' with a forecast' if by == 'forecaster' else ''}.",
                remedy=f"Use one of: {listed(there)}." if there else f"There is no {by} at all.",
            )
    return list(dict.fromkeys(names)) or there


def listed(names: Sequence[str]) -> str:
    """Return the first names, and the number of the others."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def group_names(frames: Frames, *, by: By) -> list[str]:
    """Return the teams or tags, or the forecasters, kinds, models or owners with a forecast."""
    if by == "tag":
        named = tagged(frames.questions)["group"]
    elif by == "team":
        named = frames.teams["team"]
    elif by == "forecaster":
        named = frames.forecasts["forecaster"]
    else:
        named = model_names(frames) if by == "model" else _told(frames, by)
    return sorted(set(named.unique()) - {""})


def lead_days(name: str) -> float:
    """Return the days of a lead: ``7``, ``7 days`` or ``0.5 days``. BadInput for others."""
    parts = _LEAD.fullmatch(name.strip())
    if parts is None or not float(parts[1]) > 0:
        raise BadInput(
            f"{name!r} is not a lead time.",
            remedy="Give the days before the scheduled close, above 0, such as 7 or 0.5.",
        )
    return float(parts[1])


def lead_window(days: float) -> tuple[float, float]:
    """Return the window of a lead, in days before the close: from it up to the next of ``LEADS``.

    >>> lead_window(7), lead_window(90)
    ((7, 30.0), (90, inf))
    """
    return days, min((lead for lead in LEADS if lead > days), default=math.inf)


def lead_name(days: float) -> str:
    """Return the name of a lead time: ``1 day``, ``7 days``, ``0.5 days``."""
    return f"{days:g} day{'' if days == 1 else 's'}"
