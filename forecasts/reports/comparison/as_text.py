"""A comparison for a terminal: what it shows in words, and two tables; no colours."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from forecasts.common.text import on_one_line
from forecasts.reports.comparison import wording
from forecasts.reports.comparison.comparison import Comparison
from forecasts.reports.render import wording as words
from forecasts.reports.render.as_text import drawn, fitting, wrapped


def as_text(comparison: Comparison, *, width: int = 100) -> str:
    """Return the comparison as lines of at most ``width`` signs."""
    width = fitting(width)
    about = comparison.metadata
    parts = [
        wording.title(comparison) + "\n" + wrapped(wording.scope(comparison), width),
        wrapped(comparison.sentence, width),
        drawn(_groups(comparison), width),
        drawn(_pairs(comparison), width),
        *(wrapped(wording.whole(pair), width) for pair in comparison.pairs),
    ]
    last = [
        words.left_out(comparison.left_out),
        *(one.whole for one in wording.explained(comparison)),
        *comparison.notes,
    ]
    parts.append("\n".join(wrapped(text, width) for text in last if text))
    parts.append(wrapped(wording.made_with(about), width))
    return "\n\n".join(parts) + "\n"


def _groups(comparison: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold", min_width=12)
    headings = ["rank", "questions", "Brier\n0–1", "95 %\ninterval", "original\nBrier 0–2"]
    skilled = any(side.skill for side in comparison.groups)
    for heading in [*headings, *(["skill,\nraw", "skill,\nshrunk"] if skilled else [])]:
        table.add_column(heading, justify="right", vertical="bottom", no_wrap=True)
    for side in comparison.groups:
        row = [
            wording.ranks(side),
            f"{side.questions:,}",
            words.number(side.brier.mean),
            words.interval(side.brier.interval),
            words.number(side.brier_original.mean),
        ]
        if skilled:
            row += [
                words.signed(None if side.skill is None else value, 1)
                for value in (
                    (None, None) if side.skill is None else (side.skill.mean, side.skill.shrunk)
                )
            ]
        table.add_row(Text(on_one_line(side.name)), *row)
    return table


def _pairs(comparison: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold", min_width=16)
    for heading in (
        "shared\nquestions",
        "difference,\nBrier 0–1",
        "95 %\ninterval",
        "p,\nadjusted",
        "detect-\nable",
        "evidence\nany time",
    ):
        table.add_column(heading, justify="right", vertical="bottom", no_wrap=True)
    for pair in comparison.pairs:
        table.add_row(
            Text(on_one_line(f"{pair.a} − {pair.b}")),
            f"{pair.shared_questions:,}",
            words.signed(pair.difference),
            words.signed_interval(pair.interval),
            words.p_value(pair.p_adjusted),
            words.number(pair.detectable),
            words.NOTHING if pair.watched is None else wording.evidence(pair.watched.highest),
        )
    return table
