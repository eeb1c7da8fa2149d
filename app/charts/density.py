"""The density that a forecast's quantiles imply.

See ``charts.question_chart`` on colours and on Altair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from app.charts.question_chart import (
    BLUE,
    NEUTRAL,
    Spec,
    field,
    layer,
    tips,
)
from app.markdown_text import figure, shortened
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.updates.previews import Slice
from forecasts.values.value import format_probability


def density_chart(slices: Sequence[Slice], text: QuestionText) -> Spec:
    """Return the density between quantiles; the area of each bar is its probability.

    The dashed rule is the density if all values between the bounds were equally likely.
    """
    dated = text.type == QuestionType.date
    frame = pd.DataFrame(
        {
            "low": _on_axis([one.low for one in slices], dated=dated),
            "high": _on_axis([one.high for one in slices], dated=dated),
            "density": [one.density for one in slices],
            "from": [figure(one.low, text) for one in slices],
            "to": [figure(one.high, text) for one in slices],
            "chance": [format_probability(one.chance) for one in slices],
        }
    ).dropna()
    x = field(
        "low",
        "temporal" if dated else "quantitative",
        title=shortened(text.unit, 40) if text.unit else None,
        scale={"type": "utc", "nice": False} if dated else {"nice": False, "zero": False},
        axis={"format": "%Y-%m-%d", "tickCount": 3} if dated else {"tickCount": 5},
    )
    density = field("density", "quantitative")
    y = density | {"title": "Density", "scale": {"zero": True}, "axis": {"tickCount": 3}}
    area: Spec = {"x": x, "x2": {"field": "high"}, "y": y, "y2": {"datum": 0}}
    area["tooltip"] = tips("from", "to", "chance")
    layers = [
        layer("slices", "rect", area, color=BLUE, opacity=0.75, stroke=NEUTRAL),
        layer("even", "rule", {"y": density}, color=NEUTRAL, strokeDash=[4, 4]),
    ]
    datasets = {"slices": frame, "even": pd.DataFrame({"density": [1.0]})}
    return {"layer": layers, "height": 150, "datasets": datasets}


def _on_axis(numbers: Sequence[float], *, dated: bool) -> Any:
    return pd.to_datetime(list(numbers), unit="s", utc=True) if dated else list(numbers)
