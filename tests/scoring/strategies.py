"""Hypothesis strategies for questions with every special case."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Row = dict[str, Any]
Ledger = tuple[list[Row], list[Row]]

HOUR = 3_600_000_000
TIMES = ("open", "scheduled", "close", "spot")
NEW_YEAR = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z

probabilities = st.one_of(
    st.sampled_from([0.0, 0.1, 0.5, 0.5, 0.9, 1.0]), st.floats(0, 1, allow_subnormal=False)
)
inner = st.one_of(st.sampled_from([0.1, 0.25, 0.5, 0.9]), st.floats(0.01, 0.99))

Pairs = tuple[list[float], list[float], list[float]]


def named(*columns: Any) -> dict[str, Any]:
    """Return columns in their usual order as the arguments of functions on pairs."""
    return dict(zip(("p", "y", "weight", "question", "family"), columns, strict=False))


@st.composite
def pairs(draw: st.DrawFn, fractional: bool = False) -> Pairs:
    n = draw(st.integers(1, 30))
    # Closer forecasts than these are ties.
    apart = st.floats(0, 1).map(lambda p: round(p, 9))
    chance = st.one_of(st.sampled_from([0.0, 0.1, 0.3, 0.3, 0.7, 1.0]), apart)
    outcome = st.floats(0, 1) if fractional else st.sampled_from([0.0, 1.0])
    weight = st.one_of(st.just(1.0), st.floats(0.01, 3))
    columns = (st.lists(each, min_size=n, max_size=n) for each in (chance, outcome, weight))
    return draw(st.tuples(*columns))  # type: ignore[return-value]


@st.composite
def vectors(draw: st.DrawFn, options: int, zero: bool) -> list[float | None]:
    """A vector that sums to one, with some nulls, but none in the last place."""
    parts = draw(st.lists(st.integers(0 if zero else 1, 9), min_size=options, max_size=options))
    there = [draw(st.integers(0, 4)) > 0 for _ in range(options - 1)] + [True]
    total = sum(part for part, here in zip(parts, there, strict=True) if here)
    if total == 0:
        parts[-1] = total = 1
    return [part / total if here else None for part, here in zip(parts, there, strict=True)]


@st.composite
def quantiles(draw: st.DrawFn) -> dict[str, float]:
    values = sorted(draw(st.lists(st.integers(0, 10), min_size=0, max_size=3)))
    levels = sorted(draw(st.sets(st.sampled_from([0.2, 0.4, 0.5, 0.7, 0.8]), min_size=3)))
    stated = {str(level): float(v) for level, v in zip(levels, values, strict=False)}
    for side in ("below", "above"):
        if draw(st.booleans()):
            stated[side] = draw(st.sampled_from([0.05, 0.2]))
    return stated


@st.composite
def ledgers(
    draw: st.DrawFn,
    types: tuple[str, ...] = ("binary", "multiple_choice"),
    zero: bool = False,
    questions: int = 3,
    rows: int = 40,
) -> Ledger:
    """Questions and forecasts with ties, withdrawals and returns, forecasts out of hours, early
    closes, single forecasters, added options, fractional outcomes, and questions without scores.

    ``zero`` allows probabilities of 0 and 1, under which a log score can be infinite.
    """
    moments = st.one_of(
        st.integers(-30, 130).map(lambda h: h * HOUR),
        st.integers(-30 * HOUR, 130 * HOUR),
    )
    asked = []
    for number in range(draw(st.integers(1, questions))):
        opened = NEW_YEAR + draw(st.integers(-3, 30)) * HOUR + draw(st.sampled_from([0, 1, 17]))
        length = draw(st.one_of(st.integers(1, 100).map(lambda h: h * HOUR), st.integers(1, HOUR)))
        midnight = -opened % (24 * HOUR)
        early = draw(
            st.one_of(st.just(length), st.integers(-5, length), st.just(min(midnight, length)))
        )
        kind = draw(st.sampled_from(types))
        question: Row = {
            "question_id": f"q{number}",
            "type": kind,
            "open": opened,
            "scheduled": opened + length,
            "close": opened + early,
            "spot": opened
            + draw(st.one_of(moments, st.just(early), *[st.integers(-HOUR, length)] * 2)),
        }
        if kind == "binary":
            question["outcome"] = draw(st.sampled_from([1.0, 0.0, 0.3, 0.75, 1.0, 0.0, None]))
        elif kind == "multiple_choice":
            count = draw(st.integers(2, 4))
            question["options"] = [f"o{k}" for k in range(count)]
            question["ordered"] = draw(st.booleans())
            question["outcome"] = draw(st.sampled_from([*range(count), *range(count), None]))
        else:
            question |= {"lower_bound": 0.0, "upper_bound": 10.0}
            question["outcome"] = draw(st.sampled_from([-3.0, 0.0, 2.5, 5.0, 10.0, 12.0, None]))
        if question["outcome"] is None:
            question["void"] = draw(st.sampled_from(["", "annulled", "ambiguous"]))
        asked.append(question)
    made = []
    for _ in range(draw(st.integers(0, rows))):
        question = draw(st.sampled_from(asked))
        inside = st.integers(0, question["scheduled"] - question["open"])
        # Exactly at the start, end or reading time of something, and just before.
        edge = st.sampled_from([question[name] - question["open"] for name in TIMES]).flatmap(
            lambda at: st.sampled_from([at, at - 1])
        )
        p: Any = None
        if draw(st.integers(0, 6)):
            if question["type"] == "binary":
                p = draw(probabilities if zero else inner)
            elif question["type"] == "multiple_choice":
                p = draw(vectors(len(question["options"]), zero))
            else:
                p = draw(quantiles())
        made.append(
            {
                "question_id": question["question_id"],
                "forecaster": draw(st.sampled_from("abcde")),
                "time": question["open"] + draw(st.one_of(moments, inside, edge)),
                "p": p,
            }
        )
    return asked, made
