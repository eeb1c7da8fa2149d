"""A comparison as Markdown (GitHub's tables), with everyone's words escaped."""

from __future__ import annotations

from forecasts.reports.comparison import wording
from forecasts.reports.comparison.comparison import Comparison
from forecasts.reports.render import wording as words
from forecasts.reports.render.as_markdown import escaped, table


def as_markdown(comparison: Comparison) -> str:
    """Return the comparison as Markdown: what it shows, the ranks, the pairs, the notes."""
    parts = [
        f"# {wording.title(comparison)}",
        escaped(wording.scope(comparison)),
        f"**{escaped(comparison.sentence)}**",
        _groups(comparison),
        _pairs(comparison),
        "\n".join(f"- {escaped(wording.whole(pair))}" for pair in comparison.pairs),
        "## Notes",
    ]
    last = [words.left_out(comparison.left_out), *comparison.notes]
    parts.append("\n".join(f"- {escaped(text)}" for text in last if text))
    parts.append("## What the numbers say")
    parts.append(
        "\n".join(
            f"- **{one.title}**: {escaped(one.sentence)}" for one in wording.explained(comparison)
        )
    )
    parts.append(escaped(wording.made_with(comparison.metadata)))
    return "\n\n".join(parts) + "\n"


def _groups(comparison: Comparison) -> str:
    columns = wording.rank_columns(comparison)
    return table(
        ["", *columns],
        [
            [side.name, *(column[place] for column in columns.values())]
            for place, side in enumerate(comparison.groups)
        ],
        texts=1,
    )


def _pairs(comparison: Comparison) -> str:
    return table(
        [
            "",
            "Shared questions",
            "Difference, Brier (0–1)",
            "95 % interval",
            "p, adjusted",
            "Detectable",
            "Evidence, any time",
        ],
        [
            [
                f"{pair.a} − {pair.b}",
                f"{pair.shared_questions:,}",
                words.signed(pair.difference),
                words.signed_interval(pair.interval),
                words.p_value(pair.p_adjusted),
                words.number(pair.detectable),
                words.NOTHING if pair.watched is None else wording.evidence(pair.watched.highest),
            ]
            for pair in comparison.pairs
        ],
        texts=1,
    )
