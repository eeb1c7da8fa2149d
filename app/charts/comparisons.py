"""From a comparison's numbers to Altair charts. Nothing is computed here."""

from __future__ import annotations

import altair as alt
import pandas as pd

from forecasts.reports.comparison import Comparison, Pair, drawing, wording
from forecasts.reports.render import wording as words

Chart = alt.LayerChart | alt.FacetChart
_BLUE, _NEUTRAL = "#0072B2", "#7A7F85"
_CLAIMED, _UNCLAIMED = "comparable", "not comparable"
_ROW, _AXIS = 56, 70


def forest_chart(comparison: Comparison) -> Chart | None:
    """Return every pair's difference with its interval about 0; None where no pair has one."""
    rows = [
        {
            "pair": f"{pair.a} − {pair.b}",
            "difference": pair.difference,
            "low": pair.interval[0],
            "high": pair.interval[1],
            "claim": _CLAIMED if pair.comparable else _UNCLAIMED,
            "said": f"{words.signed(pair.difference)} "
            f"(95 %: {words.signed_interval(pair.interval)})",
            "shared": pair.shared_questions,
            "p": words.p_value(pair.p_adjusted),
        }
        for pair in comparison.pairs
        if pair.difference is not None and pair.interval is not None
    ]
    if not rows:
        return None
    most = drawing.reach(comparison)
    y = alt.Y(
        "pair:N",
        title=None,
        sort=None,
        axis=alt.Axis(labelLimit=150, labelExpr="split(datum.label, ' − ')"),
    )
    shown = alt.Color(
        "claim:N",
        title=None,
        scale=alt.Scale(domain=[_CLAIMED, _UNCLAIMED], range=[_BLUE, _NEUTRAL]),
        legend=None,
    )
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=y,
        color=shown,
        tooltip=[
            alt.Tooltip("pair:N", title="Pair"),
            alt.Tooltip("said:N", title="Difference, Brier (0–1)"),
            alt.Tooltip("shared:Q", title="Shared questions", format=","),
            alt.Tooltip("p:N", title="p, adjusted"),
            alt.Tooltip("claim:N", title="Claim"),
        ],
    )
    x = alt.X(
        "low:Q",
        title=["Brier (0–1)", "← first better · second better →"],
        scale=alt.Scale(domain=[-most, most]),
        axis=alt.Axis(labelExpr="datum.value ? format(datum.value, '+.3~f') : '0'", tickCount=5),
    )
    zero = (
        alt.Chart(pd.DataFrame({"none": [0.0]}))
        .mark_rule(strokeDash=[4, 3], color=_NEUTRAL)
        .encode(x="none:Q")
    )
    dash = alt.StrokeDash(
        "claim:N",
        scale=alt.Scale(domain=[_CLAIMED, _UNCLAIMED], range=[[1, 0], [4, 3]]),
        legend=None,
    )
    return alt.layer(
        zero,
        base.mark_rule(strokeWidth=2.5).encode(x=x, x2="high:Q", strokeDash=dash),
        base.mark_point(filled=True, size=90, opacity=1).encode(x="difference:Q"),
    ).properties(height=_ROW * len(rows) + _AXIS)


def evidence_chart(pair: Pair) -> Chart | None:
    """Return the evidence that stays valid whenever one looks; None where there is no line."""
    seen = pair.watched
    if seen is None or len(seen.path) < 2:
        return None
    rows = pd.DataFrame(
        {
            "at": [at for at, _ in seen.path],
            "evidence": [max(value, 1e-6) for _, value in seen.path],
            "said": [wording.evidence(value) for _, value in seen.path],
            "day": [f"{at:%Y-%m-%d}" for at, _ in seen.path],
        }
    )
    low, high = min(0.1, *rows["evidence"]), max(100.0, *rows["evidence"])
    line = (
        alt.Chart(rows)
        .mark_line(interpolate="step-after", color=_BLUE, strokeWidth=2)
        .encode(
            x=alt.X("at:T", title=None, axis=alt.Axis(format="%Y-%m", labelOverlap=True)),
            y=alt.Y(
                "evidence:Q",
                title="Evidence (log scale)",
                scale=alt.Scale(type="log", domain=[low, high]),
                axis=alt.Axis(format="~g", values=_powers(low, high), labelFlush=False),
            ),
            tooltip=[
                alt.Tooltip("day:N", title="Scheduled close"),
                alt.Tooltip("said:N", title="Evidence"),
            ],
        )
    )
    enough = (
        alt.Chart(pd.DataFrame({"enough": [seen.enough]}))
        .mark_rule(strokeDash=[4, 3], color=_NEUTRAL)
        .encode(y="enough:Q", tooltip=alt.Tooltip("enough:Q", title="Enough", format=".0f"))
    )
    return alt.layer(enough, line).properties(height=200)


def _powers(low: float, high: float) -> list[float]:
    """Return the powers of ten from ``low`` to ``high``."""
    return [10.0**power for power in range(-6, 300) if low <= 10.0**power <= high]
