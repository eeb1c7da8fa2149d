"""Metaculus-shaped CSVs: question_data, forecast_data and score_data, as that platform exports.

``platforms.metaculus`` reads them back. A question that came from Metaculus has its number there as
"Question ID", unless another question of the export has that; any other question has its slug.
Spot times are written as "CP Reveal Time", at which the platform scores unless told otherwise, and
families as "Post ID". Forecasts by quantiles become CDFs at the numbers of "Continuous Range";
quantiles that lie on those numbers are read back unchanged.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import scoring
from forecasts.common.vocabulary import QuestionType
from forecasts.folder.drafts import drafted
from forecasts.folder.frames import Frames, rows
from forecasts.folder.tables import write_csv
from forecasts.platforms.metaculus import POST_PREFIX, PREFIX
from forecasts.platforms.written import Written, each_counted, omitted
from forecasts.values.distributions import STEPS, grid, outcome_count, spaced, to_cdf
from forecasts.values.outcomes import NOT_SCORED, figure_to_float
from forecasts.values.outline import Outline
from forecasts.values.value import Value

# Each score of the platform with the protocol that computes it here.
_PROTOCOLS = {
    name: f"metaculus_{name}" for name in ("peer", "baseline", "spot_peer", "spot_baseline")
}
_NO_PLACE = (
    *("unit", "background", "resolution_criteria", "fine_print", "article_url", "resolution_note"),
    *("resolution_source", "ordered", "scheduled_resolve_time", "resolved_at"),
    *("rationale", "evidence"),
)
_PERCENTILES = {
    "5th Percentile": 0.05,
    "25th Percentile": 0.25,
    "Median": 0.5,
    "75th Percentile": 0.75,
    "95th Percentile": 0.95,
}
_QUESTIONS = (
    *("Question ID", "Question URL", "Question Title", "Post ID", "Post Curation Status"),
    *("Post Published Time", "Default Project", "Default Project ID", "Categories"),
    *("Leaderboard Tags", "Label", "Question Type", "MC Options (Current)", "MC Options (All)"),
    *("MC Options History", "Lower Bound", "Open Lower Bound", "Upper Bound", "Open Upper Bound"),
    *("Continuous Range", "Open Time", "CP Reveal Time", "Scheduled Close Time"),
    *("Actual Close Time", "Resolution", "Resolution Known Time", "Include Bots in Aggregates"),
    "Question Weight",
)
_FORECASTS = (
    *("Question ID", "Forecaster ID", "Forecaster Username", "Is Bot", "Start Time", "End Time"),
    *("Forecaster Count", "Probability Yes", "Probability Yes Per Category", "Continuous CDF"),
    *("Probability Below Lower Bound", "Probability Above Upper Bound", *_PERCENTILES),
    *("Probability of Resolution", "PDF at Resolution"),
)
_SCORES = ("Question ID", "User ID", "User Username", "Score Type", "Score", "Coverage")
_NUMBER = re.compile(r"(\d{1,18})(?:\.\d+){0,2}")  # see question_names
_README = """\
A forecast ledger in the shape of a Metaculus data export: {questions:,} questions, {forecasts:,}
forecasts. `Question ID` is Metaculus's number for a question that came from there, else the
ledger's ID; forecaster IDs are numbers of this export only. `CP Reveal Time` is the spot time,
`Post ID` the family. `End Time` is the start of the forecaster's next forecast, or a withdrawal.
Scores are as the ledger computes them, with bots among the peers; numbers and dates have none.
Quantiles are CDFs at the numbers of `Continuous Range`, straight lines between them.

Left out: {left_out}.

`forecasts export FOLDER` without a format writes everything, `forecasts import` reads both.
"""


def write(frames: Frames, path: Path, *, overwrite: bool = False) -> Written:
    """Return the files of the folder ``path``, which are written (see ``written``)."""
    outlines = {one.question_id: _outline(one) for one in rows(frames.questions)}
    ids = _file_ids(outlines)
    omissions = omitted(frames, *_NO_PLACE)
    handles = dict.fromkeys(map(str, frames.forecasts["forecaster"]))
    numbers = {handle: str(number) for number, handle in enumerate(handles, 1)}
    posts = _file_ids(frames.questions["family"], POST_PREFIX)
    questions = [
        _question(row, outlines[row.question_id], ids, posts) for row in rows(frames.questions)
    ]
    tables = {
        "question_data.csv": (_QUESTIONS, questions),
        "forecast_data.csv": (_FORECASTS, _forecasts(frames, outlines, ids, numbers, omissions)),
        "score_data.csv": (_SCORES, _scores(frames, ids, numbers, omissions)),
    }
    left_out = each_counted(omissions)
    readme = _README.format(
        questions=len(frames.questions),
        forecasts=len(frames.forecasts),
        left_out=", ".join(left_out) or "nothing",
    )
    with drafted(path, overwrite=overwrite) as draft:
        for name, (header, lines) in tables.items():
            columns = {column: [line.get(column, "") for line in lines] for column in header}
            write_csv(draft / name, [columns])
        (draft / "README.md").write_text(readme, encoding="utf-8")
    return Written([path / name for name in sorted([*tables, "README.md"])], left_out)


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


def _time(at: Any) -> str:
    """Return a time as the platform writes it."""
    return "" if pd.isna(at) else str(at)


def _question(
    row: Any, text: Outline, ids: Mapping[str, str], posts: Mapping[str, str]
) -> dict[str, str]:
    options = "" if row.options is None else repr(list(row.options))
    return {
        "Question ID": ids[row.question_id],
        "Question Title": row.title,
        "Post ID": posts[row.family],
        "Post Curation Status": "approved",
        "Categories": repr(list(row.tags or ())),
        "Leaderboard Tags": "[]",
        # A question with a label is one of a group; the title is one that changes nothing.
        "Label": row.title if row.family else "",
        "MC Options (Current)": options,
        "MC Options (All)": options,
        **_bounds(text),
        "Open Time": _time(row.open_time),
        "CP Reveal Time": _time(row.spot_time),
        "Scheduled Close Time": _time(row.scheduled_close_time),
        "Actual Close Time": _time(row.actual_close_time),
        "Resolution": row.resolution,
        "Resolution Known Time": _time(row.known_at),
        # Peers here are all forecasters, bots too.
        "Include Bots in Aggregates": "True",
        "Question Weight": "1.0",
    }


def _forecasts(
    frames: Frames,
    outlines: Mapping[str, Outline],
    ids: Mapping[str, str],
    numbers: Mapping[str, str],
    omissions: Counter[str],
) -> list[dict[str, str]]:
    """Return the rows of forecast_data.csv.

    A forecast ends when its forecaster's next one on the question starts, or is withdrawn.
    """
    outcomes = {row.question_id: row.resolution for row in rows(frames.questions)}
    members = [] if frames.members is None else rows(frames.members)
    bots = {row.forecaster for row in members if row.kind == "bot"}
    groups: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows(frames.forecasts):
        groups[row.question_id, row.forecaster].append(row)
    found = []
    for (slug, handle), some in groups.items():
        some.sort(key=attrgetter("made_at"))
        made = [(row, _value(row, outlines[slug], outcomes[slug])) for row in some]
        before: dict[str, str] = {}
        for (row, cells), following in zip_longest(made, made[1:]):
            omissions["withdrawal{s} without a forecast"] += not cells and not before
            before = cells
            if cells:
                found.append(
                    {
                        "Question ID": ids[slug],
                        "Forecaster ID": numbers[handle],
                        "Forecaster Username": handle,
                        "Is Bot": str(handle in bots),
                        "Start Time": _time(row.made_at),
                        "End Time": "" if following is None else _time(following[0].made_at),
                        **cells,
                    }
                )
    return found


def _scores(
    frames: Frames, ids: Mapping[str, str], numbers: Mapping[str, str], omissions: Counter[str]
) -> list[dict[str, str]]:
    """Return the platform's scores as they are computed here, but for infinite ones.

    The platform has none of those, as it refuses forecasts of 0% and 100%.
    """
    found = []
    for name, protocol in _PROTOCOLS.items():
        for row in rows(scoring.score(frames.questions, frames.forecasts, protocol)):
            omissions["infinite score{s}"] += math.isinf(row.score)
            if math.isfinite(row.score):
                whose = (ids[row.question_id], numbers[row.forecaster], row.forecaster, name)
                cells = (*whose, repr(row.score), repr(row.coverage))
                found.append(dict(zip(_SCORES, cells, strict=True)))
    return found


def _outline(question: Any) -> Outline:
    """Return a row of the questions frame with the fields that its values depend on."""
    return Outline(
        type=QuestionType(question.type),
        options=question.options,
        lower_bound=question.lower_bound or None,
        upper_bound=question.upper_bound or None,
    )


def _bounds(text: Outline) -> dict[str, str]:
    """Return a question's type, its bounds, and the 201 numbers between them."""
    is_open = str(text.is_quantitative)  # every bound of a ledger is open
    cells = dict.fromkeys(("Open Lower Bound", "Open Upper Bound"), is_open)
    if not text.is_quantitative:
        return cells | {"Question Type": str(text.type)}
    points = spaced(text, STEPS + 1).tolist()
    if text.type == QuestionType.date:
        points = [_day(number) for number in points]
    return cells | {
        "Question Type": "discrete" if outcome_count(text) else str(text.type),
        "Lower Bound": text.lower_bound or "",
        "Upper Bound": text.upper_bound or "",
        "Continuous Range": repr(points),
    }


def _value(row: Any, text: Outline, outcome: str) -> dict[str, str]:
    """Return the cells of a forecast's value and of its outcome's probability; {} without one."""
    pmf: list[float]
    if pd.isna(row.probability) and row.probabilities is None and row.quantiles is None:
        return {}
    if text.type == QuestionType.binary:
        cells = {"Probability Yes": repr(float(row.probability))}
        pmf = [1 - row.probability, row.probability]
    elif text.type == QuestionType.multiple_choice:
        vector = Value(probabilities=tuple(row.probabilities)).over(text.options).probabilities
        cells = {"Probability Yes Per Category": repr(list(vector or ()))}
        pmf = [np.nan if p is None else p for p in vector or ()]
    else:
        cdf = to_cdf(Value(quantiles=row.quantiles), text)
        cells = _curve(cdf, text)
        pmf = [cdf[0], *np.diff(cdf).tolist(), 1 - cdf[-1]]
    return cells | _at_resolution(pmf, outcome, text)


def _curve(cdf: Sequence[float], text: Outline) -> dict[str, str]:
    """Return a CDF with the probabilities outside the bounds and its percentiles."""
    at = grid(text)
    below, above = round(cdf[0], 10), round(1 - cdf[-1], 10)
    percentiles = {name: float(np.interp(level, cdf, at)) for name, level in _PERCENTILES.items()}
    return {
        "Continuous CDF": repr(list(cdf)),
        "Probability Below Lower Bound": repr(below),
        "Probability Above Upper Bound": repr(above),
        **{
            name: _day(number) if text.type == QuestionType.date else repr(number)
            for name, number in percentiles.items()
        },
    }


def _at_resolution(pmf: Sequence[float], outcome: str, text: Outline) -> dict[str, str]:
    """Return the probability of the outcome, and the density of a number or date there."""
    place = _place(pmf, outcome, text)
    if place is None:
        return {}
    p = pmf[-1] if np.isnan(pmf[place]) else pmf[place]
    cells = {"Probability of Resolution": repr(float(p))}
    if text.is_quantitative:
        cells["PDF at Resolution"] = repr(float(p * (len(pmf) - 2)))
    return cells


def _place(pmf: Sequence[float], outcome: str, text: Outline) -> int | None:
    """Return the outcome's place in the probabilities; None without one, or between no and yes."""
    if not outcome or outcome in NOT_SCORED:
        return None
    if text.type == QuestionType.binary:
        return {"no": 0, "yes": 1}.get(outcome)
    if text.type == QuestionType.multiple_choice:
        return (text.options or []).index(outcome)
    beyond = {"below_lower_bound": 0, "above_upper_bound": len(pmf) - 1}
    if outcome in beyond:
        return beyond[outcome]
    # A number on the border of two steps belongs to the lower one, the lower bound to the first.
    at, number = grid(text), figure_to_float(outcome, text.type)
    if number == at[0]:
        return 1
    return int(np.searchsorted(at, number, side="left"))


def _day(number: float) -> str:
    return datetime.fromtimestamp(number, UTC).strftime("%Y-%m-%d")
