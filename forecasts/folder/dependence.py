"""Groups, conditions and links in a ledger folder: their rules, and the families they imply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from forecasts.common.errors import LedgerError
from forecasts.common.vocabulary import GroupKind, LinkKind, LinkStrength, QuestionType
from forecasts.folder.frames import rows
from forecasts.folder.tables import Table
from forecasts.values.dependence import holds, read_condition
from forecasts.values.outcomes import NOT_SCORED
from forecasts.values.outline import Outline

_OF_GROUP = ("group_kind", "group_title", "group_label")


def check_dependence(tables: Mapping[str, Table], frames: Mapping[str, pd.DataFrame]) -> None:
    """Note in the tables the rules that groups, conditions and links break.

    Blank cells are filled in: the kind independent, labels, places, the strength strong, and the
    family of a question that has a group or a condition.
    """
    questions = frames["questions"]
    if (questions["group"] != "").any() or any(questions[name].any() for name in _OF_GROUP):
        _check_groups(tables["questions"], questions)
    if questions["condition"].notna().any():
        _check_conditions(tables["questions"], questions)
    _check_links(tables["links"], frames["links"], set(questions["question_id"]))


def _check_groups(table: Table, questions: pd.DataFrame) -> None:
    first: dict[str, Any] = {}
    places: dict[str, int] = {}
    filled: dict[str, list[Any]] = {name: [] for name in ("family", *_OF_GROUP, "group_place")}
    for number, row in enumerate(rows(questions)):
        wrong, given = partial(table.wrong, number), row._asdict()
        if not row.group:
            for name in _OF_GROUP:
                if given[name]:
                    wrong(name, given[name], "blank without a group")
            for name, cells in filled.items():
                cells.append(given[name])
            continue
        kind = row.group_kind or GroupKind.independent
        leader = first.setdefault(row.group, row)
        places[row.group] = places.get(row.group, 0) + 1
        if kind not in set(GroupKind):
            wrong("group_kind", kind, "one of " + ", ".join(GroupKind))
        elif kind != GroupKind.independent and row.type not in ("", QuestionType.binary):
            wrong("group_kind", kind, "independent, or all of the group binary")
        for name in ("group_kind", "group_title"):
            if given[name] != getattr(leader, name):
                wrong(name, given[name], "the same for all questions of a group")
        place = row.group_place
        filled["family"].append(row.family or row.group)
        filled["group_kind"].append(str(kind))
        filled["group_title"].append(row.group_title or row.group)
        filled["group_label"].append(row.group_label or row.title)
        filled["group_place"].append(float(places[row.group]) if place != place else place)
    for name, cells in filled.items():
        dtype: Any = float if name == "group_place" else str
        questions[name] = pd.Series(cells, dtype=dtype)


def _check_conditions(table: Table, questions: pd.DataFrame) -> None:
    asked = {row.question_id: row for row in rows(questions)}
    parents: dict[str, str] = {}
    read: list[Any] = []
    for number, row in enumerate(rows(questions)):
        read.append(None)
        if row.condition is None:
            continue
        wrong = partial(table.wrong, number, "condition", json.dumps(row.condition))
        parent, outcome = _named(row.condition)
        if parent not in asked or not isinstance(outcome, str):
            wrong('{"question", "outcome"}, of a question of this folder')
            continue
        above = asked[parent]
        outline = _outline(above)
        if outline is None:
            continue  # noted already
        try:
            condition = read_condition(outcome, outline)
            is_dead = above.resolution != "" and not holds(condition, outline, above.resolution)
        except LedgerError as error:
            wrong(error.remedy)
            continue
        except ValueError:
            continue  # the parent's outcome is noted already
        parents[row.question_id] = parent
        read[-1] = {"question": parent, "outcome": condition}
        if is_dead and row.resolution not in ("", NOT_SCORED[0]):
            rule = f"blank or {NOT_SCORED[0]}, since its condition does not hold"
            table.wrong(number, "resolution", row.resolution, rule)
    families = dict(zip(questions["question_id"], questions["family"], strict=True))
    for number, slug in enumerate(questions["question_id"].tolist()):
        path = [slug]
        while path[-1] in parents and len(path) <= len(parents) + 1:
            path.append(parents[path[-1]])
        if len(path) > len(parents) + 1:
            rule = "not of a question that is asked under this one"
            table.wrong(number, "condition", slug, rule)
        elif len(path) > 1:
            root = families[path[-1]] or path[-1]
            for one in path:
                families[one] = families[one] or root
    questions["condition"] = pd.Series(read, dtype=object)
    questions["family"] = pd.Series(list(families.values()), dtype=str)


def _named(condition: Any) -> tuple[Any, Any]:
    if not isinstance(condition, dict) or set(condition) != {"question", "outcome"}:
        return None, None
    return condition["question"], condition["outcome"]


def _outline(row: Any) -> Outline | None:
    try:
        return Outline(
            type=QuestionType(row.type or "binary"),
            options=row.options,
            lower_bound=row.lower_bound or None,
            upper_bound=row.upper_bound or None,
        )
    except ValueError:
        return None


def _check_links(table: Table, links: pd.DataFrame, questions: set[str]) -> None:
    links["strength"] = links["strength"].where(links["strength"] != "", LinkStrength.strong.value)
    for number, row in enumerate(rows(links)):
        wrong = partial(table.wrong, number)
        if row.kind not in set(LinkKind):
            wrong("kind", row.kind, "one of " + ", ".join(LinkKind))
        if row.strength not in set(LinkStrength):
            wrong("strength", row.strength, "one of " + ", ".join(LinkStrength))
        if row.question_id == row.other_id:
            wrong("other_id", row.other_id, "another question")
        for name in ("question_id", "other_id"):
            if questions and getattr(row, name) not in questions:  # without any: links alone
                wrong(name, getattr(row, name), "a question of this folder")
