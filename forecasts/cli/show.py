"""The command that shows a question: show."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Annotated

from sqlmodel import Session
from typer import Option

from forecasts.access.members import handles
from forecasts.access.visibility import audience_label, crowd_is_hidden
from forecasts.cli.console import (
    day,
    fitted,
    out,
    print_json,
    print_line,
    print_lines,
    print_note,
    when,
)
from forecasts.cli.options import QuestionSlug, TextOrJson
from forecasts.cli.root import app
from forecasts.cli.session import next_step, reading_as
from forecasts.common.errors import FILL_IN, command
from forecasts.common.text import count
from forecasts.ledger import models
from forecasts.ledger.models import Forecast, QuestionRevision, QuestionText
from forecasts.questions import revisions
from forecasts.questions.finality import provisional_outcome
from forecasts.questions.origins import in_words, origins, platform_name
from forecasts.questions.passages import sources
from forecasts.questions.registry import find
from forecasts.questions.revisions import changes, edits
from forecasts.questions.standing import QuestionState, current_state
from forecasts.resolution.history import correction, dated, provisional_note, steps
from forecasts.resolution.progress import disagreement, last_lookups
from forecasts.scores.printed_scores import Printed, printed_notes, printed_scores
from forecasts.scores.stored_scores import CRPS, ForecasterScore, score_table
from forecasts.updates.comments import by_forecast, reasons, remarks
from forecasts.updates.evidence import format_citation
from forecasts.updates.updates import evidence_of, history, members_lacking_options
from forecasts.values.outcomes import format_bounds
from forecasts.values.value import format_leaders, format_origin, format_probability, format_value
from forecasts.views.questions import whole_question

_HEIGHT = 24  # lines of a screen
_FRAME = ("heading of the forecasts", "next step", "prompt")
_TOP = 3  # scores in the overview, besides the reader's own


@app.command()
def show(
    question: QuestionSlug,
    everything: Annotated[
        bool,
        Option("--all", help="Show everything: background, sources, evidence and corrections too."),
    ] = False,
    format_: TextOrJson = "text",
) -> None:
    """Show a question on one screen: forecasts, outcome and scores."""
    with reading_as() as (session, who, now):
        state = current_state(session, find(session, question), now=now)
        if format_ == "json":
            print_json(whole_question(session, state))
        elif everything:
            _print_everything(session, state, now)
        else:
            _print_overview(session, state, who, now)
            step = next_step("show", question, all=True)
            print_note(f"Everything: {step}")


def _head(session: Session, state: QuestionState, now: datetime) -> list[str]:
    """Return the title, the line below it, and a line for each limit on visibility."""
    text = state.text
    opens = "opened" if text.open_time <= now else "opens"
    closes = "closes" if state.accepts_forecasts(now) or opens == "opens" else "closed"
    about = (
        f"{state.slug} · {state.status} · {text.type} · "
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
    session: Session, state: QuestionState, who: models.Member | None, now: datetime
) -> None:
    """Print a question on one screen; a taller one has more of its forecasts."""
    text = state.text
    title, about, *limits = _head(session, state, now)
    heading = fitted(title, lines=2)
    subheading = fitted(about, lines=2) + [line for limit in limits for line in fitted(limit)]
    values = ", ".join(text.options or []) or format_bounds(text)
    criteria = text.resolution_criteria
    if not text.has_criteria:
        write = command("revise", state.slug, criteria=FILL_IN)
        criteria = f"none yet. Write them: {write}"
    wording = fitted(
        f"{'Options' if text.options else 'Range'}: {values}" if values else "", lines=2
    )
    wording += fitted(f"Criteria: {criteria}", lines=3 if state.resolution is None else 1)
    cited, rows = evidence_of(session, state.question), history(session, state.question)
    explained = by_forecast(remarks(session, state.question))
    wording += _current(state, rows, who, now)
    ending = [line for one in _resolver_lines(session, state) for line in fitted(one, lines=2)]
    ending += [*_outcome_lines(session, state, now), *_best_scores(session, state, who)]
    height = out().height if sys.stdout.isatty() else _HEIGHT
    others = len(heading) + len(subheading) + len(wording) + len(ending) + len(_FRAME)
    room = max(2, height - others)
    forecasts = [f"Forecasts: {len(rows):,}" if rows else "No forecasts yet."]
    for forecast, handle in rows[: -room - 1 : -1]:
        evidence = f" (evidence: {len(cited[forecast.id])})" if forecast.id in cited else ""
        reason = "".join(f" — {words}" for words in reasons(forecast, explained))
        value = format_leaders(forecast, text.options)
        line = f"{when(forecast.made_at)}  {handle}: {value}{evidence}{reason}"
        forecasts += fitted(line, indent="  ")

    print_lines(heading, style="bold")
    print_lines(subheading, style="dim")
    print_lines([*wording, *forecasts, *ending])


def _current(
    state: QuestionState,
    rows: Sequence[tuple[Forecast, str]],
    who: models.Member | None,
    now: datetime,
) -> list[str]:
    """Return the member's forecast and the crowd's in one line: 'You: 40% · Crowd (5): 62%'."""
    by_handle = {handle: row for row, handle in rows if row.made_at <= now}
    mine = None if who is None else by_handle.get(who.handle)
    parts = []
    if mine is not None and not mine.withdrawn:
        parts.append(f"You: {format_leaders(mine, state.text.options)}")
    elif state.accepts_forecasts(now):
        parts.append("You: no forecast yet")
    crowd = [row.probability for row in by_handle.values() if row.probability is not None]
    if len(crowd) > 1:
        parts.append(f"Crowd ({len(crowd)}): {format_probability(median(crowd))}")
    return fitted(" · ".join(parts))


def _resolver_lines(session: Session, state: QuestionState) -> list[str]:
    """Return an unresolved question's resolvers with their last check, and why it is parked."""
    found = [] if state.resolution is not None else last_lookups(session, state.question)
    if not found:
        return []
    watch, kinds = found[0].watch, ", ".join(sorted(one.resolver.kind for one in found))
    checked = f"checked {when(watch.looked_at)}" if watch.looked_at else "not checked yet"
    lines = [f"{'Resolver' if len(found) == 1 else 'Resolvers'}: {kinds}, {checked}"]
    if watch.parked_at is not None:
        lines.append(f"Parked since {when(watch.parked_at)}: {watch.reason}")
        again = command("run retry", state.slug)
        resolve = command("resolve", state.slug, "OUTCOME")
        lines.append(f"To check it again: {again}. To resolve it yourself: {resolve}")
    elif watch.attempts:
        lines.append(f"Failed attempts: {watch.attempts}, the last with: {watch.reason}")
    if words := disagreement(session, state.question):
        lines.append(f"{words}. To decide: {command('resolve', state.slug, 'OUTCOME')}")
    return lines


def _outcome_lines(session: Session, state: QuestionState, now: datetime) -> list[str]:
    """Return the newest step of the resolution, its reason, and whether it is provisional."""
    taken = steps(session, state.question)
    if not taken:
        return []
    row = taken[0].row
    earlier = f" (earlier steps: {len(taken) - 1})" if len(taken) > 1 else ""
    lines = fitted(f"Resolution: {row.state}: {row.outcome}{dated(row, when)}{earlier}")
    lines += fitted(" · ".join(words for words in (row.note, row.source) if words), indent="  ")
    provisional = provisional_outcome(session, state.question, now=now)
    return lines + (fitted(provisional_note(provisional, when), indent="  ") if provisional else [])


def _best_scores(session: Session, state: QuestionState, who: models.Member | None) -> list[str]:
    """Return the best scores and the member's own, one per line, then those of its platform."""
    if state.resolution is None:
        return []
    scored = score_table(session, state.resolution)
    own = [row for row in scored[_TOP:] if who is not None and row.forecaster == who.handle]
    lines = [f"Scores (0 is best): {len(scored):,}" if scored else "No scores."]
    for row in [*scored[:_TOP], *own]:
        rule = "CRPS" if row.brier is None else "Brier"
        updates = count(row.updates, "update")
        line = f"{row.forecaster}: {rule} {row.score:.3g}, coverage {row.coverage:.0%}, {updates}"
        lines += fitted(line, indent="  ")
    if origins(session, [state.id]):
        lines += _best_printed(session, state, who)
    return lines


def _best_printed(session: Session, state: QuestionState, who: models.Member | None) -> list[str]:
    """Return the member's scores that a platform printed, else the first ones."""
    own = [] if who is None else printed_scores(session, state, who)
    return [
        line
        for one in printed_lines(own or printed_scores(session, state)[:_TOP])
        for line in fitted(one.strip(), indent="  " if one.startswith(" ") else "")
    ]


def _print_everything(session: Session, state: QuestionState, now: datetime) -> None:

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
    for source, article in sources(session, state.question):
        print_line(f"\nFrom: {article.title} ({article.publisher or 'no publisher'})")
        if source.quote:
            print_line(f"  “{' '.join(source.quote.split())}”", style="dim")
    wordings = revisions.history(session, state.question)
    _print_wordings(session, wordings)
    _print_history(session, state, wordings, now)
    _print_resolution(session, state, now)


def _print_wordings(session: Session, rows: Sequence[QuestionRevision]) -> None:

    changed = edits(rows)
    if not changed:
        return
    by_id = handles(session)
    print_line(f"\nWordings: {len(changed) + 1}")
    for before, after in reversed(changed):
        reason = f": {after.reason}" if after.reason else ""
        print_line(f"  {when(after.recorded_at)}  {by_id[after.member_id]}{reason}")
        print_changes(before, after)


def print_changes(before: QuestionText, after: QuestionText) -> None:
    """Print each field that differs between two wordings, old and new."""
    for change in changes(before, after):
        old, new = change.formatted(when)
        print_line(f"    {change.name}: {old} → {new}", style="dim")


def _print_history(
    session: Session, state: QuestionState, wordings: Sequence[QuestionRevision], now: datetime
) -> None:

    cited = evidence_of(session, state.question)
    said = remarks(session, state.question)
    explained = by_forecast(said)
    rows = history(session, state.question)
    print_line(f"\nForecasts: {len(rows)}" if rows else "\nNo forecasts yet.")
    for forecast, handle in reversed(rows):
        reason = "".join(f" — {words}" for words in reasons(forecast, explained))
        value = format_value(forecast, wordings[-1].options)
        imported = format_origin(forecast.origin)
        origin = f" ({imported})" if imported else ""
        print_line(f"  {when(forecast.made_at)}  {handle}: {value}{origin}{reason}")
        for citation, evidence in cited.get(forecast.id, []):
            url = evidence.url or ""
            name = evidence.title or evidence.note or url
            link = f" ({url})" if name != url and url.startswith("http") else ""
            stance = format_citation(citation, state.text.type)
            print_line(f"    {stance}: {name}{link}", style="dim")
    for one in reversed(said):
        if one.comment.forecast_id is None:
            at = when(one.comment.recorded_at)
            print_line(f"  {at}  {one.author.handle} comments: {one.comment.text}")
    options = state.text.options
    open_ = state.accepts_forecasts(now)
    lacking = members_lacking_options(session, state.question, at=now) if open_ else []
    if options and lacking:
        print_line(
            f"An option was added since {', '.join(lacking)} forecast: until updated, it has "
            f"the probability given to {options[-1]!r}."
        )


def _print_resolution(session: Session, state: QuestionState, now: datetime) -> None:

    if watched := _resolver_lines(session, state):
        print_lines(["", *watched])
    if taken := steps(session, state.question):
        print_line("\nResolution:")
    for step in taken:
        row = step.row
        superseded = " (superseded)" if step.superseded else ""
        outcome = f"{row.state}: {row.outcome}{dated(row, when)}{superseded}"
        print_line(f"  {when(row.recorded_at)}  {step.actor}: {outcome}")
        if step.corrects is not None:
            print_line(f"    corrected: {correction(step.corrects, row, when)}", style="dim")
        for words in (row.note, row.source):
            if words:
                print_line(f"    {words}", style="dim")
        for exhibit in step.exhibits:
            copy = f"{exhibit.address}, {exhibit.size:,} bytes, SHA-256 {exhibit.sha256}"
            print_line(f"    evidence kept {when(exhibit.at)}: {copy}", style="dim")
        for dispute, handle in step.disputes:
            act = "disputed" if dispute.answers_id is None else "upheld"
            reason = f": {dispute.reason}" if dispute.reason else ""
            print_line(f"    {act} {when(dispute.recorded_at)} by {handle}{reason}")
        for change in step.rescored:
            then, current = (
                "none" if score is None else f"{score:.4f}" for score in (change.before, change.now)
            )
            by = "" if change.difference is None else f" ({change.difference:+.4f})"
            scale = "CRPS (0–1 of the range)" if change.protocol == CRPS else "Brier (0–1)"
            words = f"{change.forecaster}: {scale} {then} then, {current} now{by}"
            print_line(f"    {words}", style="dim")
    if state.resolution is None:
        return
    if provisional := provisional_outcome(session, state.question, now=now):
        print_line(f"\n{provisional_note(provisional, when)}")
    scored = score_table(session, state.resolution)
    print_line("\nScores (0 is best):" if scored else "\nNo scores.")
    print_scores(scored)
    printed = printed_scores(session, state)
    print_lines(["", *printed_lines(printed)] if printed else [])
    for note in printed_notes(printed):
        print_line(f"  {note}", style="dim")


def printed_lines(printed: Sequence[Printed]) -> list[str]:
    """Return the scores that platforms printed, each beside ours, below a heading."""
    lines = ["Printed by the platform:"] if printed else []
    for one in printed:
        ours = "" if one.ours is None else f", ours ({one.protocol}) {one.ours:.3g}"
        name = f"{platform_name(one.platform)} {one.name}"
        lines.append(f"  {one.forecaster}: {name} {one.score:.3g}{ours}")
    return lines


def print_scores(scored: Sequence[ForecasterScore]) -> None:
    """Print each forecaster's scores on a resolution, one line each, best first."""
    for row in scored:
        updates = count(row.updates, "update")
        coverage = f"coverage {row.coverage:.0%}"
        if row.crps is not None:
            scores = f"CRPS {row.crps:.4f} (0–1 of the range, 0 is best), {coverage}"
        else:
            final = "none" if row.final is None else f"{row.final:.4f}"
            scores = (
                f"Brier {row.brier:.4f} (0–1), {coverage}, "
                f"original Brier {row.original:.4f} (0–2), at the close {final}"
            )
        print_line(f"  {row.forecaster}: {scores}, {updates}")
