"""Build a comparison: ledger frames in, ``Comparison`` out."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import partial
from itertools import combinations
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

import scoring
from forecasts.common.errors import BadInput, Remedy
from forecasts.common.times import utc
from forecasts.folder.frames import Frames
from forecasts.folder.frames import rows as rows_of
from forecasts.reports.cohort import as_scheduled, counted, made_in_time
from forecasts.reports.comparison import coherence, wording
from forecasts.reports.comparison.abstention import Silence, checked, silences
from forecasts.reports.comparison.comparison import (
    About,
    Comparison,
    EvidenceStep,
    Imputed,
    MurphyDifference,
    Of,
    Pair,
    Side,
    Skill,
    Watched,
)
from forecasts.reports.comparison.pairwise import (
    OUTSIDE,
    THRESHOLDS,
    Alone,
    Key,
    Losses,
    Pairwise,
    alone,
    bot_models,
    filled,
    pairwise,
)
from forecasts.reports.digest import sha256
from forecasts.reports.groups import listed
from forecasts.reports.member_scores import on
from forecasts.reports.report import By, Provenance
from forecasts.reports.rows import Rows
from forecasts.reports.scope import Scope, numbered, scope_of
from forecasts.reports.selection import ALL, Choice
from forecasts.reports.skills import adjusted_scores
from scoring import comparison as compared
from scoring.comparison import NEVER_TOGETHER
from scoring.e_processes import ENOUGH, bets_needed, by_family, possibly_best
from scoring.murphy_curves import difference_curve
from scoring.shrinkage import FEWEST_TO_SHRINK

BY: dict[Of, By] = {
    "teams": "team",
    "forecasters": "forecaster",
    "kinds": "kind",
    "models": "model",
}


def build(
    frames: Frames,
    *,
    between: Sequence[str],
    of: Of = "teams",
    choice: Choice = ALL,
    as_of: datetime,
    alike: bool = False,
) -> Comparison:
    """Return the comparison of these teams, forecasters, kinds or models, pair by pair.

    ``between`` has two names or more, or none for all kinds or all models; BadInput lists the names
    there are if one is unknown.
    ``choice`` selects questions, as of ``as_of``, and forecasts. ``alike`` makes the claims about
    people like the members, with larger errors.
    """
    due = as_scheduled(frames, choice, as_of)
    every = replace(frames, questions=due.questions)
    scope = scope_of(every, by=BY[of], names=between, choice=choice, as_of=as_of)
    require_two(scope.wanted, between, of)
    in_time = numbered(made_in_time(due, choice))
    rows = Rows(in_time, scope, alone=True)
    models = bot_models(in_time, rows.entries)
    tables = pairwise(rows, of=of, alike=alike, models=models)
    return comparison(
        scope,
        tables,
        partial(filled, rows),
        members(rows),
        {name: alone(rows, name) for name in scope.wanted},
        coherence.prices(rows),
        of=of,
        alike=alike,
        bots=wording.bots(models, alike=alike),
        digest=sha256(frames, scope.by),
        provenance=rows.provenance(rows.scores["question"].unique()),
    )


def require_two(wanted: Sequence[str], between: Sequence[str], of: Of) -> None:
    """Raise BadInput unless ``wanted`` has two or more: the names in ``between``, or else all.

    Teams and forecasters must be named; without names, BadInput lists them.
    """
    if of == "teams" and not wanted:
        raise BadInput("There are no teams to compare.", remedy="Compare forecasters instead.")
    if len(wanted) < 2 or (not between and of in ("teams", "forecasters")):
        names = f" Choose from: {listed(wanted)}." if wanted and not between else ""
        raise BadInput(
            f"A comparison takes two or more {of}, got {len(set(between))}.",
            remedy=(Remedy("Name them: {}.", "", between="NAME"), names),
        )


def members(rows: Rows) -> dict[str, set[Hashable]]:
    """Return the members of each group with a forecast that counts.

    The same key is in two groups for someone with a forecast that counts in both, which takes more
    than a stay in both.
    """
    entries, live = rows.entries, rows.live
    row = on(rows.scope.counting, entries)["row"].to_numpy()
    made = pd.DataFrame(
        {
            "member": live["forecaster"].to_numpy(np.intp),
            "row": row[live["forecast"].to_numpy(np.intp)],
        }
    ).drop_duplicates()
    in_both = set(made.loc[made["row"].duplicated(keep=False), "member"])
    found: dict[str, set[Hashable]] = {name: set() for name in rows.scope.wanted}
    for member in made["member"].unique():
        who, name = entries.forecaster[member], entries.group[member]
        found[name].add(who if member in in_both else (who, name))
    return found


def _family(scope: Scope) -> pd.Series:
    """Return the cluster of every question, by its number."""
    return pd.Series(scope.all_families, index=scope.questions["question_id"])


def _placed(table: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Return a table with the positions of its questions among those that count."""
    place = pd.Index(scope.counting["question_id"]).get_indexer(pd.Index(table["question_id"]))
    return table.assign(question=place)


def comparison(
    scope: Scope,
    tables: Pairwise,
    filled: Callable[[], pd.DataFrame],
    members: dict[str, set[Hashable]],
    each: Mapping[str, Alone],
    prices: pd.DataFrame,
    *,
    of: Of,
    alike: bool,
    bots: str,
    digest: str,
    provenance: Provenance | None = None,
) -> Comparison:
    """Return the comparison from its tables, and each side alone.

    ``filled`` returns ``pairwise.filled``; it is called if one side was clearly more silent.
    ``prices``: those of all sides, from ``coherence.prices``.
    """
    choice, questions, reason = scope.choice, scope.questions, scope.reason
    family, differences = _family(scope), tables.differences
    found = scoring.compare(
        differences, members, family, tables.people, scope.counting, tables.waiting
    )
    silent: dict[str, Silence] = {}
    if len(tables.present) > 1:
        silent = silences(scope.counting, _placed(tables.spoken, scope), scope.wanted, choice.lead)
    found, imputed = checked(found, silent, partial(_with_moments, filled, tables), members, family)
    # A family is over with the last of its questions, also if nobody here forecast that one.
    of_each = scope.all_families
    over = questions["scheduled_close_time"].groupby(of_each).max()
    awaited = over[np.unique(of_each[np.isin(reason, wording.TO_COME)])].min()
    began = questions["open_time"].groupby(of_each).min()
    family_names = dict(zip(family.astype(str), questions["family"], strict=True))
    watched, watched_by_family, best = _watched_pairs(
        found.pairs, differences, family, began, over, awaited
    )
    many = sum(pair.comparable for pair in found.pairs)
    curves = len(differences[["a", "b"]].drop_duplicates())
    firm = [(pair.a, pair.b) for pair in found.pairs if pair.comparable and not pair.rare]
    losses = _murphy_differences(_in_order(tables.losses, firm), family, curves)
    apart = {
        key: dict(part.groupby("reason")["questions"].sum())
        for key, part in tables.apart.groupby(["a", "b"])
    }
    dearer = coherence.differences(prices, members, family)
    pairs = tuple(
        pair_of(
            pair,
            choice,
            many,
            apart=apart.get(key, {}),
            dominant=pair.dominant
            and replace(pair.dominant, family=family_names[pair.dominant.family]),
            imputed=_imputed(imputed.get(key)),
            shared_time=None if choice.lead else pair.shared_time,
            murphy=losses.get(key, ()),
            coherence=dearer.get(key),
            watched=watched.get(key),
            watched_by_family=watched_by_family.get(key),
        )
        for pair in found.pairs
        for key in [(pair.a, pair.b)]
    )
    sides = _sides(scope, tables, found, silent, each, best)
    when = "in time" if choice.lead is None else f"at a lead of {choice.lead:g} days"
    not_selected = ["not_selected"] * (scope.all_questions - len(questions))
    return Comparison(
        metadata=About(
            **vars(choice),
            engine_version=scoring.__version__,
            protocol=f"brier, paired {when}",
            of=of,
            claims=found.of,
            as_of=utc(scope.as_of),
            input_sha256=digest,
        ),
        sentence=wording.conclusion(sides, pairs),
        questions=scope.all_questions,
        left_out=(*counted(reason[~scope.counts]), *counted(not_selected)),
        provenance=provenance or Provenance(),
        groups=sides,
        pairs=pairs,
        notes=wording.notes(
            pairs,
            of=of,
            choice=choice,
            alike=alike,
            bots=bots,
            awaiting=int((reason == "awaiting_resolution").sum()),
            in_both=sorted(
                {str(who) for a, b in combinations(members.values(), 2) for who in a & b}
            ),
            outside=any(OUTSIDE in reasons for reasons in apart.values()),
            coverage=min((one.coverage for one in sides if one.coverage is not None), default=1.0),
        ),
    )


def _in_order(losses: Mapping[Key, Losses], pairs: Sequence[Key]) -> dict[Key, Losses]:
    """Return the losses of these pairs, whose sides may be the other way round in ``losses``."""
    found = {}
    for a, b in pairs:
        if (a, b) in losses:
            found[a, b] = losses[a, b]
        elif (b, a) in losses:
            asked, difference = losses[b, a]
            found[a, b] = asked, 0.0 - difference  # not −0
    return found


def _murphy_differences(
    losses: Mapping[Key, Losses], family: pd.Series, curves: int
) -> dict[Key, tuple[MurphyDifference, ...]]:
    """Return the difference of the Murphy curves of each pair; ``curves``: of all pairs.

    Pairs that few events decide have none, since a single threshold has even fewer.
    """

    def curve(names: Key) -> tuple[MurphyDifference, ...]:
        asked, difference = losses[names]
        table = difference_curve(difference, asked, family, THRESHOLDS, curves)
        return tuple(
            MurphyDifference(
                row.threshold,
                row.difference,
                (row.lower, row.upper),
                (row.band_lower, row.band_upper),
            )
            for row in rows_of(table)
        )

    return dict(zip(losses, map(curve, losses), strict=True))


def pair_of(
    pair: compared.Pair,
    choice: Choice,
    pairs: int,
    apart: Mapping[str, int] = MappingProxyType({}),
    **more: Any,
) -> Pair:
    """Return a pair with its sentence; ``pairs``: how many are comparable, ``more``: its fields."""
    own: dict[str, Any] = {one.name: getattr(pair, one.name, None) for one in fields(Pair)}
    if pair.reason == NEVER_TOGETHER:
        own["reason"] = wording.never_together(apart, lead=choice.lead)
    made = Pair(**own | more)
    return replace(made, sentence=wording.sentence(made, pairs=pairs, lead=choice.lead))


def _with_moments(filled: Callable[[], pd.DataFrame], tables: Pairwise) -> pd.DataFrame:
    """Return the differences without silence, with the moments of the time that the two shared."""
    key = ["a", "b", "question_id"]
    moments = tables.differences[[*key, "variance", "third"]]
    differences = filled().merge(moments, on=key, how="left")
    return differences.fillna({"variance": 0.0, "third": 0.0})


def _imputed(pair: compared.Pair | None) -> Imputed | None:
    if pair is None or pair.difference is None:
        return None
    return Imputed(
        pair.shared_questions, pair.difference, pair.interval, pair.p_adjusted, pair.better
    )


def _sides(
    scope: Scope,
    tables: Pairwise,
    found: compared.Comparison,
    silent: Mapping[str, Silence],
    each: Mapping[str, Alone],
    best: Mapping[str, bool],
) -> tuple[Side, ...]:
    """Return each group with its ranks and its own record, the best score first."""
    scores = _placed(tables.scores, scope).sort_values(["group", "question"], ignore_index=True)
    adjusted = adjusted_scores(scores.assign(family=scope.family[scores["question"]]))
    skill = {} if tables.skills is None else _skills(tables.skills, _family(scope))
    unknown = {"unanswered": None, "silent": None}
    sides = [
        Side(
            **vars(ranked),
            **vars(each[ranked.name].record),
            **(vars(silent[ranked.name]) if ranked.name in silent else unknown),
            may_be_best=best[ranked.name],
            adjusted=adjusted.get(ranked.name),
            skill=skill.get(ranked.name),
            coherence=each[ranked.name].coherence,
        )
        for ranked in found.groups
    ]
    # A group without a score comes last.
    sides.sort(key=lambda one: math.inf if one.brier.mean is None else one.brier.mean)
    return tuple(sides)


def _skills(scores: pd.DataFrame, family: pd.Series) -> dict[str, Skill]:
    """Return the skill of all forecasters of the ledger: it takes many to separate luck.

    Empty as long as nobody's scores vary between families.
    """
    who = scores["forecaster"]
    away = scores["score"] - scores.groupby(who)["score"].transform("mean")
    sums = away.groupby([who, family[scores["question_id"]].to_numpy()]).sum()
    if who.nunique() < FEWEST_TO_SHRINK or not (sums.abs() > 1e-12).any():
        return {}
    return {
        row.forecaster: Skill(
            questions=row.questions,
            mean=row.mean,
            interval=(row.mean_lower, row.mean_upper),
            shrunk=row.skill,
            shrunk_interval=(row.skill_lower, row.skill_upper),
        )
        for row in rows_of(scoring.skills(scores, family))
    }


def _watched_pairs(
    pairs: Sequence[compared.Pair],
    differences: pd.DataFrame,
    family: pd.Series,
    began: pd.Series,
    over: pd.Series,
    awaited: pd.Timestamp,
) -> tuple[dict[Key, Watched], dict[Key, Watched], dict[str, bool]]:
    """Return the evidence of each pair by blocks of time and by family, and who may be best.

    A pair without a block, or a family, has no entry. The evidence is from the families before the
    first with an outcome still unknown; ``began`` and ``over`` have the opening and the scheduled
    end of each family, ``awaited`` that of the first unknown one (NaT: none). Skipping only that
    family would select by outcome: a "yes" is often known sooner than a "no", and two equals would
    seem to differ.

    All pairs share the blocks of time, so that the evidence against a group is one e-process.
    """
    of_each = family[differences["question_id"]].to_numpy()
    known_by_then = (over[of_each] < awaited).to_numpy() | pd.isna(awaited)
    shared, families = differences[known_by_then], of_each[known_by_then]
    known = np.unique(families)
    blocks = scoring.time_blocks(known, began[known], over[known])
    by_sides = shared.groupby(["a", "b"], sort=True)
    code, keys = by_sides.ngroup().to_numpy(), list(by_sides.groups)
    values = (shared["difference"].to_numpy(), families)
    in_time = dict(iter(scoring.by_block(*values, blocks, code).groupby("pair")))
    by_close = dict(iter(by_family(*values, over[families], code).groupby("pair")))
    place = {key: number for number, key in enumerate(keys)}
    in_blocks: dict[Key, Watched] = {}
    in_families: dict[Key, Watched] = {}
    against = {}
    for pair in pairs:
        key = (pair.a, pair.b)
        sign = 1.0 if key in place else -1.0
        at = place.get(key, place.get((pair.b, pair.a)))
        bets = np.zeros(int(blocks["block"].max()) + 1 if len(blocks) else 0)
        if pair.comparable and at is not None:
            needed = bets_needed(pair.difference or 0.0)
            if at in in_time:
                steps = in_time[at]
                bets[steps["block"]] = sign * steps["difference"]
                in_blocks[key] = _watched(pair, sign, steps, needed)
            if at in by_close:
                in_families[key] = _watched(pair, sign, by_close[at], needed)
        process = scoring.e_process(bets)
        against[key], against[key[::-1]] = process.log_b, process.log_a
    names = list(dict.fromkeys(name for name, _ in against))
    return in_blocks, in_families, possibly_best(against, names)


def _watched(pair: compared.Pair, sign: float, steps: pd.DataFrame, needed: int | None) -> Watched:
    """Return the evidence from these bets, on blocks of time, or on families.

    The names of the pair stand for the signs: negative differences favour a.
    """
    found = scoring.e_process(sign * steps["difference"].to_numpy())
    e_values = np.exp(found.log_either)
    in_time = "block" in steps
    closes = [at.to_pydatetime() for at in steps["scheduled_close"]]
    return Watched(
        e_value=float(e_values[-1]),
        highest=float(e_values.max()),
        enough=ENOUGH,
        families=int(steps["families"].sum()) if in_time else len(steps),
        blocks=len(steps) if in_time else None,
        needed=needed,
        better=None if found.better is None else getattr(pair, found.better),
        path=tuple(map(EvidenceStep, closes, e_values.tolist())),
    )
