"""A comparison as a PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forecasts.reports.comparison import drawing, wording
from forecasts.reports.comparison.comparison import Comparison, Pair
from forecasts.reports.render import wording as words
from forecasts.reports.render.glossary import OF_COMPARISONS
from forecasts.reports.render.typesetting import typeset


def as_pdf(comparison: Comparison) -> bytes:
    """Return the PDF; the same comparison gives the same bytes."""
    most = drawing.reach(comparison)
    return typeset(
        Path(__file__).with_name("templates") / "comparison.typ",
        {
            "title": wording.title(comparison),
            "scope": f"{wording.scope(comparison)} {words.left_out(comparison.left_out)}",
            "sentence": comparison.sentence,
            "ranks": _ranks(comparison),
            "pairs": {
                "head": [
                    "Pair",
                    f"← first better · second better →\nBrier (0–1), ±{words.number(most, 2)}",
                    "Shared\nquestions",
                    "Difference",
                    "95 % interval",
                    "p,\nadjusted",
                    "Detect-\nable",
                ],
                "rows": [_row(pair, most) for pair in comparison.pairs],
            },
            "sentences": [pair.sentence for pair in comparison.pairs],
            "watched": OF_COMPARISONS["watched"].help,
            "rises": [_rise(pair) for pair in drawing.watched(comparison)],
            "notes": comparison.notes,
            "terms": [one.whole for one in wording.explained(comparison)],
            "foot": wording.made_with(comparison.metadata),
        },
    )


def _ranks(comparison: Comparison) -> dict[str, Any]:
    columns = wording.rank_columns(comparison)
    return {
        "head": [comparison.metadata.of[:-1].capitalize(), *columns],
        "rows": [
            [side.name, *(column[place] for column in columns.values())]
            for place, side in enumerate(comparison.groups)
        ],
        "below": wording.RANKS,
    }


def _row(pair: Pair, most: float) -> dict[str, Any]:
    place = None
    if pair.difference is not None:
        low, middle, high = (
            None if value is None else drawing.x_of(value, most) / drawing.WIDTH
            for value in (
                pair.interval and pair.interval[0],
                pair.difference,
                pair.interval and pair.interval[1],
            )
        )
        place = {"low": low, "middle": middle, "high": high, "claimed": pair.comparable}
    return {
        "pair": f"{pair.a} − {pair.b}",
        "place": place,
        "cells": [
            f"{pair.shared_questions:,}",
            words.signed(pair.difference),
            words.signed_interval(pair.interval),
            words.p_value(pair.p_adjusted),
            words.number(pair.detectable),
        ],
    }


def _rise(pair: Pair) -> dict[str, Any]:
    assert pair.watched is not None
    drawn = drawing.rise(pair.watched)
    return {
        "pair": f"{pair.a} and {pair.b}.",
        "words": wording.watched(pair),
        "line": drawn.points,
        "ticks": drawn.ticks,
        "enough": drawn.enough,
        "first": drawn.first,
        "last": drawn.last,
    }
