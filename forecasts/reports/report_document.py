"""A report as a document: its sections, and the tables that pages show too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from forecasts.common.text import count, shortened
from forecasts.documents.document import (
    Beside,
    Block,
    Columns,
    Document,
    Facts,
    Finding,
    Section,
    Table,
    Tone,
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
from forecasts.reports import figures, wording
from forecasts.reports.advice import advice
from forecasts.reports.glossary import TERMS, explained
from forecasts.reports.report import Earned, Group, Report, Unrevised, Update
from forecasts.reports.verdict import FEWEST
from forecasts.reports.wording import BADGES, over_families

_TONES: dict[str, Tone] = {
    "calibrated": "good",
    "too_few": "neutral",
    "not_estimable": "neutral",
    "waiting": "neutral",
}
_LONG_NAME = 60
# The terms of the measures; the others are beside a reference.
_MEASURED = {
    "Questions": "family",
    "Updates": "questions",
    "Coverage": "coverage",
    wording.BRIER: "brier",
    wording.BRIER_ORIGINAL: "brier",
    "Log score": "log",
    "Adjusted for difficulty": "adjusted",
}
_INTERVAL = "95% interval"

_NOTHING = (
    "Nothing is scored yet. Next: record an outcome on the page Resolve or with forecasts resolve. "
    "A question counts once its scheduled close has passed; with --cohort resolved, at once."
)
_EARLY = (
    "Nothing is scored yet: {questions} resolved before the scheduled close, which decides when a "
    "question counts. Next: wait for it, or count at once with --cohort resolved (in the app, "
    "Questions: All resolved)."
)
_NO_MEMBER = (
    "No forecast counts in {team}, as none was made while its author was in the team. On "
    "{questions} of this ledger every forecast was made outside the teams, by others or before its "
    "author joined. To count the earlier forecasts of a member, an admin of the ledger says since "
    "when they belong to the team, on the page Team or with forecasts team add TEAM MEMBER --since "
    "DAY."
)


def report_document(report: Report) -> Document:
    """Return the document of a report: an overview, then each group."""
    start: tuple[Block, ...] = ()
    if not report.groups:
        start = (f"There is no {report.metadata.by} in this ledger.",)
    elif len(report.groups) > 1:
        start = (overview(report),)
    by = {"all": "", "lead": " by lead time"}.get(report.metadata.by, f" by {report.metadata.by}")
    return Document(
        title=f"Track record{by}",
        scope=wording.scope(report),
        sections=(
            *([Section("", blocks=start)] if start else []),
            *(section(report, group) for group in report.groups),
        ),
        notes=tuple(filter(None, (wording.left_out(report.left_out), *report.notes))),
        terms=tuple(explained(report)),
        # Without these the numbers mislead.
        key_terms=tuple(TERMS[name] for name in ("brier", "luck", "family")),
        about=wording.about(report.metadata, report.questions),
    )


def section(report: Report, group: Group, who: str = "") -> Section:
    """Return a record: for anyone at the top, and the basis for a reader who asks.

    ``who``: the forecasts as the subject of a sentence, by default the group's by name.
    """
    name, who = wording.group_name(report, group), who or wording.subject(report, group)
    left_out = wording.left_out(group.left_out) if report.metadata.by != "all" else ""
    origin = wording.provenance(group.provenance)
    numeric = figures.pit(name, group)
    blocks: list[Block] = [origin] if origin else []
    basis: list[Block] = [text for text in (wording.of(group.verdict.basis, who), left_out) if text]
    if group.questions:
        blocks += [Facts(_top(group)), figures.reliability(name, group)]
        basis += [
            figures.reliability_in_words(group),
            measures(group),
            Beside((figures.bins(group), tests(group))),
            *_losses(name, group),
            Beside((parts(group), errors(group))),
            Beside((*figures.leads(name, group), *numeric)),
        ]
    else:
        blocks += numeric or [_nothing(report, group)]
    if group.staleness is not None:
        basis.append(f"Staleness: {group.staleness.sentence}")
        basis += [_unrevised(group)] if group.staleness.most else []
    if group.coherence is not None:
        basis.append(f"Coherence: {group.coherence.sentence}")
    basis += credits(group)
    found = {
        kind: Finding(wording.of(said, who), _TONES.get(kind, "fault"), sign=BADGES[kind][0])
        for kind, said in wording.findings(group).items()
    }
    verdicts = (one for one in (group.verdict, group.all_time) if one is not None)
    luck: dict[str, str] = {one.kind: one.luck for one in verdicts}
    score = _score_in_words(group) if group.questions else ""
    return Section(
        name,
        tuple(replace(one, detail=luck.get(kind, "")) for kind, one in found.items()),
        tuple(blocks),
        basis=tuple(basis),
        summary=tuple(text for text in (origin, *_lines(group), score, left_out) if text),
    )


def _losses(name: str, group: Group) -> tuple[Beside, ...]:
    """Return the Murphy and ROC curves; nothing if no forecast is tested."""
    if not group.murphy:
        return ()
    return (Beside((figures.murphy(name, group), *figures.roc(name, group))),)


def _top(group: Group) -> tuple[tuple[str, str], ...]:
    """Return the subject, the quality and the changes of a record with a score."""
    of = f"{count(group.questions, 'question')}, {count(group.updates, 'forecast')}"
    if group.updates == group.questions > 1 and group.forecasters == 1:
        of = f"{count(group.questions, 'question')}, one forecast each"
    by = f" by {count(group.forecasters, 'forecaster')}" if group.forecasters > 1 else ""
    return (
        ("Based on", f"{of}{by}"),
        ("How good", wording.how_good(group)),
        ("Changes to make", " ".join(advice(group))),
    )


def _lines(group: Group) -> tuple[str, ...]:
    """Return the same for a terminal, which shows several records one below the other."""
    return tuple(f"{name}: {said}" for name, said in _top(group)[1:]) if group.questions else ()


def _nothing(report: Report, group: Group) -> str:
    """Return why a group has no score, and the next step."""
    for one in group.left_out or report.left_out:
        if one.reason == "not_in_cohort":
            return _EARLY.format(questions=count(one.questions, "question"))
    outside = sum(one.questions for one in report.left_out if one.reason == "in_no_group")
    if report.metadata.by != "team" or group.left_out or not outside:
        return _NOTHING
    return _NO_MEMBER.format(team=group.name, questions=count(outside, "question"))


def _score_in_words(group: Group) -> str:
    """Return the Brier score when made as the sum of its parts, and the effect of luck."""
    one, made = group.decomposition, group.miscalibration
    over = over_families(group.tested.families)
    return (
        f"{wording.BRIER} when made: {number(one.score)} = {number(one.miscalibration)} "
        f"miscalibration − {number(one.discrimination)} discrimination + "
        f"{number(one.uncertainty)} uncertainty. Miscalibration from luck alone: "
        f"{number(made.expected)} (p = {p_value(made.p_value)}, {over}). "
        f"Log score: {_log_score(group)}."
    )


def _log_score(group: Group) -> str:
    mean = number(group.log.mean)
    return f"{mean} (+ {group.log.infinite} infinite)" if group.log.infinite else mean


def overview(report: Report) -> Table:
    """Return all groups, one a row."""
    columns: Columns[Group] = {
        "": lambda group: wording.group_name(report, group),
        "Verdict": lambda group: ", ".join(map(BADGES.__getitem__, wording.findings(group))),
        "Questions": lambda group: f"{group.questions:,}",
        "Updates": lambda group: f"{group.updates:,}",
        "Coverage": lambda group: percent(group.coverage),
        wording.BRIER: column(report.groups, lambda group: group.brier.mean),
        _INTERVAL: column(report.groups, lambda group: group.brier.interval, interval),
        wording.BRIER_ORIGINAL: column(report.groups, lambda group: group.brier_original.mean),
        "Log score": _log_score,
    }
    optional = ("Log score", wording.ADJUSTED_INTERVAL, wording.BRIER_ORIGINAL, "Updates")
    return table_of(
        "",
        report.groups,
        {**columns, **wording.adjusted_columns(report.groups)},
        text_columns=2,
        note=f"{wording.INTERVALS} {wording.adjusted_note(report.groups)}".strip(),
        optional=(*optional, "Coverage", "Verdict"),
        plot=figures.brier_forest(report),
        plot_heading=f"{wording.BRIER} from 0;\ndashed: 0.25, always 50%",
        links=tuple(f"#group-{place}" for place in range(1, len(report.groups) + 1)),
    )


def measures(group: Group) -> Table:
    """Return the size of a record and its scores."""
    log = interval(group.log.interval)
    if group.log.infinite:
        log += f"; {count(group.log.infinite, 'question')} infinite, not in the mean"
    scores = ((wording.BRIER, group.brier), (wording.BRIER_ORIGINAL, group.brier_original))
    rows = [
        ("Questions", f"{group.questions:,}", f"in {count(group.families, 'family')}"),
        ("Updates", f"{group.updates:,}", f"by {count(group.forecasters, 'forecaster')}"),
        ("Coverage", percent(group.coverage), "of the questions’ time"),
        *((name, number(score.mean), interval(score.interval)) for name, score in scores),
        ("Log score", number(group.log.mean), log),
    ]
    rows += [
        (name, *wording.advantage(skill.mean, skill.interval))
        for name, skill in (
            (wording.AGAINST_OTHERS, group.skill),
            (wording.AGAINST_CROWD, group.crowd_skill),
        )
        if skill is not None
    ]
    rows += [
        (name, signed(saved.mean, 2), signed_interval(saved.interval, 2))
        for name, saved in (
            ("Brier skill, base rate", group.brier_skill),
            ("Brier skill, crowd", group.crowd_brier_skill),
        )
        if saved is not None and saved.mean is not None
    ]
    if group.adjusted is not None:
        one = group.adjusted
        rows.append(("Adjusted for difficulty", wording.adjusted(one), interval(one.interval)))
    note = f"Intervals are {over_families(group.families)}." if group.questions else ""
    if group.questions and group.skill is not None:
        others = count(group.skill.questions, "question")
        note += (
            f" Against the others and the crowd: on the {others} that someone else forecast too; "
            "above 0 is better."
            if group.skill.questions
            else " Nobody else forecast these questions, so there is no comparison."
        )
    head = ("Measure", "Value", f"Basis or {_INTERVAL}")
    helps = tuple(TERMS[_MEASURED.get(name, "reference")] for name, *_ in rows)
    return Table("Scores", head, tuple(rows), note=note, tiles=True, helps=helps)


def parts(group: Group) -> Table:
    """Return the parts of the Brier score and of the log score."""
    brier, log = group.decomposition, group.log_decomposition
    note = "Of forecasts when made. The scores above are averaged over time, so they differ."
    if log.infinite:
        note += f" {count(log.infinite, 'infinite log score')} left out."
    names = {
        "Miscalibration": "miscalibration",
        "− discrimination": "discrimination",
        "+ uncertainty": "uncertainty",
        "= score when made": "score",
    }
    rows = tuple(
        (name, number(getattr(brier, part)), number(getattr(log, part)))
        for name, part in names.items()
    )
    head = ("Part", wording.BRIER, "Log score")
    return Table("Parts of the scores", head, rows, note=note, term=TERMS["parts"])


def tests(group: Group) -> Table:
    """Return the tests of calibration, and the value for a calibrated forecaster."""
    line, luck, made = group.recalibration, group.luck, group.miscalibration
    fitted = f"{signed(line.intercept)}, {number(line.slope)}" if line.estimable else NOTHING
    by_luck = f"{number(made.expected)} from luck"
    less = f"Brier score (0–1) of {number(luck.realised)} less the expected {number(luck.expected)}"
    large = group.calibration_in_the_large
    tested = [
        ("Recalibration line: intercept, slope", fitted, "0, 1", line.p_value),
        ("Miscalibration", number(made.when_made), by_luck, made.p_value),
        (less, signed(luck.difference.mean), "0", luck.p_value),
        ("Spiegelhalter’s z", signed(group.spiegelhalter.z), "0", group.spiegelhalter.p_value),
        ("Calibration in the large, z", signed(large.z), "0", large.p_value),
    ]
    note = (
        "Of forecasts when made: someone’s first on a question counts in full, the second half, "
        f"the third a third. The p-values are {over_families(group.tested.families)}."
    )
    if (moved := group.movement) is not None:
        tested.append(("Excess movement", signed(moved.excess.mean), "0", moved.p_value))
        note += (
            " The excess movement includes open questions; its p-value is of the resolved ones, "
            "with forecasts corrected by the line first."
        )
    if not line.estimable:
        note += f" The line cannot be estimated: {line.reason}."
    rows = tuple((*row, p_value(p)) for *row, p in tested)
    head = ("Test", "This record", "Calibrated", "p")
    return Table("Tests of calibration", head, rows, note=note, term=TERMS["tests"])


def errors(group: Group) -> Table:
    """Return how far forecasts are from the curve, and how well they tell events apart."""
    far = group.errors
    rows = [
        (name, percent(seen, 1), f"{percent(expected, 1)} from luck")
        for name, seen, expected in (
            ("Average error (Eavg)", far.average, far.expected_average),
            ("90th percentile (E90)", far.p90, far.expected_p90),
            ("Largest error (Emax)", far.largest, far.expected_largest),
        )
    ]
    rows.append(("AUC", number(group.auc, 2), interval(group.auc_interval, 2)))
    rows.append(("Sharpness, mean p (1 − p)", number(group.sharpness), NOTHING))
    note = (
        "Errors are how far forecasts when made are from how often they came true, in percentage "
        "points. Some distance is always luck."
    )
    head = ("Measure", "This record", f"From luck, or {_INTERVAL}")
    return Table("Errors and discrimination", head, tuple(rows), note=note, term=TERMS["auc"])


def credits(group: Group) -> list[Table]:
    """Return the tables of points earned that have rows: by evidence, and by update."""
    found = []
    if group.earned:
        columns: Columns[Earned] = {
            "Citations": lambda row: f"{row.citations:,}" if row.citations else NOTHING,
            "Questions": lambda row: f"{row.questions:,}",
            "Earned, sum": column(group.earned, lambda row: row.points, signed),
            "Per question": column(group.earned, lambda row: row.per_question.mean, signed),
            _INTERVAL: column(group.earned, lambda row: row.per_question.interval, signed_interval),
        }
        pieces = [row for row in group.earned if row.by == "evidence"]
        sources = [row for row in group.earned if row.by != "evidence"]
        hindsight = wording.HINDSIGHT
        if more := group.evidence - len(pieces):
            listed = "forecasts attribute --by evidence lists all of them"
            hindsight += f" {more:,} more pieces are not shown; {listed}."
        found = [
            table_of(
                "Sources",
                sources,
                {"Cited": _source, "Families": lambda row: f"{row.families:,}", **columns},
                term=TERMS["points"],
                note="Points: how much a question’s Brier score (0–1) fell, as the mean over all "
                "members; above 0 helped. It proves nothing: the last update gets the credit. "
                f"{wording.INTERVALS} {_few(sources)}For authors: forecasts attribute --by author. "
                "It also shows how often each was cited late.",
            ),
            table_of(
                "Evidence that earned and lost most",
                pieces,
                {"Evidence": lambda row: shortened(row.title, _LONG_NAME), **columns},
                note=hindsight,
            ),
        ]
    return [*found, _moved(group)] if group.moved is not None else found


def _few(sources: Sequence[Earned]) -> str:
    """Return a sentence on the sources with too few families to judge them; '' without any.

    >>> from forecasts.reports.report import Estimate
    >>> few = Earned("kind", "news", "", 9, 5, 4, 0.1, Estimate(0.02, None))
    >>> _few([few]), _few([replace(few, families=30)])
    ('Too few families to judge any source: at most 4, and 30 are needed. ', '')
    >>> _few([few, replace(few, families=30)])
    'Too few families to judge 1 source: fewer than 30. '
    """
    few = [row for row in sources if row.families < FEWEST]
    if few and len(few) == len(sources):
        most = max(row.families for row in few)
        return f"Too few families to judge any source: at most {most}, and {FEWEST} are needed. "
    named = count(len(few), "source")
    return f"Too few families to judge {named}: fewer than {FEWEST}. " if few else ""


def _source(row: Earned) -> str:
    """Return the publisher or the kind of evidence that was cited."""
    if row.by == "publisher":
        return f"Publisher: {row.name or 'not named'}"
    return f"Kind: {row.name.replace('_', ' ')}" if row.name else "Nothing cited"


def _moved(group: Group) -> Table:
    """Return the updates that earned and lost most; the group must have some."""
    moved = group.moved
    assert moved is not None

    def named(row: Update) -> str:
        id_ = shortened(row.question, _LONG_NAME)
        return f"{shortened(row.title)} ({id_})" if row.title else id_

    rows = [*moved.most, *reversed(moved.least)]
    columns: Columns[Update] = {
        "Question": named,
        "By": lambda row: shortened(row.forecaster, _LONG_NAME),
        "Made": lambda row: f"{row.made_at:%Y-%m-%d}",
        "Score before": column(rows, lambda row: row.score_before),
        "Score after": column(rows, lambda row: row.score),
        "Time left": lambda row: percent(row.remaining),
        "Earned": column(rows, lambda row: row.points, signed),
    }
    note = (
        f"Of {count(moved.updates, 'update')} that replaced a forecast, {moved.helped:,} helped "
        f"and {moved.cost:,} hurt. Together they earned {signed(moved.points)} points of the "
        f"Brier score (0–1) on {count(moved.questions, 'question')}, as the mean over all members: "
        f"{signed(moved.per_question.mean)} per question (95% interval "
        f"{signed_interval(moved.per_question.interval)}, {over_families(moved.families)}). "
        f"If each new forecast was right, {signed(moved.promised)} was to be expected; the other "
        f"{signed(moved.surprise)} is luck or error. {wording.HINDSIGHT}"
    )
    if rest := moved.helped + moved.cost - len(rows):
        note += f" {rest:,} more that helped or hurt are not shown."
    title = "Updates that earned and lost most"
    return table_of(title, rows, columns, text_columns=3, note=note, term=TERMS["points"])


def _unrevised(group: Group) -> Table:
    """Return the questions on which a review would have paid most."""
    assert group.staleness is not None
    columns: Columns[Unrevised] = {
        "Question": lambda row: shortened(row.title or row.question),
        "Forecaster": lambda row: row.forecaster,
        "Forecast": lambda row: percent(row.forecast),
        "Unrevised": lambda row: wording.days(row.days),
        "Cost": column(group.staleness.most, lambda row: row.points),
    }
    return table_of(
        "Reviews that would have paid most",
        group.staleness.most,
        columns,
        term=TERMS["staleness"],
        text_columns=2,
        note="Cost: how much lower the question’s Brier score (0–1) would be; the forecast is the "
        "costliest on it. "
        f"{wording.HINDSIGHT}",
    )
