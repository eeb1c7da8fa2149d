"""A comparison as a document."""

from __future__ import annotations

from forecasts.common.text import count
from forecasts.documents.document import (
    Block,
    Bullets,
    Columns,
    Document,
    Figure,
    Finding,
    Section,
    Table,
    table_of,
)
from forecasts.documents.numbers import NOTHING, number, p_value, percent, signed, signed_interval
from forecasts.reports.comparison import charts, murphy, wording
from forecasts.reports.comparison.comparison import Comparison, MurphyDifference, Pair, Side
from forecasts.reports.glossary import OF_COMPARISONS
from forecasts.reports.wording import (
    ADJUSTED_INTERVAL,
    BRIER,
    about,
    adjusted_note,
    left_out,
)

_TABLE_STEPS = 20
_MURPHY_STEP = 5  # of the thresholds of the Murphy curves, every fifth is listed


def comparison_document(comparison: Comparison) -> Document:
    """Return the document of a comparison: the conclusion, the ranks, the pairs, the evidence."""
    terms = tuple(wording.explained(comparison))
    return Document(
        title=f"Comparison of {comparison.metadata.of}",
        scope=f"{wording.scope(comparison)} {left_out(comparison.left_out)}".strip(),
        sections=(
            Section("", findings=(Finding(comparison.sentence),)),
            Section("Ranks", blocks=(_ranks(comparison),)),
            Section(
                "Differences",
                blocks=(
                    _differences(comparison),
                    *_in_words(comparison),
                ),
            ),
            *_decisions(comparison),
            *_evidence(comparison),
        ),
        notes=comparison.notes,
        terms=terms,
        key_terms=terms,
        about=about(
            comparison.metadata,
            comparison.questions,
            ("Claims", f"about {comparison.metadata.claims}"),
        ),
    )


def _ranks(comparison: Comparison) -> Table:
    columns: Columns[Side] = {
        comparison.metadata.of[:-1].capitalize(): lambda side: side.name,
        **wording.rank_columns(comparison.groups),
    }
    return table_of(
        "",
        comparison.groups,
        columns,
        text_columns=2,
        note=f"{wording.RANKS} {adjusted_note(s.adjusted for s in comparison.groups)}".strip(),
        optional=("Coverage", wording.SKILL_INTERVAL, ADJUSTED_INTERVAL),
        plot=charts.ranks(comparison) if len(comparison.groups) > 1 else None,
        plot_heading=f"1 to {len(comparison.groups)}",
    )


def _in_words(comparison: Comparison) -> tuple[Block, ...]:
    """Return each pair in words; of many pairs, how many the table leaves out."""
    pairs = wording.shown(comparison)
    if len(comparison.pairs) <= wording.MOST_PAIRS:
        return (Bullets(tuple(pair.sentence for pair in pairs)),)
    return (
        f"The table shows the {count(len(pairs), 'pair')} that differ, of "
        f"{len(comparison.pairs):,}; the CSV and JSON formats have all.",
    )


def _differences(comparison: Comparison) -> Table:
    columns: Columns[Pair] = {
        "Pair": lambda pair: f"{pair.a} − {pair.b}",
        "Shared questions": lambda pair: f"{pair.shared_questions:,}",
        "Difference": lambda pair: signed(pair.difference, wording.difference_decimals(pair)),
        "95% interval": lambda pair: signed_interval(
            pair.interval, wording.difference_decimals(pair)
        ),
        "p, adjusted": lambda pair: p_value(pair.p_adjusted),
        "Detectable": lambda pair: number(pair.detectable, wording.difference_decimals(pair)),
        "Tipping": lambda pair: wording.correlation(pair.tipping),
        "Highest evidence": lambda pair: (
            NOTHING if pair.watched is None else wording.e_value(pair.watched.highest)
        ),
    }
    most = number(charts.reach(comparison), 2)
    heading = f"← first better · second better →\n{BRIER}, ±{most}"
    plot = charts.differences(comparison)
    return table_of("", wording.shown(comparison), columns, plot=plot, plot_heading=heading)


def _decisions(comparison: Comparison) -> tuple[Section, ...]:
    pairs = [pair for pair in wording.shown(comparison) if pair.murphy]
    if not pairs:
        return ()
    figures = tuple(_losses(pair) for pair in pairs)
    return (Section("Decisions", blocks=(OF_COMPARISONS["murphy"].help, *figures)),)


def _losses(pair: Pair) -> Figure:
    name = f"{pair.a} − {pair.b}"
    return Figure(
        name,
        f"Difference of the losses, {name}",
        murphy.sentence(pair),
        (charts.murphy(pair),),
        losses_table(pair),
    )


def losses_table(pair: Pair) -> Table:
    """Return the difference of the Murphy curves of a pair, thinned."""
    columns: Columns[MurphyDifference] = {
        "Act above": lambda point: percent(point.threshold),
        "Difference": lambda point: signed(point.difference),
        "95% interval": lambda point: signed_interval(point.interval),
        "95% band": lambda point: signed_interval(point.band),
    }
    return table_of("Difference of the losses", pair.murphy[::_MURPHY_STEP], columns)


def _evidence(comparison: Comparison) -> tuple[Section, ...]:
    watched = [
        pair
        for pair in wording.shown(comparison)
        if pair.watched is not None or pair.watched_by_family is not None
    ]
    if not watched:
        return ()
    blocks = (OF_COMPARISONS["watched"].help, *(_of_pair(pair) for pair in watched))
    return (Section("Evidence over time", blocks=blocks),)


def _of_pair(pair: Pair) -> Block:
    name, chart = f"{pair.a} and {pair.b}", charts.evidence(pair)
    if chart is None:
        return f"{name}: {wording.evidence(pair)}"
    assert pair.watched is not None
    return Figure(
        name,
        f"Evidence that {name} differ, over time",
        wording.evidence(pair),
        (chart,),
        table_of(
            "Evidence",
            charts.thinned(pair.watched.path, _TABLE_STEPS),
            {
                "Scheduled close": lambda step: f"{step.at:%Y-%m-%d}",
                "Evidence": lambda step: wording.e_value(step.e_value),
            },
        ),
    )
