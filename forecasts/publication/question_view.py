"""A published question in words: status, latest forecast, score, each update."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from statistics import fmean, median
from urllib.parse import urlsplit

from forecasts.common.secret_addresses import holds_secrets, without_secrets
from forecasts.common.text import count, file_stems, shortened
from forecasts.common.times import iso_day_or_time
from forecasts.documents.charts import Chart
from forecasts.documents.numbers import number, percent
from forecasts.folder.frames import rows
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.publication.record import (
    Publication,
    PublishedEvidence,
    PublishedForecast,
    PublishedQuestion,
)
from forecasts.questions.standing import Status
from forecasts.scores.paths import Paths, paths_of, quantile_at
from forecasts.values.outcomes import format_bounds
from forecasts.values.value import format_leaders, format_probability
from forecasts.views.question_charts import options_chart, path_chart

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
    def source(self) -> tuple[str, str]:
        """The quotation that the question is from, and the address of its article, "" for none."""
        frame = self.publication.frames.questions
        found = frame[frame["question_id"] == self.question.state.slug]
        one = next(rows(found), None)
        return ("", "") if one is None else (one.quote, web_link(one.article_url))

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
        status = self.question.state.status
        if self.outcome is not None:
            unit = f" {self.text.unit}" if self.text.type == QuestionType.numeric else ""
            return f"Resolved: {self.outcome}{unit if self.text.unit else ''}"
        return {Status.proposed: "Outcome proposed", Status.awaiting: "Awaiting outcome"}.get(
            status, status.value.capitalize()
        )

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
    def latest(self) -> list[PublishedForecast]:
        """Each forecaster's last forecast, without those that ended with a withdrawal."""
        last = {one.forecaster: one for one in self.question.forecasts}
        return [one for one in last.values() if one.value is not None]

    @cached_property
    def headline(self) -> tuple[str, str]:
        """The latest forecast and its description, short: ``72%``, ``latest``."""
        values = [one.value for one in self.latest if one.value is not None]
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
        every = self._paths
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

    @cached_property
    def _paths(self) -> list[Paths]:
        rows = [(one.row, one.forecaster) for one in self.question.forecasts]
        rows.sort(key=lambda row: row[0].made_at)
        options = range(len(self.text.options or [0]))
        return [paths_of(rows, self.text, now=self.now, option=option) for option in options]

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
