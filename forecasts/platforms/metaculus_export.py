"""Metaculus-shaped CSVs: question_data, forecast_data and score_data, as that platform exports.

``platforms.metaculus`` reads them back. A question that came from Metaculus has its number there as
"Question ID", unless another question of the export has that; any other question has its slug.
Spot times are written as "CP Reveal Time", at which the platform scores unless told otherwise, and
families as "Post ID". Forecasts by quantiles become CDFs at the numbers of "Continuous Range";
quantiles that lie on those numbers are read back unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import scoring
from forecasts.folder.drafts import drafted
from forecasts.folder.frames import Frames, rows
from forecasts.folder.tables import time_texts, write_csv
from forecasts.platforms.metaculus_questions import POST_PREFIX, PREFIX
from forecasts.platforms.metaculus_readme import readme
from forecasts.platforms.metaculus_values import bound_columns, outline, value_columns
from forecasts.platforms.written import Written
from forecasts.values.outline import Outline

# Each score of the platform with the protocol that computes it here.
_PROTOCOLS = {
    "peer": "metaculus_peer",
    "baseline": "metaculus_baseline",
    "spot_peer": "metaculus_spot_peer",
    "spot_baseline": "metaculus_spot_baseline",
}
_NUMBER = re.compile(r"(\d{1,18})(?:\.\d+){0,2}")  # see question_names


def write(frames: Frames, path: Path, *, overwrite: bool = False) -> Written:
    """Return the files of the folder ``path``, which are written (see ``written``)."""
    outlines = {one.question_id: outline(one) for one in rows(frames.questions)}
    ids = _file_ids(outlines)
    forecasts, unwritten = _forecasts(frames, outlines, ids)
    scores, infinite = _scores(frames, ids)
    left_out = [*_left_out(frames), *unwritten, *infinite]
    with drafted(path, overwrite=overwrite) as draft:
        write_csv(draft / "question_data.csv", [_questions(frames.questions, outlines, ids)])
        write_csv(draft / "forecast_data.csv", [forecasts])
        write_csv(draft / "score_data.csv", [scores])
        (draft / "README.md").write_text(readme(frames, left_out), encoding="utf-8")
        names = sorted(file.name for file in draft.iterdir())
    return Written([path / name for name in names], left_out)


def _file_ids(names: Iterable[str], prefix: str = PREFIX) -> dict[str, str]:
    """Return the platform's number of each name given by an import from there, or else our name.

    The name of a member's own question ends with their number ("metaculus-3672.7"). The shortest
    of several names with the same number gets it.
    """
    ids = {name: name for name in names}
    taken = set(ids)
    for name in sorted(ids, key=len):
        found = _NUMBER.fullmatch(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if found and found[1] not in taken:
            ids[name] = found[1]
            taken.add(found[1])
    return ids


def _times(column: pd.Series[Any]) -> list[str]:
    """Return times as the platform writes them."""
    return [text.replace("T", " ").replace("Z", "+00:00") for text in time_texts(column)]


def _questions(
    questions: pd.DataFrame, outlines: dict[str, Outline], ids: dict[str, str]
) -> dict[str, Iterable[str]]:
    blank, every = [""] * len(questions), list(outlines.values())
    options = ["" if one is None else repr(list(one)) for one in questions["options"]]
    families = questions["family"].tolist()
    posts = _file_ids(families, POST_PREFIX)
    bounds = bound_columns(every)
    return {
        "Question ID": [ids[slug] for slug in questions["question_id"]],
        "Question URL": blank,
        "Question Title": questions["title"],
        "Post ID": [posts[family] for family in families],
        "Post Curation Status": ["approved"] * len(questions),
        "Post Published Time": blank,
        "Default Project": blank,
        "Default Project ID": blank,
        "Categories": [repr(list(one or ())) for one in questions["tags"]],
        "Leaderboard Tags": ["[]"] * len(questions),
        # A question with a label is one of a group; the title is one that changes nothing.
        "Label": questions["title"].where(questions["family"] != "", ""),
        "Question Type": bounds.pop("Question Type"),
        "MC Options (Current)": options,
        "MC Options (All)": options,
        "MC Options History": blank,
        **bounds,
        "Open Time": _times(questions["open_time"]),
        "CP Reveal Time": _times(questions["spot_time"]),
        "Scheduled Close Time": _times(questions["scheduled_close_time"]),
        "Actual Close Time": _times(questions["actual_close_time"]),
        "Resolution": questions["resolution"],
        "Resolution Known Time": _times(questions["known_at"]),
        # Peers here are all forecasters, bots too.
        "Include Bots in Aggregates": ["True"] * len(questions),
        "Question Weight": ["1.0"] * len(questions),
    }


def _forecasts(
    frames: Frames, outlines: dict[str, Outline], ids: dict[str, str]
) -> tuple[dict[str, Iterable[str]], list[str]]:
    """Return the columns of forecast_data.csv, and their omissions.

    A forecast ends when its forecaster's next one on the question starts, or is withdrawn.
    """
    made = frames.forecasts
    question, who = (
        made[name].astype(str).reset_index(drop=True) for name in ("question_id", "forecaster")
    )
    order = np.lexsort((made["made_at"], pd.factorize(who)[0], pd.factorize(question)[0]))
    made = made.iloc[order].reset_index(drop=True)
    question, who = question.iloc[order], who.iloc[order]
    same = ((question == question.shift(-1)) & (who == who.shift(-1))).to_numpy()
    ends = made["made_at"].shift(-1).where(same)
    value = ["probability", "probabilities", "quantiles"]
    stated = made[value].notna().any(axis=1).to_numpy()
    ended = np.concatenate([[False], stated[:-1] & same[:-1]]) if len(made) else stated
    idle = int((~stated & ~ended).sum())
    kept, who = made[stated], who[stated]
    codes, handles = pd.factorize(who)
    kinds = (
        {}
        if frames.members is None
        else dict(zip(frames.members["forecaster"], frames.members["kind"], strict=True))
    )
    is_bot = np.array([str(kinds.get(handle) == "bot") for handle in handles], dtype=object)
    resolutions = dict(
        zip(frames.questions["question_id"], frames.questions["resolution"], strict=True)
    )
    columns = {
        "Question ID": [ids[slug] for slug in kept["question_id"]],
        "Forecaster ID": [str(code + 1) for code in codes],
        "Forecaster Username": who,
        "Is Bot": is_bot[codes] if len(codes) else [],
        "Start Time": _times(kept["made_at"]),
        "End Time": _times(ends[stated]),
        "Forecaster Count": [""] * len(kept),
        **value_columns(kept, outlines, resolutions),
    }
    return columns, list(
        _counted(idle, "withdrawal that ends nothing", "withdrawals that end nothing")
    )


def _scores(frames: Frames, ids: dict[str, str]) -> tuple[dict[str, Iterable[str]], Sequence[str]]:
    """Return the platform's scores as they are computed here, and how many are infinite.

    The platform has none of those, as it refuses forecasts of 0% and 100%.
    """
    found = [
        scoring.score(frames.questions, frames.forecasts, protocol).assign(protocol=name)
        for name, protocol in _PROTOCOLS.items()
    ]
    every = pd.concat(found, ignore_index=True)
    scores = every[np.isfinite(every["score"])]
    codes = pd.factorize(frames.forecasts["forecaster"].astype(str))
    numbers = {handle: str(code + 1) for code, handle in enumerate(codes[1])}
    columns: dict[str, Iterable[str]] = {
        "Question ID": [ids[slug] for slug in scores["question_id"]],
        "User ID": [numbers[handle] for handle in scores["forecaster"]],
        "User Username": scores["forecaster"],
        "Score Type": scores["protocol"],
        "Score": map(repr, scores["score"].tolist()),
        "Coverage": map(repr, scores["coverage"].tolist()),
    }
    return columns, _counted(len(every) - len(scores), "infinite score", "infinite scores")


def _left_out(frames: Frames) -> Iterator[str]:
    """Yield the parts that the format cannot hold, each with its count."""
    questions, forecasts = frames.questions, frames.forecasts
    for column, (one, many) in _NO_PLACE.items():
        yield from _counted(int((questions[column] != "").sum()), one, many)
    yield from _counted(int(questions["ordered"].sum()), "order of options", "orders of options")
    for column, (one, many) in _NO_TIMES.items():
        yield from _counted(int(questions[column].notna().sum()), one, many)
    yield from _counted(int((forecasts["rationale"] != "").sum()), "rationale", "rationales")
    yield from _counted(
        int(forecasts["evidence"].notna().sum()), "forecast's evidence", "forecasts' evidence"
    )
    yield from _counted(len(frames.evidence), "piece of evidence", "pieces of evidence")
    yield from _counted(len(frames.articles), "article", "articles")
    yield from _counted(len(frames.teams), "membership", "memberships")


_NO_PLACE = {
    "unit": ("unit", "units"),
    "background": ("background", "backgrounds"),
    "resolution_criteria": ("resolution criteria", "resolution criteria"),
    "fine_print": ("fine print", "fine prints"),
    "article_url": ("source article", "source articles"),
    "resolution_note": ("note on a resolution", "notes on resolutions"),
    "resolution_source": ("source of a resolution", "sources of resolutions"),
}
_NO_TIMES = {
    "scheduled_resolve_time": ("scheduled resolve time", "scheduled resolve times"),
    "resolved_at": (
        "time at which an outcome was recorded",
        "times at which outcomes were recorded",
    ),
}


def _counted(count: int, one: str, many: str) -> Sequence[str]:
    return [f"{count:,} {one if count == 1 else many}"] if count else []
