"""Simulated tournaments of any size, written as parts.

``scoring.simulation.bulk`` describes the model. A part is made alone, by any process, in memory for
its own forecasts; the tournament is the same whatever the number of parts and of processes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecasts.common.errors import BadInput
from forecasts.parts import folder as parts_folder
from forecasts.parts.execution import cores, explained, finished
from forecasts.parts.files import part_file, parts_of
from forecasts.parts.folder import PartFile, Parts
from scoring.arrays import Flags, Ints
from scoring.errors import require
from scoring.simulation import bulk as model
from scoring.simulation.bulk import Asked, BulkTournament, Made
from scoring.simulation.titles import numeric_title, title_and_subject

PART = 1 << 20  # about the forecasts of a part, by default
_LEAST = 100_000  # forecasts in a part that is made only so that each core has one


def usual_parts(updates: int) -> int:
    """Return the number of parts for this many forecasts: one for about each million.

    There is at least one part per core, if each then has enough forecasts.

    >>> usual_parts(10**9)
    954
    """
    each_core = min(cores(), updates // _LEAST)
    return min(max(round(updates / PART), each_core, 1), parts_folder.MOST_PARTS)


def simulate(
    folder: Path,
    settings: BulkTournament,
    executor: Executor,
    *,
    parts: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Parts:
    """Return the folder of parts of a simulated tournament, which is written.

    ``executor``: any of ``concurrent.futures``, see ``execution``; its workers must reach the
    folder by the same path. ``parts``: how many, by default ``usual_parts``.
    ``progress`` is called with the forecasts made so far, and with about how many there will be.
    Refused if the folder has content, or if no forecast would be made; after an error nothing is
    left.
    """
    count = parts or usual_parts(settings.updates)
    rule = f"must be 1 to {parts_folder.MOST_PARTS:,}"
    require("parts", count, 1 <= count <= parts_folder.MOST_PARTS, rule)
    with parts_folder.new_folder(folder.resolve()) as draft:
        files = parts_folder.write_whole(draft, "teams", _teams(settings))
        items = list(enumerate(_divided(settings, count)))
        rows = 0
        with closing(finished(partial(_make_part, draft, settings), items, executor)) as ended:
            for (part, _), made in ended:
                try:
                    files |= made.result()
                except OSError:
                    raise  # from `new_folder`, which explains it
                except Exception as error:
                    raise explained(error) from error
                rows += files[part_file("forecasts", part)].rows
                progress(rows, max(settings.updates, rows))
        if not rows:
            raise BadInput(
                f"About {settings.updates:,} forecasts on {settings.questions:,} questions are too "
                "few: none was made.",
                remedy="Ask for more forecasts, or for fewer questions.",
            )
        source = hashlib.sha256(repr(settings).encode()).hexdigest()
        parts_folder.write_manifest(draft, count, files, source=source)
    return parts_folder.open_parts(folder)


@lru_cache(maxsize=1)
def _shared(settings: BulkTournament) -> BulkTournament:
    """Return these settings, the same object for all parts, so that its arrays are made once."""
    return settings


def _make_part(
    folder: Path, settings: BulkTournament, item: tuple[int, Ints]
) -> dict[str, PartFile]:
    """Return the files of one part, given its number and its questions', which are written."""
    part, numbers = item
    settings = _shared(settings)
    asked = model.asked(settings, numbers)
    named = _named(settings, _forecasts(asked, model.made(settings, asked)), numbers)
    write, questions = parts_folder.write_table, _table(_questions(settings, asked))
    asked_file = write(folder, part_file("questions", part), [questions])
    return asked_file | write(folder, part_file("forecasts", part), [named])


def question_ids(settings: BulkTournament, numbers: Ints) -> pd.Index:
    """Return the ids of the questions with these numbers, which sort like them."""
    return _numbered("simulated-", numbers, settings.questions, 3)


def forecaster_names(settings: BulkTournament, numbers: Ints) -> pd.Index:
    """Return the names of the forecasters with these numbers, which sort like them."""
    return _numbered("Simulated forecaster ", numbers, settings.forecasters)


def _teams(settings: BulkTournament) -> pd.DataFrame:
    """Return the teams: every forecaster is in one, from the tournament's first day."""
    numbers = np.arange(settings.forecasters if settings.teams else 0)
    teams = _numbered("Simulated team ", np.arange(settings.teams), settings.teams)
    return pd.DataFrame(
        {
            "team": teams.take(numbers % max(settings.teams, 1)),
            "forecaster": forecaster_names(settings, numbers),
            "joined_at": pd.Timestamp(model.FIRST_OPEN, unit="s", tz="UTC").as_unit("us"),
        }
    )


def _numbered(prefix: str, numbers: Ints, most: int, least: int = 1) -> pd.Index:
    width = max(len(str(most)), least)
    return pd.Index([f"{prefix}{number:0{width}d}" for number in (numbers + 1).tolist()], dtype=str)


def _divided(settings: BulkTournament, parts: int) -> Iterator[Ints]:
    """Yield the numbers of the questions of each part."""
    part = np.empty(settings.questions, dtype=np.int32)
    for start in range(0, len(part), PART):
        ids = question_ids(settings, np.arange(start, min(start + PART, len(part))))
        part[start : start + len(ids)] = parts_of(ids, parts)
    order = np.argsort(part, kind="stable")
    yield from np.split(order, np.cumsum(np.bincount(part, minlength=parts))[:-1])


def _questions(settings: BulkTournament, asked: Asked) -> dict[str, Any]:
    """Return the columns of the questions, JSON as text."""
    numbers, families = (asked.number + 1).tolist(), asked.family.tolist()
    named = [title_and_subject(*each) for each in zip(numbers, families, asked.place, strict=True)]
    numeric, several = asked.kind == model.NUMERIC, asked.kind == model.MULTIPLE_CHOICE
    titles = np.array([title for title, _ in named], dtype=object)
    for row in np.flatnonzero(numeric).tolist():
        titles[row] = numeric_title(numbers[row], families[row])
    options = np.array([f"outcome {number}" for number in range(1, model.OPTIONS + 1)])
    drawn = np.round(model.quantity(asked.latent), 2).astype(str)
    known = _times(asked.close_s)
    return {
        "question_id": question_ids(settings, asked.number),
        "title": titles,
        "type": np.select([numeric, several], ["numeric", "multiple_choice"], "binary"),
        "options": _only(several, json.dumps(options.tolist())),
        "lower_bound": _only(numeric, f"{model.LOWER:g}"),
        "upper_bound": _only(numeric, f"{model.UPPER:g}"),
        "unit": _only(numeric, "points"),
        "open_time": _times(asked.open_s),
        "scheduled_close_time": _times(asked.scheduled_s),
        "actual_close_time": _only(asked.early, known),
        "scheduled_resolve_time": _times(asked.scheduled_s + model.DAY_S),
        "resolution": np.select(
            [numeric, several],
            [drawn, options[np.searchsorted(model.CUTS, asked.latent)]],
            np.where(asked.latent > 0, "yes", "no"),
        ),
        "known_at": known,
        "resolved_at": _times(asked.close_s + 6 * 3600),
        "family": [f"simulated-family-{family + 1:03d}" for family in families],
        "tags": [f'["simulated", "{subject}"]' for _, subject in named],
        "background": ["A question of a simulated tournament; the place is invented."] * len(named),
        "resolution_criteria": ["The simulation draws the outcome; there is nothing to look up."]
        * len(named),
    }


def _forecasts(asked: Asked, made: Made) -> Any:
    """Return the forecasts with numbers as ids: places among the part's questions, forecasters."""
    kind = np.where(made.withdrawn, -1, asked.kind[made.question])
    columns: dict[str, Any] = {
        "question_id": made.question.astype(np.int32),
        "forecaster": made.forecaster,
        "made_at": _times(made.made_s),
        "probability": pa.array(made.probability, mask=kind != model.BINARY),
    }
    for name, of, texts in (
        ("probabilities", model.MULTIPLE_CHOICE, _vectors),
        ("quantiles", model.NUMERIC, _quantiles),
    ):
        if (given := kind == of).any():
            columns[name] = pc.replace_with_mask(
                pa.nulls(len(made), pa.string()), pa.array(given), texts(made.take(given))
            )
    return _table(columns)


def _named(settings: BulkTournament, forecasts: Any, numbers: Ints) -> Any:
    """Return the forecasts of a part with names as ids; ``numbers`` are those of its questions."""
    forecaster = forecasts["forecaster"].to_numpy()
    present = np.flatnonzero(np.bincount(forecaster, minlength=settings.forecasters))
    place = np.zeros(settings.forecasters, dtype=np.int32)
    place[present] = np.arange(len(present))
    for name, codes, ids in (
        ("question_id", forecasts["question_id"].to_numpy(), question_ids(settings, numbers)),
        ("forecaster", place[forecaster], forecaster_names(settings, present)),
    ):
        column = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(ids, pa.string()))
        at = forecasts.schema.get_field_index(name)
        forecasts = forecasts.set_column(at, name, column)
    return forecasts


def _table(columns: dict[str, Any]) -> Any:
    return pa.table({name: pa.array(one, from_pandas=True) for name, one in columns.items()})


def _vectors(made: Made) -> Any:
    """Return vectors as JSON, in millionths that sum to one."""
    parts = np.maximum(np.rint(made.probabilities * 1e6), 1)
    row, most = np.arange(len(parts)), parts.argmax(axis=1)
    parts[row, most] += 1e6 - parts.sum(axis=1)
    each = [pa.array(column).cast(pa.string()) for column in (parts / 1e6).T]
    separated = [text for column in each for text in (", ", column)][1:]
    return pc.binary_join_element_wise("[", *separated, "]", "")


def _quantiles(made: Made) -> Any:
    """Return quantiles as JSON objects of level: value."""
    pieces: list[Any] = []
    for level, column in zip(model.LEVELS, np.round(made.quantiles, 2).T, strict=True):
        pieces += [f'{", " if pieces else "{"}"{level:g}": ', pa.array(column).cast(pa.string())]
    return pc.binary_join_element_wise(*pieces, "}", "")


def _only(here: Flags, value: Any) -> Any:
    """Return the value where it applies, and blanks elsewhere."""
    return pc.if_else(pa.array(here), value, None)


def _times(seconds: Ints) -> Any:
    return pa.array(seconds * 1_000_000).cast(pa.timestamp("us", "UTC"))
