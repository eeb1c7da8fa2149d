"""Bots that share a model: their errors are likely to agree, so they are named, and count as one.

The difference between two sides is a claim about their members, and is clustered by family of
questions as any other. It says nothing of other bots with the same model, so the claim names the
bots. A claim about bots *like* them takes those with one model as one member.
"""

from __future__ import annotations

import pandas as pd

from forecasts.common.text import in_words
from forecasts.folder.frames import Frames
from forecasts.reports.groups import Entries

_MOST_NAMES = 5


def bot_models(frames: Frames, entries: Entries) -> dict[str, str]:
    """Return the model that each bot among these forecasters used most; blank for none."""
    if frames.members is None or frames.models is None:
        return {}
    kinds = frames.members.set_index("forecaster")["kind"]
    bots = sorted(set(kinds.index[kinds == "bot"]) & set(entries.forecaster))
    used = frames.models["model"].groupby(frames.forecasts["forecaster"])
    counts = used.value_counts().reset_index(name="uses")
    counts = counts[counts["model"] != ""].sort_values(["uses", "model"], ascending=[False, True])
    most = counts.drop_duplicates("forecaster").set_index("forecaster")["model"]
    return {bot: str(most.get(bot, "")) for bot in bots}


def one_a_model(people: pd.DataFrame, entries: Entries, models: dict[str, str]) -> pd.DataFrame:
    """Return the table of ``scoring.paired_people`` with the bots of a side and model as one."""
    unit = {
        number: f"model {models[who]}" if models.get(who) else f"member {who}"
        for number, who in entries.forecaster.items()
    }
    keys = ["a", "b", "question_id", "side", "forecaster"]
    return (
        people.assign(forecaster=people["forecaster"].map(unit))
        .groupby(keys, as_index=False, sort=True)[["deviation", "part"]]
        .sum()
    )


def sentences(models: dict[str, str], *, alike: bool) -> str:
    """Return which bots the claims are about, and which share a model; empty without bots."""
    if not models:
        return ""
    said = [f"The bots here: {in_words(list(models), _MOST_NAMES)}."]
    for model in sorted(set(models.values()) - {""}):
        users = [bot for bot, own in models.items() if own == model]
        if len(users) > 1:
            names = in_words(users, _MOST_NAMES)
            said.append(f"{names} share the model {model}, so their errors tend to agree.")
    if alike and len(said) > 1:
        said.append("Bots of one side that share a model count as one member.")
    return " ".join(said)
