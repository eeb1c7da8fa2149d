"""Files of other platforms, written by hand for the tests and read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from forecasts.common.errors import BadInput
from forecasts.platforms.formats import FORMATS, recognised
from forecasts.platforms.record import Choices, PlatformRecord, check_record
from forecasts.platforms.source import opened
from tests.remarks import notes_of


def read(path: Path, text: str | bytes, *, format_: str, **choices: Any) -> PlatformRecord:
    """Return what a file with this text holds; it is recognised, and a ledger's rules hold."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return parsed(path, format_=format_, **choices)


def parsed(path: Path, *, format_: str, **choices: Any) -> PlatformRecord:
    """Return what a file holds (see ``read``)."""
    with opened(path) as source:
        assert recognised(source)[0] == format_
        record = FORMATS[format_].read(source, Choices(**{"owner": "alice"} | choices))
        check_record(record.frames)
    return record


def from_json(
    path: Path, format_: str, *, aggregates: bool = False, **files: Any
) -> PlatformRecord:
    """Return the record of JSON files of these names; a ledger's rules hold."""
    folder = path / "files"
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return parsed(folder, format_=format_, owner="anna", aggregates=aggregates)


def as_sheet(path: Path, columns: dict[str, str]) -> PlatformRecord:
    """Return a sheet whose names say too little to recognise it."""
    with opened(path) as source:
        record = FORMATS["pairs"].read(source, Choices(owner="alice", columns=columns))
        check_record(record.frames)
    return record


def refused(path: Path, text: str | bytes, *, format_: str, **choices: Any) -> BadInput:
    """Return the error of reading a file with this text."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    reading, chosen = FORMATS[format_].read, Choices(**{"owner": "alice"} | choices)
    with pytest.raises(BadInput) as caught, opened(path) as source:
        check_record(reading(source, chosen).frames)
    return caught.value


@contextmanager
def refused_at(place: str, rule: str) -> Iterator[None]:
    """Require that a file is refused, and the place and words of the rule of its first problem."""
    with pytest.raises(BadInput) as caught:
        yield
    first = caught.value.problems[0]
    assert first.place == place
    assert rule in first.rule


def places(error: BadInput) -> list[tuple[str, str]]:
    """Return the place and the value of each problem."""
    return [(one.place, one.value) for one in error.problems]


def table(*rows: dict[str, str]) -> str:
    """Return rows as CSV, in the order of the first one's columns."""
    lines = [",".join(rows[0])]
    lines += [",".join(_cell(row[name]) for name in rows[0]) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text


def facts(record: PlatformRecord) -> dict[str, Any]:
    """Return what a record holds, its times to the minute."""
    asked, made = record.frames.questions, record.frames.forecasts

    def cells(frame: Any, name: str) -> list[Any]:
        return [] if frame is None else list(frame[name])

    def times(column: Any) -> list[str]:
        return ["" if at != at else at.isoformat(" ")[:16] for at in column]

    return {
        "id": asked["question_id"].tolist(),
        "titles": asked["title"].tolist(),
        "types": asked["type"].tolist(),
        "options": asked["options"].tolist(),
        "bounds": list(zip(asked["lower_bound"], asked["upper_bound"], strict=True)),
        "outcomes": asked["resolution"].tolist(),
        "opens": times(asked["open_time"]),
        "closes": times(asked["scheduled_close_time"]),
        "ends": times(asked["actual_close_time"]),
        "resolved": times(asked["resolved_at"]),
        "families": asked["family"].tolist(),
        "tags": asked["tags"].tolist(),
        "background": asked["background"].tolist(),
        "urls": record.origins["url"].tolist(),
        "who": made["forecaster"].tolist(),
        "p": made["probability"].round(12).tolist(),
        "vectors": made["probabilities"].tolist(),
        "quantiles": made["quantiles"].tolist(),
        "made": times(made["made_at"]),
        "rationales": made["rationale"].tolist(),
        "printed": record.printed[["forecaster", "name", "score"]].values.tolist(),
        "left out": [(one.place.partition(", ")[2], one.reason) for one in record.left_out],
        "left": [one.value for one in record.left_out],
        "account": record.account,
        "kinds": cells(record.frames.members, "kind"),
        **{name: cells(record.frames.models, name) for name in ("model", "version", "cost")},
    }


def require(record: PlatformRecord, expected: dict[str, Any]) -> None:
    """Check facts of a record, by their names or by those of columns.

    "note": words of one of its notes, "no note": of none.
    """
    notes = notes_of(record)
    found = {**record.frames.forecasts, **record.frames.questions}
    found = {name: column.tolist() for name, column in found.items()} | facts(record)
    assert not [one for one in notes if expected.get("no note", "\0") in one]
    assert any(expected.get("note", "") in one for one in ["", *notes]), notes
    wanted = {name: fact for name, fact in expected.items() if name not in ("note", "no note")}
    assert {name: found[name] for name in wanted} == wanted
