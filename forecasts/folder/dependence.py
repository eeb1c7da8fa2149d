"""Groups, conditions and links in a ledger folder: their rules, and the families they imply."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
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


def foreseen(questions: pd.DataFrame, links: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which links were made before the first of their questions closed.

    Or before its outcome was known, if that was earlier. A close that had passed counts although it
    was moved since. A later link may know the outcome: it is shown, but joins no family and enters
    no price, or its author could choose, by the outcomes, the questions that count once. A link
    without a time was made before.
    """
    times = ["scheduled_close_time", "actual_close_time", "known_at", "resolved_at"]
    asked = questions.set_index("question_id")
    end = asked[times].min(axis=1)
    moved = asked["earlier_closes"].dropna()
    for question, replaced in zip(moved.index.tolist(), moved, strict=True):
        every = [(pd.Timestamp(at), pd.Timestamp(close)) for at, close in replaced.items()]
        # A close that had passed before it was replaced.
        end[question] = min([end[question], *(close for at, close in every if close <= at)])
    late = np.zeros(len(links), dtype=np.bool_)
    for side in ("question_id", "other_id"):
        late |= (links["made_at"] >= links[side].map(end)).to_numpy()
    return ~late


def joined(
    questions: pd.DataFrame, links: pd.DataFrame, pairs: Iterable[tuple[str, str]] = ()
) -> pd.DataFrame:
    """Return the questions with those of each certain link, and of each pair, in one family.

    With them, their families. Of ``links``, those count that say which outcomes two questions can
    have together: then one outcome says something about the other, as within a group. Weaker ones
    are a judgement that anyone who forecasts may state, and causes bind no outcome: with them, a
    record could be taken apart into too few families to tell. Those linked by hand have a family.
    And those count that were made before the first of the two closed (``foreseen``).
    """
    sure = (links["strength"] == LinkStrength.certain) & (links["kind"] != LinkKind.causes)
    if sure.any():
        sure &= foreseen(questions, links)
    named = [*zip(links["question_id"][sure], links["other_id"][sure], strict=True), *sorted(pairs)]
    ids = pd.Index(questions["question_id"])
    ends = ids.get_indexer([slug for pair in named for slug in pair]).reshape(-1, 2)
    ends = ends[(ends >= 0).all(axis=1)]
    if not len(ends):
        return questions
    # Lazy: it is slow to import, and few commands need it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    family = questions["family"].to_numpy(dtype=object)
    code, of_name = pd.factorize(pd.Series(family).where(family != ""))
    known, size = np.flatnonzero(code >= 0), len(ids) + len(of_name)
    row, column = np.append(ends[:, 0], known), np.append(ends[:, 1], len(ids) + code[known])
    graph = coo_array((np.ones(len(row)), (row, column)), shape=(size, size))
    component = connected_components(graph, directed=False)[1][: len(ids)]
    together = np.isin(component, component[ends])
    own = pd.DataFrame({"of": component, "family": family, "id": ids.to_numpy(dtype=object)})
    own = own[together].sort_values("id")
    first = own[own["family"] != ""].drop_duplicates("of").set_index("of")["family"]
    name = own["of"].map(first)
    alone = "linked with " + own["of"].map(own.drop_duplicates("of").set_index("of")["id"])
    found = family.copy()
    found[own.index] = name.where(name.notna(), alone)
    return questions.assign(family=pd.Series(found, index=questions.index, dtype="str"))
