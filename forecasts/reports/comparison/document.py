"""A comparison as a document: its sections, tables, figures and forest plots."""

from __future__ import annotations

import math

from forecasts.common.text import count, in_words
from forecasts.documents.as_csv import value_at
from forecasts.documents.charts import Axis, Chart, Forest, ForestRow, Series, percent_axis
from forecasts.documents.document import (
    Block,
    Bullets,
    Columns,
    Document,
    Figure,
    Finding,
    Section,
    Table,
    Term,
    table_of,
)
from forecasts.documents.numbers import (
    NOTHING,
    column,
    interval,
    number,
    p_value,
    percent,
    signed,
    signed_interval,
)
from forecasts.reports.comparison import wording
from forecasts.reports.comparison.comparison import Comparison, MurphyDifference, Pair, Side
from forecasts.reports.comparison.pairwise import MOST_PAIRS
from forecasts.reports.figures import stretches
from forecasts.reports.glossary import OF_COMPARISONS
from forecasts.reports.wording import (
    ADJUSTED_INTERVAL,
    BRIER,
    BRIER_ORIGINAL,
    about,
    adjusted_columns,
    adjusted_note,
    advantage,
    choice_sentences,
    left_out,
    provenance,
)

_INTERVAL = "95% interval"
_EVIDENCE = OF_COMPARISONS["watched"].title
_SKILL_INTERVAL = f"Shrunk, {_INTERVAL}"
_MURPHY_STEP = 5  # of the thresholds of the Murphy curves, every fifth is listed
_MOST_STEPS, _TABLE_STEPS = 300, 20  # of the evidence over time, drawn and listed
_LEAST_REACH = 0.02
_LEAST_EVIDENCE = 1e-6


def comparison_document(comparison: Comparison) -> Document:
    """Return the document of a comparison: the conclusion, the ranks, the pairs, the evidence."""
    compares = any(pair.shared_questions for pair in comparison.pairs)
    skilled = any(side.skill is not None for side in comparison.groups)
    shown = (one for name, one in OF_COMPARISONS.items() if name != "skill" or skilled)
    terms = tuple(dict.fromkeys(shown))
    metadata, pairs = comparison.metadata, wording.shown(comparison)
    scope = f"{choice_sentences(metadata, metadata.as_of)} {left_out(comparison.left_out)}"
    in_words: Block = Bullets(tuple(pair.sentence for pair in pairs))
    if len(comparison.pairs) > MOST_PAIRS:
        in_words = (
            f"The table shows the {count(len(pairs), 'pair')} that differ, of "
            f"{len(comparison.pairs):,}; the CSV and JSON formats have all."
        )
    origin = provenance(comparison.provenance)
    sections = [
        Section("", findings=(Finding(comparison.sentence),), blocks=(origin,) if origin else ()),
        Section("Ranks", blocks=(_ranks(comparison),)),
        Section("Differences", blocks=(_differences(comparison), in_words)),
    ]
    if any(side.coherence for side in comparison.groups):
        sections.append(Section("Coherence", blocks=_coherence(comparison)))
    if curves := [_losses(pair) for pair in pairs if pair.murphy]:
        sections.append(Section("Decisions", blocks=(OF_COMPARISONS["murphy"].help, *curves)))
    if watched := [_evidence(pair) for pair in pairs if pair.watched or pair.watched_by_family]:
        blocks = (OF_COMPARISONS["watched"].help, *watched)
        sections.append(Section("Evidence over time", blocks=blocks))
    if not compares:  # the reason and the remedies are all there is to say
        sections, terms = sections[:1], ()
    return Document(
        title=f"Comparison of {metadata.of}",
        scope=scope.strip(),
        sections=tuple(sections),
        notes=comparison.notes,
        terms=terms,
        key_terms=terms,
        about=about(metadata, comparison.questions, ("Claims", f"about {metadata.claims}")),
    )


def _ranks(comparison: Comparison) -> Table:
    sides = comparison.groups
    columns: Columns[Side] = {
        comparison.metadata.of[:-1].capitalize(): lambda side: side.name,
        "Rank": wording.rank_range,
        "Questions": lambda side: f"{side.questions:,}",
        "Coverage": lambda side: percent(side.coverage),
        "No forecast, questions": lambda side: percent(side.unanswered),
        "No forecast, time": lambda side: percent(side.silent),
        "May be best": lambda side: "yes" if side.may_be_best else "no",
        BRIER: column(sides, lambda side: side.brier.mean),
        _INTERVAL: column(sides, lambda side: side.brier.interval, interval),
        BRIER_ORIGINAL: column(sides, lambda side: side.brier_original.mean),
        **adjusted_columns(sides),
    }
    skilled = any(side.skill for side in sides)
    if skilled:
        columns = {
            **columns,
            "Skill, raw": lambda side: advantage(value_at(side, "skill.mean"), None)[0],
            "Skill, shrunk": lambda side: advantage(value_at(side, "skill.shrunk"), None)[0],
            _SKILL_INTERVAL: lambda side: advantage(None, value_at(side, "skill.shrunk_interval"))[
                1
            ],
        }
    ranks = []
    for side in sides:
        ends = side.rank_low, side.rank_high
        dots = tuple(map(float, range(side.rank_low, side.rank_high + 1)))
        text = f"Rank {wording.rank_range(side)} of {len(sides)}"
        ranks.append(ForestRow(side.name, dots, ends, text))
    note = (
        "Rank 1 to 3: any of these, as far as the record tells. Brier: 0 is best, 1 is worst. "
        "Scores are over all questions of each; ranks rest on the shared ones."
    )
    meaning = adjusted_note(sides).removeprefix("Adjusted: ")
    adjusted = (Term("Adjusted", meaning),) if meaning else ()
    return table_of(
        "",
        sides,
        columns,
        text_columns=2,
        note=note,
        optional=(
            *(_SKILL_INTERVAL, ADJUSTED_INTERVAL, BRIER_ORIGINAL, "No forecast, time"),
            *("No forecast, questions", "May be best", "Skill, raw", "Coverage"),
            *("Skill, shrunk", "Adjusted"),
        ),
        terms=(*_terms("silent", "may_be_best", *(["skill"] if skilled else [])), *adjusted),
        plot=Forest(1.0, float(len(sides)), None, tuple(ranks)) if len(sides) > 1 else None,
        plot_heading=f"1 to {len(sides)}",
    )


def _differences(comparison: Comparison) -> Table:
    pairs = wording.shown(comparison)
    digits = max(map(wording.difference_decimals, pairs), default=3)
    columns: Columns[Pair] = {
        "Pair": wording.names,
        "Shared questions": lambda pair: f"{pair.shared_questions:,}",
        "Shared time": lambda pair: (
            NOTHING if pair.shared_time is None else wording.share(pair.shared_time)
        ),
        "Difference": lambda pair: signed(pair.difference, digits),
        _INTERVAL: lambda pair: signed_interval(pair.interval, digits),
        "p, adjusted": lambda pair: p_value(pair.p_adjusted),
        "Detectable": column(pairs, lambda pair: pair.detectable),
        "Tipping": lambda pair: wording.correlation(pair.tipping),
        _EVIDENCE: lambda pair: wording.e_value(pair.watched.highest) if pair.watched else NOTHING,
    }
    heading = f"← first better · second better →\n{BRIER}, axis to ±{number(_reach(comparison), 2)}"
    plot = differences(comparison)
    return table_of(
        "",
        pairs,
        columns,
        note="Below 0, the first of a pair is better. 95% interval: the true difference is inside "
        "it in at least 19 of 20 such records. With several pairs it is wider, so that an interval "
        "without 0 is a claim.",
        optional=("Detectable", "Tipping", _EVIDENCE, "p, adjusted", "Shared time"),
        terms=_terms("p_adjusted", "detectable", "tipping", "watched"),
        plot=plot,
        plot_heading=heading,
    )


def _coherence(comparison: Comparison) -> tuple[Block, ...]:
    """Return the cost of each side's contradictions, and the pairs that differ in it."""
    own = [side for side in comparison.groups if side.coherence is not None]
    columns: Columns[Side] = {
        comparison.metadata.of[:-1].capitalize(): lambda side: side.name,
        "Sets": lambda side: f"{value_at(side, 'coherence.sets'):,}",
        "Contradicting": lambda side: f"{value_at(side, 'coherence.contradicting'):,}",
        "Cost": column(own, lambda side: value_at(side, "coherence.cost.mean")),
        _INTERVAL: column(own, lambda side: value_at(side, "coherence.cost.interval"), interval),
    }
    table = table_of(
        "",
        own,
        columns,
        note="Sets of questions that hang together. Cost: how much worse the forecasts scored than "
        "the nearest that do not contradict each other, in Brier points (0–1) a question.",
    )
    said = tuple(pair.coherence.sentence for pair in comparison.pairs if pair.coherence)
    return (table, Bullets(said) if said else "No difference in cost is clearer than chance.")


def _terms(*names: str) -> tuple[Term, ...]:
    return tuple(map(OF_COMPARISONS.__getitem__, names))


def differences(comparison: Comparison) -> Forest:
    """Return the difference of each pair that is shown with its interval, about 0."""
    rows = []
    for pair in wording.shown(comparison):
        text = f"{wording.difference(pair)}, {count(pair.shared_questions, 'shared question')}"
        text += "" if pair.comparable else "; not comparable"
        dots = () if pair.difference is None else (pair.difference,)
        name = wording.names(pair)
        rows.append(ForestRow(name, dots, pair.interval, text, firm=pair.comparable))
    most = _reach(comparison)
    return Forest(-most, most, 0.0, tuple(row if row.dots else None for row in rows))


def _reach(comparison: Comparison) -> float:
    """Return how far the differences are drawn on either side of 0, in Brier points."""
    ends = [end for pair in comparison.pairs for end in (pair.difference, *(pair.interval or ()))]
    most = max(_LEAST_REACH, *(abs(end) for end in ends if end is not None), 0.0)
    return min(1.0, _rounded_up(most * 1.02))


def _rounded_up(most: float) -> float:
    """Return the next half of a power of ten."""
    step = 10.0 ** math.floor(math.log10(most)) / 2
    return math.ceil(most / step) * step


def _losses(pair: Pair) -> Figure:
    """Return the difference of the Murphy curves of a pair, and its band."""
    columns: Columns[MurphyDifference] = {
        "Act above": lambda point: percent(point.threshold),
        "Difference": column(pair.murphy, lambda point: point.difference, signed),
        _INTERVAL: column(pair.murphy, lambda point: point.interval, signed_interval),
        "95% band": column(pair.murphy, lambda point: point.band, signed_interval),
    }
    name = wording.names(pair)
    table = table_of("Difference of the losses", pair.murphy, columns)
    end = _rounded_up(max(max(map(abs, point.band)) for point in pair.murphy) or _LEAST_REACH)
    band = tuple((point.threshold, *point.band) for point in pair.murphy)
    curve = tuple((point.threshold, point.difference) for point in pair.murphy)
    ticks = (-end, 0.0, end)
    of_losses = Axis("Difference of losses", -end, end, ticks, tuple(signed(at, 2) for at in ticks))
    series = (
        Series("band", "band", band, "95% band"),
        Series("level", "reference", ((0.0,),), "no difference"),
        Series("line", "curve", curve, name, table.in_words),
    )
    chart = Chart(percent_axis("Threshold for acting"), of_losses, series)
    alt = f"Difference of the losses, {name}"
    return Figure(name, alt, _losses_in_words(pair), (chart,), table.thinned(_MURPHY_STEP))


def _losses_in_words(pair: Pair) -> str:
    """Return at which thresholds one of a pair lost less, beyond chance."""
    thresholds = [point.threshold for point in pair.murphy]
    parts = []
    for name, below in ((pair.a, True), (pair.b, False)):
        beyond = [
            not point.band[0] <= 0 <= point.band[1] and (point.difference < 0) == below
            for point in pair.murphy
        ]
        if any(beyond):
            ranges = in_words(stretches(thresholds, beyond))
            parts.append(f"{name} lost less when acting above thresholds of {ranges}")
    if not parts:
        return "At no threshold is the difference of the losses beyond chance."
    return f"{'; '.join(parts)}. Elsewhere chance explains the difference."


def _evidence(pair: Pair) -> Block:
    """Return the e-process of a pair over time; in words alone with fewer than two steps."""
    name, said, seen = f"{pair.a} and {pair.b}", wording.evidence(pair), pair.watched
    if seen is None or len(seen.path) < 2:
        return f"{name}: {said}"
    every = max(1, len(seen.path) // _MOST_STEPS)
    steps = [*seen.path[:-1:every], seen.path[-1]]
    rows = tuple((f"{step.at:%Y-%m-%d}", wording.e_value(step.e_value)) for step in steps)
    table = Table("Evidence", ("Scheduled close", "Evidence"), rows)
    values = [max(step.e_value, _LEAST_EVIDENCE) for step in steps]
    low = min(-1, math.floor(math.log10(min(values))))
    high = max(2, math.ceil(math.log10(max(values))))
    powers = range(low, high + 1, max(1, (high - low) // 5))
    labels = tuple(f"{10.0**at:g}" if -4 <= at <= 4 else f"1e{at}" for at in powers)
    times = [step.at.timestamp() for step in steps]
    ends = times[0], max(times[-1], times[0] + 1.0)
    closes = Axis("Scheduled close", *ends, ends, (rows[0][0], rows[-1][0]), "dates")
    ticks = tuple(10.0**power for power in powers)
    e_values = Axis("Evidence", 10.0**low, 10.0**high, ticks, labels, "log")
    path = tuple(zip(times, values, strict=True))
    series = (
        Series("level", "reference", ((seen.enough,),), f"{seen.enough:.0f} is enough"),
        Series("steps", "curve", path, sentences=table.in_words),
    )
    chart = Chart(closes, e_values, series, height=130.0)
    listed = table.thinned(max(1, len(steps) // _TABLE_STEPS))
    return Figure(name, f"Evidence that {name} differ, over time", said, (chart,), listed)
