"""The command that shows a question: show."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from statistics import median
from typing import Annotated, TypeAlias

from sqlmodel import Session

from forecasts.access.members import handles
from forecasts.access.visibility import audience_label, crowd_is_hidden
from forecasts.cli.console import day, when
from forecasts.cli.options import QuestionSlug, TextOrJson, flag
from forecasts.cli.printing import fitted, out, print_line, print_lines, print_note, printed_json
from forecasts.cli.root import app
from forecasts.cli.session import next_step, reading_as
from forecasts.common.errors import FILL_IN, command
from forecasts.common.text import count
from forecasts.documents.numbers import number, percent, signed
from forecasts.ledger import models
from forecasts.ledger.models import Forecast, QuestionText
from forecasts.questions import finality, passages, registry, revisions, standing
from forecasts.questions.origins import in_words, origins, platform_name
from forecasts.resolution.history import Step, correction, dated, provisional_note, steps
from forecasts.resolution.progress import disagreement, last_lookups
from forecasts.scores.printed_scores import Printed, printed_notes, printed_scores
from forecasts.scores.stored_scores import CRPS, ForecasterScore, score_table
from forecasts.updates.comments import Remark, by_forecast, reasons, remarks
from forecasts.updates.evidence import format_citation
from forecasts.updates.updates import evidence_of, history, members_lacking_options
from forecasts.values.outcomes import format_bounds
from forecasts.values.value import format_leaders, format_origin, format_probability, format_value
from forecasts.views.questions import whole_question
from forecasts.views.ties import ties

_HEIGHT = 24  # lines of a screen
_FRAME = ("heading of the forecasts", "next step", "prompt")
_TOP = 3  # scores in the overview, besides the reader's own
_TIES = 4  # in the overview
Item: TypeAlias = tuple[str, list[str]]  # a line, and the details below it


@app.command()
def show(
    question: QuestionSlug,
    everything: Annotated[
        bool, flag("--all", "Show everything: background, sources, evidence and corrections too.")
    ] = False,
    format_: TextOrJson = "text",
) -> None:
    """Show a question on one screen: forecasts, outcome and scores."""
    with reading_as() as (session, who, now):
        state = standing.current_state(session, registry.find(session, question), now=now)
        if printed_json(format_, lambda: whole_question(session, state, now=now)):
            return
        if everything:
            _print_everything(session, state, who, now)
            return
        _print_overview(session, state, who, now)
        print_note(f"Everything: {next_step('show', question, all=True)}")


def _head(session: Session, state: standing.QuestionState, now: datetime) -> list[str]:
    """Return the title, the line below it, and a line for each limit on visibility."""
    text = state.text
    opens = "opened" if text.open_time <= now else "opens"
    closes = "closes" if state.accepts_forecasts(now) or opens == "opens" else "closed"
    about = (
        f"{state.slug} · {state.stage} · {text.type} · "
        f"{opens} {day(text.open_time)} · {closes} {when(text.close_time)}"
    )
    if text.close_time != text.scheduled_close_time:
        about += f" · scheduled close {day(text.scheduled_close_time)}"
    lines = [text.title, about]
    for one in origins(session, [state.id]).get(state.id, []):
        address = f": {one.url}" if one.url else ""
        lines.append(f"Imported from {in_words(one.platform, one.platform_id)}{address}")
    if audience := audience_label(session, text):
        lines.append(f"Visible only to {audience}.")
    if crowd_is_hidden(session, state.question):
        lines.append("Others' forecasts are hidden until you forecast or the question closes.")
    return lines


def _print_overview(
    session: Session, state: standing.QuestionState, who: models.Member | None, now: datetime
) -> None:
    """Print a question on one screen; a taller one has more of its forecasts."""
    text = state.text
    title, about, *limits = _head(session, state, now)
    heading = fitted(title, lines=2)
    subheading = fitted(about, lines=2) + fitted(*limits)
    values = ", ".join(text.options or []) or format_bounds(text)
    unresolved, criteria = state.resolution is None, text.resolution_criteria
    if not text.has_criteria:
        write = command("revise", state.slug, criteria=FILL_IN)
        criteria = f"none yet. Write them: {write}" if unresolved else "none"
    wording = fitted(
        f"{'Options' if text.options else 'Range'}: {values}" if values else "", lines=2
    )
    wording += fitted(f"Criteria: {criteria}", lines=3 if unresolved else 1)
    rows = history(session, state.question)
    wording += fitted(*ties(session, state, now=now).lines()[:_TIES])
    wording += _current(state, rows, who, now)
    ending = fitted(*_resolver_lines(session, state), lines=2)
    ending += [*_outcome_lines(session, state, now), *_best_scores(session, state, who)]
    height = out().height if sys.stdout.isatty() else _HEIGHT
    others = len(heading) + len(subheading) + len(wording) + len(ending) + len(_FRAME)
    forecasts = [_count(session, state, rows)]
    said = remarks(session, state.question)
    newest = islice(_forecasts(session, state, rows, said, in_short=True), max(2, height - others))
    forecasts += fitted(*(line for line, _ in newest), indent="  ")
    print_lines(heading, style="bold")
    print_lines(subheading, style="dim")
    print_lines([*wording, *forecasts, *ending])


def _count(
    session: Session, state: standing.QuestionState, rows: Sequence[tuple[Forecast, str]]
) -> str:
    """Return how many forecasts the reader sees, or why they see none."""
    if rows:
        return f"Forecasts: {len(rows):,}"
    hidden = crowd_is_hidden(session, state.question)
    return "Forecasts: hidden until you forecast." if hidden else "No forecasts yet."


def _current(
    state: standing.QuestionState,
    rows: Sequence[tuple[Forecast, str]],
    who: models.Member | None,
    now: datetime,
) -> list[str]:
    """Return the member's forecast and the crowd's in one line: 'You: 40% · Crowd of 5: 62%'."""
    by_handle = {handle: row for row, handle in rows if row.made_at <= now}
    mine = None if who is None else by_handle.get(who.handle)
    parts = []
    if mine is not None and not mine.withdrawn:
        parts.append(f"You: {format_leaders(mine, state.text.options)}")
    elif state.accepts_forecasts(now):
        parts.append("You: no forecast yet")
    crowd = [row.probability for row in by_handle.values() if row.probability is not None]
    if len(crowd) > 1:
        parts.append(f"Crowd of {len(crowd):,}: {format_probability(median(crowd))}")
    return fitted(" · ".join(parts))


def _forecasts(
    session: Session,
    state: standing.QuestionState,
    rows: Sequence[tuple[Forecast, str]],
    said: list[Remark],
    *,
    in_short: bool = False,
) -> Iterator[Item]:
    """Yield the forecasts with their evidence, the newest first."""
    cited, explained = evidence_of(session, state.question), by_forecast(said)
    for forecast, handle in reversed(rows):
        evidence = cited.get(forecast.id, [])
        if in_short:
            value = format_leaders(forecast, state.text.options)
            about = f"evidence: {len(evidence)}" if evidence else ""
        else:
            value = format_value(forecast, state.text.options)
            about = format_origin(forecast.origin)
        reason = "".join(f" — {words}" for words in reasons(forecast, explained))
        shown = f"{value} ({about})" if about else value
        details = []
        for citation, one in evidence:
            name = one.title or one.note or one.url or ""
            is_link = one.url and one.url != name and one.url.startswith("http")
            link = f" ({one.url})" if is_link else ""
            details.append(f"{format_citation(citation, state.text.type)}: {name}{link}")
        yield f"{when(forecast.made_at)}  {handle}: {shown}{reason}", details


def _resolver_lines(session: Session, state: standing.QuestionState) -> list[str]:
    """Return an unresolved question's resolvers with their last check, and why it is parked."""
    found = [] if state.resolution is not None else last_lookups(session, state.question)
    if not found:
        return []
    watch, kinds = found[0].watch, ", ".join(sorted(one.resolver.kind for one in found))
    checked = f"checked {when(watch.looked_at)}" if watch.looked_at else "not checked yet"
    lines = [f"{'Resolver' if len(found) == 1 else 'Resolvers'}: {kinds}, {checked}"]
    resolve = command("resolve", state.slug, "OUTCOME")
    if watch.parked_at is not None:
        lines.append(f"Parked since {when(watch.parked_at)}: {watch.reason}")
        again = command("run retry", state.slug)
        lines.append(f"To check it again: {again}. To resolve it yourself: {resolve}")
    elif watch.attempts:
        lines.append(f"Failed attempts: {watch.attempts}, the last with: {watch.reason}")
    if words := disagreement(session, state.question):
        lines.append(f"{words}. To decide: {resolve}")
    return lines


def _outcome_lines(session: Session, state: standing.QuestionState, now: datetime) -> list[str]:
    """Return the newest step of the resolution, its reason, and whether it is provisional."""
    taken = steps(session, state.question)
    if not taken:
        return []
    row = taken[0].row
    earlier = f" (earlier steps: {len(taken) - 1})" if len(taken) > 1 else ""
    lines = fitted(f"Resolution: {row.state}: {row.outcome}{dated(row, when)}{earlier}")
    lines += fitted(" · ".join(words for words in (row.note, row.source) if words), indent="  ")
    provisional = finality.provisional_outcome(session, state.question, now=now)
    return lines + (fitted(provisional_note(provisional, when), indent="  ") if provisional else [])


def _best_scores(
    session: Session, state: standing.QuestionState, who: models.Member | None
) -> list[str]:
    """Return the best scores and the member's own, one per line, then those of its platform."""
    if state.resolution is None:
        return []
    scored = score_table(session, state.resolution)
    own = [row for row in scored[_TOP:] if who is not None and row.forecaster == who.handle]
    lines = [f"Scores (0 is best): {len(scored):,}" if scored else "No scores."]
    for row in [*scored[:_TOP], *own]:
        rule = "CRPS" if row.brier is None else "Brier"
        said = f"coverage {percent(row.coverage)}, {count(row.updates, 'update')}"
        line = f"{row.forecaster}: {rule} {number(row.score)}, {said}"
        lines += fitted(line, indent="  ")
    if origins(session, [state.id]):
        mine = [] if who is None else printed_scores(session, state, who)
        printed = mine or printed_scores(session, state)[:_TOP]
        lines += [PRINTED] if printed else []
        lines += fitted(*map(_printed, printed), indent="  ")
    return lines


def _print_everything(
    session: Session, state: standing.QuestionState, who: models.Member | None, now: datetime
) -> None:
    text = state.text
    title, *below = _head(session, state, now)
    print_line(title, style="bold")
    print_lines(below, style="dim")
    for heading, words in (
        ("Options", ", ".join(text.options or [])),
        ("Range", format_bounds(text)),
        ("Background", text.background),
        ("Resolution criteria", text.resolution_criteria),
        ("Fine print", text.fine_print),
    ):
        if words:
            print_line(f"\n{heading}: {words}")
    if tied := ties(session, state, now=now).lines():
        print_lines(["", *tied])
    for source, article in passages.sources(session, state.question):
        print_line(f"\nFrom: {article.title} ({article.publisher or 'no publisher'})")
        if source.quote:
            print_line(f"  “{' '.join(source.quote.split())}”", style="dim")
    named = handles(session)
    wordings = [
        (
            f"{when(after.recorded_at)}  {named[after.member_id]}"
            + (f": {after.reason}" if after.reason else ""),
            list(changed(session, before, after)),
        )
        for before, after in reversed(revisions.edits(revisions.history(session, state.question)))
    ]
    if wordings:
        _print_items(f"Wordings: {len(wordings) + 1}", wordings)
    rows, said = history(session, state.question), remarks(session, state.question)
    print_lines(["", *current] if (current := _current(state, rows, who, now)) else [])
    forecasts = _forecasts(session, state, rows, said)
    comments: Iterator[Item] = (
        (f"{when(one.comment.recorded_at)}  {one.author.handle} comments: {one.comment.text}", [])
        for one in reversed(said)
        if one.comment.forecast_id is None
    )
    _print_items(_count(session, state, rows), [*forecasts, *comments])
    open_ = state.accepts_forecasts(now)
    lacking = members_lacking_options(session, state.question, at=now) if open_ else []
    if text.options and lacking:
        print_line(
            f"An option was added since {', '.join(lacking)} forecast: until updated, it has "
            f"the probability given to {text.options[-1]!r}."
        )
    if watched := _resolver_lines(session, state):
        print_lines(["", *watched])
    if taken := steps(session, state.question):
        _print_items("Resolution:", map(_step, taken))
    if state.resolution is None:
        return
    if provisional := finality.provisional_outcome(session, state.question, now=now):
        print_line(f"\n{provisional_note(provisional, when)}")
    scored = score_table(session, state.resolution)
    print_line("\nScores (0 is best):" if scored else "\nNo scores.")
    print_scores(scored)
    print_printed(printed_scores(session, state), before="\n")


def _print_items(heading: str, items: Iterable[Item]) -> None:

    print_line(f"\n{heading}")
    for line, details in items:
        print_line(f"  {line}")
        print_lines((f"    {detail}" for detail in details), style="dim")


def changed(session: Session, before: QuestionText, after: QuestionText) -> Iterator[str]:
    """Yield each field that differs between two wordings, old and new."""
    for change in revisions.named_changes(session, before, after):
        old, new = change.formatted(when)
        yield f"{change.name}: {old} → {new}"


def _step(step: Step) -> Item:
    """Return a step of the resolution, with all that hangs on it."""
    row = step.row
    details = []
    if step.corrects is not None:
        details.append(f"corrected: {correction(step.corrects, row, when)}")
    details += [words for words in (row.note, row.source) if words]
    for exhibit in step.exhibits:
        copy = f"{exhibit.address}, {exhibit.size:,} bytes, SHA-256 {exhibit.sha256}"
        details.append(f"evidence kept {when(exhibit.at)}: {copy}")
    for dispute, handle in step.disputes:
        act = "disputed" if dispute.answers_id is None else "upheld"
        reason = f": {dispute.reason}" if dispute.reason else ""
        details.append(f"{act} {when(dispute.recorded_at)} by {handle}{reason}")
    for change in step.rescored:
        then, current = (
            "none" if score is None else number(score) for score in (change.before, change.now)
        )
        by = "" if change.difference is None else f" ({signed(change.difference)})"
        scale = "CRPS (0–1 of the range)" if change.protocol == CRPS else "Brier (0–1)"
        details.append(f"{change.forecaster}: {scale} {then} then, {current} now{by}")
    superseded = " (superseded)" if step.superseded else ""
    outcome = f"{row.state}: {row.outcome}{dated(row, when)}{superseded}"
    return f"{when(row.recorded_at)}  {step.actor}: {outcome}", details


PRINTED = "Printed by the platform:"


def print_printed(printed: Sequence[Printed], before: str = "") -> None:
    """Print the scores that platforms printed, each beside ours, and how their rules differ."""
    if printed:
        print_line(f"{before}{PRINTED}")
    print_lines(f"  {_printed(one)}" for one in printed)
    print_lines((f"  {note}" for note in printed_notes(printed)), style="dim")


def _printed(one: Printed) -> str:
    ours = "" if one.ours is None else f", ours ({one.protocol}) {number(one.ours)}"
    return f"{one.forecaster}: {platform_name(one.platform)} {one.name} {number(one.score)}{ours}"


def print_scores(scored: Iterable[ForecasterScore]) -> None:
    """Print each forecaster's scores on a resolution, one line each, best first."""
    print_lines(f"  {_score(row)}" for row in scored)


def _score(row: ForecasterScore) -> str:
    coverage, updates = f"coverage {percent(row.coverage)}", count(row.updates, "update")
    if row.crps is not None:
        scores = f"CRPS {number(row.crps)} (0–1 of the range, 0 is best), {coverage}"
    else:
        final = "none" if row.final is None else number(row.final)
        scores = (
            f"Brier {number(row.brier)} (0–1), {coverage}, "
            f"original Brier {number(row.original)} (0–2), at the close {final}"
        )
    return f"{row.forecaster}: {scores}, {updates}"
