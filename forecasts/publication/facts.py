"""The numbers and facts on the pages of a public record, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from forecasts.common.text import count
from forecasts.documents.document import (
    Block,
    Columns,
    Document,
    Facts,
    Figure,
    Quote,
    Section,
    Table,
    table_of,
)
from forecasts.documents.numbers import number, percent
from forecasts.publication.question_view import QuestionView, web_link
from forecasts.publication.record import Publication, PublishedScore, Unpublished
from forecasts.questions.origins import in_words
from forecasts.reports import wording

# The platforms on which questions are private unless their authors share them.
_PRIVATE = frozenset({"confido", "fatebook", "pairs", "predictionbook"})


def numbers(publication: Publication) -> Table:
    """Return the numbers of the record as tiles."""
    of_record = publication.numbers
    shown = [
        ("Questions", f"{of_record.questions:,}", "forecast and public"),
        ("Resolved", f"{of_record.resolved:,}", "with an outcome"),
        ("Forecasts", f"{of_record.forecasts:,}", "each change counts"),
    ]
    if of_record.brier is not None:
        of = f"mean of {count(of_record.scored, 'score')}; 0 is best"
        shown.append((wording.BRIER, number(of_record.brier), of))
    if of_record.crps is not None:
        shown.append(("CRPS (0–1)", number(of_record.crps), "numbers and dates; 0 is best"))
    return _tiles(shown)


def _tiles(rows: list[tuple[str, str, str]]) -> Table:
    return Table("", ("", "", ""), tuple(rows), tiles=True)


def about_mean(publication: Publication) -> str:
    """Return a sentence on how the mean Brier score differs from the report's; "" without one."""
    if publication.numbers.brier is None:
        return ""
    of_mean, of_report = "", ""
    if publication.is_team:
        of_mean, of_report = " and gives scores equal weight", ", and gives questions equal weight"
    return (
        f"The mean Brier score covers every resolved question{of_mean}; the report leaves out "
        f"questions whose scheduled close is still to come{of_report}."
    )


def imported(publication: Publication) -> str:
    """Return how many forecasts were imported with their times, in sentences; "" for none."""
    numbers = publication.numbers
    if not numbers.imported:
        return ""
    return (
        f"Imported from elsewhere: {numbers.imported:,} of {count(numbers.forecasts, 'forecast')}. "
        "Only the importer vouches for the times at which they were made."
    )


def may_be_private(publication: Publication) -> str:
    """Return how many published questions may be private where they are from; "" for none."""
    from_there = [
        {one.platform for one in question.origins} & _PRIVATE for question in publication.questions
    ]
    many = sum(map(bool, from_there))
    if not many:
        return ""
    places = " or ".join(in_words(platform) for platform in sorted(set().union(*from_there)))
    questions, are, they = ("question", "is", "it") if many == 1 else ("questions", "are", "they")
    return f"{many:,} {questions} of this record {are} from {places}, where {they} may be private."


def span(first: datetime | None, last: datetime | None) -> str:
    """Return the time of the forecasts, as a sentence."""
    if first is None or last is None:
        return ""
    return f"Forecasts from {first:%Y-%m-%d} to {last:%Y-%m-%d}."


def unpublished(left_out: Unpublished) -> str:
    """Return the omissions of the record, as a sentence; "" for none."""
    if not left_out.questions and not left_out.forecasts:
        return ""
    reasons = [
        f"{many:,} {why}"
        for many, why in (
            (left_out.not_chosen, "not chosen for this record"),
            (left_out.restricted, "not visible to everyone"),
            (left_out.secret, "with a password or a token in an address"),
        )
        if many
    ]
    named = f" ({', '.join(reasons)})" if reasons else ""
    return (
        f"Not published: {count(left_out.questions, 'question')}{named}, "
        f"with {count(left_out.forecasts, 'forecast')}."
    )


def question_document(view: QuestionView) -> Document:
    """Return a question: first what is known of its forecasts, then the question itself."""
    state, text = view.question.state, view.text
    given = {
        "Resolution criteria": text.resolution_criteria,
        "Fine print": text.fine_print,
        "Background": text.background,
    }
    sections = [Section("", blocks=tuple(_forecasts(view)))]
    if state.resolution is not None:
        note = (Quote(view.question.note),) if view.question.note else ()
        sections.append(Section("Outcome", blocks=(_outcome(view), *note)))
    sections += [
        Section(name, blocks=(Quote(words),)) for name, words in given.items() if words.strip()
    ]
    quote, link = view.source
    if quote:
        sections.append(Section("Source", blocks=(Quote(quote),)))
    return Document(text.title, (*sections, Section("About", blocks=(_about(view, link),))))


def _forecasts(view: QuestionView) -> Iterator[Block]:
    """Yield the numbers as tiles, the chart, and each forecaster's score if they are several."""
    value, what = view.headline
    found = [("Forecast", value, what)]
    if view.question.state.resolution is not None:
        found.append(("Outcome", view.outcome or view.status, f"{view.day:%Y-%m-%d}"))
    if view.score:
        of = "mean of the team; " if len(view.question.scores) > 1 else ""
        found.append((f"{view.score_name} (0–1)", view.score, f"{of}0 is best"))
    made = view.question.forecasts
    since = f"since {min(one.made_at for one in made):%Y-%m-%d}" if made else ""
    yield _tiles([*found, ("Updates", f"{len(made):,}", since)])
    if view.chart is not None:
        yield Figure("Forecasts over time", "Forecasts over time", view.chart_words, (view.chart,))
    if len(view.question.scores) > 1:
        columns: Columns[PublishedScore] = {
            "Forecaster": lambda one: one.forecaster,
            f"{view.score_name} (0–1)": lambda one: number(one.score),
            "Coverage": lambda one: percent(one.coverage),
        }
        yield table_of("Scores", view.question.scores, columns)


def _outcome(view: QuestionView) -> str:
    """Return the outcome with its times, as a sentence."""
    resolution = view.question.state.resolution
    assert resolution is not None
    known = resolution.known_at
    when = f", known on {known:%Y-%m-%d}" if known is not None else ""
    return f"{view.status}{when}; recorded on {resolution.recorded_at:%Y-%m-%d}."


def _about(view: QuestionView, article: str) -> Facts:
    """Return further facts about the question, some of them with addresses."""
    text, resolution = view.text, view.question.state.resolution
    found = [
        ("Type", view.kind, ""),
        ("Opened", f"{text.open_time:%Y-%m-%d}", ""),
        ("Closes" if view.filter == "open" else "Closed", f"{text.close_time:%Y-%m-%d}", ""),
    ]
    if len(view.question.scores) == 1:
        found.append(("Coverage", percent(view.question.scores[0].coverage), ""))
    if text.options:
        found.append(("Options", ", ".join(text.options), ""))
    if text.tags:
        found.append(("Tags", ", ".join(text.tags), ""))
    source = "" if resolution is None else web_link(resolution.source)
    for name, link in (("Outcome’s source", source), ("Article", article)):
        if link:
            found.append((name, urlsplit(link).netloc, link))
    for one in view.question.origins:
        name = in_words(one.platform, one.platform_id)
        found.append(("Imported from", name, web_link(one.url)))
    return Facts(tuple((name, value) for name, value, _ in found), tuple(one[2] for one in found))
