"""A public record and its questions in words: numbers, status, forecasts, scores, updates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from statistics import fmean, median
from typing import Any
from urllib.parse import urlsplit

from forecasts.common.secret_addresses import holds_secrets, without_secrets
from forecasts.common.text import count, file_stems, shortened
from forecasts.common.times import iso_day_or_time
from forecasts.documents.charts import Chart
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
from forecasts.documents.numbers import column, number, percent
from forecasts.folder.frames import rows
from forecasts.ledger.models import LinkKind, QuestionText, QuestionType
from forecasts.publication.record import (
    Publication,
    PublishedEvidence,
    PublishedForecast,
    PublishedQuestion,
    PublishedScore,
    Unpublished,
)
from forecasts.questions.origins import in_words
from forecasts.questions.standing import Status
from forecasts.reports import wording
from forecasts.scores.paths import paths_of, quantile_at
from forecasts.values.outcomes import format_bounds
from forecasts.values.value import format_leaders, format_probability
from forecasts.views.question_charts import options_chart, path_chart

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
    """Return a question: first the facts about its forecasts, then the question itself."""
    state, text = view.question.state, view.text
    given = {
        "Resolution criteria": text.resolution_criteria,
        "Fine print": text.fine_print,
        "Background": text.background,
    }
    sections = [Section("", blocks=tuple(_forecasts(view)))]
    if state.resolution is not None:
        known, recorded = state.resolution.known_at, state.resolution.recorded_at
        when = f", known on {known:%Y-%m-%d}" if known is not None else ""
        said = f"{view.status}{when}; recorded on {recorded:%Y-%m-%d}."
        note = (Quote(view.question.note),) if view.question.note else ()
        sections.append(Section("Outcome", blocks=(said, *note)))
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
            f"{view.score_name} (0–1)": column(view.question.scores, lambda one: one.score),
            "Coverage": lambda one: percent(one.coverage),
        }
        yield table_of("Scores", view.question.scores, columns)


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
    found += [(name, words, "") for name, words in view.ties]
    source = "" if resolution is None else web_link(resolution.source)
    for name, link in (("Outcome’s source", source), ("Article", article)):
        if link:
            found.append((name, urlsplit(link).netloc, link))
    for one in view.question.origins:
        name = in_words(one.platform, one.platform_id)
        found.append(("Imported from", name, web_link(one.url)))
    return Facts(tuple((name, value) for name, value, _ in found), tuple(one[2] for one in found))


_TYPES = {
    QuestionType.binary: "Yes or no",
    QuestionType.multiple_choice: "Multiple choice",
    QuestionType.numeric: "Number",
    QuestionType.date: "Date",
}


@dataclass(frozen=True)
class QuestionView:
    """A question of a publication; ``stem`` names its files."""

    question: PublishedQuestion
    publication: Publication
    stem: str
    now: datetime

    @cached_property
    def _row(self) -> Any:
        frame = self.publication.frames.questions
        return next(rows(frame[frame["question_id"] == self.question.state.slug]), None)

    @property
    def source(self) -> tuple[str, str]:
        """The quotation that the question is from, and the address of its article, "" for none."""
        one = self._row
        return ("", "") if one is None else (one.quote, web_link(one.article_url))

    @property
    def ties(self) -> list[tuple[str, str]]:
        """Its group, its condition and its links to other published questions, in words."""
        own, slug, found = self._row, self.question.state.slug, []
        if own is not None and own.group:
            found.append(("Group", f"{own.group_title} ({own.group_kind}): {own.group_label}"))
        if own is not None and own.condition is not None:
            found.append(("Asked only if", "{question} is {outcome}".format(**own.condition)))
        for link in rows(self.publication.frames.links):
            if slug in (link.question_id, link.other_id):
                verb = "is equivalent to" if link.kind == LinkKind.equivalent else link.kind
                found.append(("Link", f"{link.question_id} {verb} {link.other_id}"))
        return found

    @property
    def text(self) -> QuestionText:
        """The wording."""
        return self.question.state.text

    @property
    def kind(self) -> str:
        """The type, in words."""
        bounds = format_bounds(self.text)
        return _TYPES[QuestionType(self.text.type)] + (f", {bounds}" if bounds else "")

    @property
    def outcome(self) -> str | None:
        """The outcome that forecasts are scored against; None without one."""
        resolution = self.question.state.resolution
        scored = self.question.state.status is Status.resolved
        return resolution.outcome if resolution is not None and scored else None

    @property
    def filter(self) -> str:
        """The group in the list: open, resolved or closed."""
        status = self.question.state.status
        if self.question.state.resolution is not None:
            return "resolved"
        return "open" if status in (Status.open, Status.upcoming) else "closed"

    @property
    def status(self) -> str:
        """The status in a few words: ``Resolved: yes``, ``Open``."""
        if self.outcome is not None:
            unit = f" {self.text.unit}" if self.text.type == QuestionType.numeric else ""
            return f"Resolved: {self.outcome}{unit if self.text.unit else ''}"
        return self.question.state.stage.capitalize()

    @property
    def day(self) -> datetime:
        """The time shown in lists: when the outcome became known, otherwise the close."""
        return self.question.state.outcome_at or self.text.close_time

    @cached_property
    def score(self) -> str:
        """The score: ``0.042``; "" without one. The mean, if there are several forecasters."""
        scores = [one.score for one in self.question.scores]
        return number(fmean(scores)) if scores else ""

    @property
    def score_name(self) -> str:
        """The name of the score."""
        return "CRPS" if self.text.is_quantitative else "Brier"

    @cached_property
    def headline(self) -> tuple[str, str]:
        """The latest forecast and its description, short: ``72%``, ``latest``."""
        last = {one.forecaster: one.value for one in self.question.forecasts}
        values = [value for value in last.values() if value is not None]  # not withdrawn
        if not values:
            return "–", "withdrawn"
        of = f"median of {count(len(values), 'forecaster')}" if len(values) > 1 else "latest"
        if self.text.type == QuestionType.binary:
            middle = median(value.probability or 0.0 for value in values)
            return format_probability(middle), of
        if self.text.is_quantitative:
            middles = [quantile_at(value.quantiles or {}, self.text) for value in values]
            return self.figure(median(middles)), "median" if len(values) == 1 else of
        lists = [value.over(self.text.options).probabilities or () for value in values]
        means = [fmean(p or 0.0 for p in column) for column in zip(*lists, strict=True)]
        best = max(range(len(means)), key=means.__getitem__)
        said = "likeliest" if len(values) == 1 else f"mean of {len(values)}, likeliest"
        return percent(means[best]), f"{said}: {(self.text.options or [])[best]}"

    @property
    def summary(self) -> str:
        """The status, the latest forecast, the score and the outcome's note, in sentences."""
        value, what = self.headline
        score = f" {self.score_name}: {self.score}." if self.score else ""
        return f"{self.status}. Forecast: {value} ({what}).{score} {self.question.note}"

    @property
    def listed(self) -> str:
        """The latest forecast in a list, with its option."""
        value, what = self.headline
        option = what.partition(": ")[2] if self.text.type == QuestionType.multiple_choice else ""
        return f"{shortened(option, 24)} {value}" if option else value

    def figure(self, value: float) -> str:
        """Return a number with its unit, or a day."""
        if value != value:
            return "–"
        if self.text.type == QuestionType.date:
            return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d}"
        digits = ",.0f" if 1_000 <= abs(value) < 1e15 else ",.4g"
        return f"{value:{digits}} {self.text.unit or ''}".strip()

    @property
    def updates(self) -> list[tuple[PublishedForecast, str, str]]:
        """The updates, newest first, each with its value and the one before, as text."""
        before: dict[str, str] = {}
        found, text = [], self.text
        for one in self.question.forecasts:
            said = "withdrawn" if one.value is None else format_leaders(one.value, text.options)
            found.append((one, said, before.get(one.forecaster, "")))
            before[one.forecaster] = "" if one.value is None else said
        return sorted(found, key=lambda update: update[0].made_at, reverse=True)

    @cached_property
    def chart(self) -> Chart | None:
        """The chart of the forecasts over time; None if none of them counted."""
        rows = [(one.row, one.forecaster) for one in self.question.forecasts]
        rows.sort(key=lambda row: row[0].made_at)
        options = range(len(self.text.options or [0]))
        every = [paths_of(rows, self.text, now=self.now, option=option) for option in options]
        if every[0].steps.empty:
            return None
        if len(every) > 1:
            return options_chart(every, self.text, outcome=self.outcome)
        first, *others = every[0].steps["forecaster"].unique()
        return path_chart(
            every[0],
            self.text,
            me="" if others else first,
            others="members",
            crowd="median",
            outcome=self.outcome,
        )

    @property
    def chart_words(self) -> str:
        """The chart in a sentence."""
        made = self.question.forecasts
        first, last = (f"{end(one.made_at for one in made):%Y-%m-%d}" for end in (min, max))
        when = f"on {first}" if first == last else f"from {first} to {last}"
        people = len({one.forecaster for one in made})
        by = f" by {people} forecasters" if people > 1 else ""
        value, what = self.headline
        ends = value if what == "latest" else f"{value} ({what})"
        return f"{count(len(made), 'update')}{by} {when}; at the end {ends}."

    @property
    def searched(self) -> str:
        """The words that the search looks through, in lower case as the page's script has it."""
        text = self.text
        words: list[str] = [text.title, text.family, *(text.tags or []), *(text.options or [])]
        words += [text.background, text.resolution_criteria, self.status, self.question.note]
        for one in self.question.forecasts:
            words += [one.forecaster, one.rationale]
            for cited in one.evidence:
                words += [name_of(cited), note_of(cited)]
        return " ".join(" ".join(dict.fromkeys(filter(None, words))).split()).lower()


def views(publication: Publication, now: datetime) -> list[QuestionView]:
    """Return the questions in the publication's order, each with a file name of its own."""
    stems = file_stems([one.state.slug for one in publication.questions])
    return [
        QuestionView(one, publication, stem, now)
        for one, stem in zip(publication.questions, stems, strict=True)
    ]


def name_of(one: PublishedEvidence) -> str:
    """Return the name of a piece of evidence: its title, else its address, its note or its kind."""
    return without_secrets(one.title or one.url or one.note or str(one.kind))


def note_of(one: PublishedEvidence) -> str:
    """Return its note, unless that is its name."""
    return without_secrets(one.note) if one.title or one.url else ""


def details_of(one: PublishedEvidence) -> str:
    """Return its publisher, day, kind and share of the update."""
    published = "" if one.published_at is None else iso_day_or_time(one.published_at)
    share = "" if one.share is None else f"{percent(one.share)} of the update"
    known = (one.publisher, published, str(one.kind).replace("_", " "), share)
    return " · ".join(filter(None, known))


def web_link(url: str | None) -> str:
    """Return the address if a page may link to it, otherwise "".

    It may if the address is http or https, without a user name, a password or a token.

    >>> web_link("https://example.org/a"), web_link("javascript:alert(1)"), web_link(None)
    ('https://example.org/a', '', '')
    >>> web_link("https://alice:secret@example.org/a")
    ''
    """
    try:
        parts = urlsplit((url or "").strip())
        is_web = parts.scheme in ("http", "https") and parts.netloc and "@" not in parts.netloc
        found = parts.geturl() if is_web else ""
        return "" if holds_secrets(found) else found
    except ValueError:
        return ""
