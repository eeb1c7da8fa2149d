"""The public record as a static site: pages, cards and a feed, without a server.

Each page is complete: its style and its script are in it, and its Content-Security-Policy allows
only these, by their hashes. So it works from a file, asks nothing of any server, and members' words
cannot act. Rejected: a shared style sheet, since browsers disagree on the origin of a file.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from markupsafe import Markup

from forecasts.common.errors import BadInput
from forecasts.common.text import count
from forecasts.common.times import to_minute
from forecasts.documents import svg
from forecasts.documents.as_html import colours, environment
from forecasts.documents.document import Beside, Block, Document, Section, Table, Term
from forecasts.documents.numbers import NOTHING
from forecasts.folder.frames import rows
from forecasts.publication import cards, facts
from forecasts.publication.feed import feed
from forecasts.publication.question_view import QuestionView, views, web_link
from forecasts.publication.record import Publication
from forecasts.publication.verify import COPY
from forecasts.questions.origins import in_words
from forecasts.reports.build import build
from forecasts.reports.report import By, Group, Report
from forecasts.reports.report_document import report_document

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).with_name("templates")
_LATEST = 8  # outcomes and open questions on the first page
CHECK_PAGE = "verify.html"
_SIMULATED = "(simulated)"  # in the handle of each simulated member


@dataclass(frozen=True)
class Check:
    """The part of the page that checks the proof: trusted markup and its script.

    The script reads the record from the element ``proof-data`` (see ``with_record``).
    """

    markup: str
    script: str


@dataclass(frozen=True)
class _Site:
    name: str
    team: bool
    url: str
    as_of: str
    simulated: bool
    later: tuple[str, ...]
    navigation: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Page:
    path: str
    title: str
    description: str
    policy: str


def site_files(
    publication: Publication, *, now: datetime, url: str = "", check: Check | None = None
) -> dict[str, str]:
    """Return the site's files by their paths in its folder; equal records make equal files.

    ``url``: the address at which the folder will be, for absolute links in the feed, the cards'
    line to paste and the pages' descriptions. BadInput if it is not an address.
    """
    return dict(_Writer(publication, now, base_url(url), check).files())


def with_record(page: str, data: str) -> str:
    """Return the page that checks the record with its copy of ``record.json``."""
    return page.replace(COPY, COPY + data.replace("<", "\\u003c"), 1)


def base_url(url: str) -> str:
    """Return the address of the site, ending in a slash; "" for none. BadInput if it is not one.

    >>> base_url("https://example.org/record")
    'https://example.org/record/'
    """
    if not url:
        return ""
    linked = web_link(url)
    if not linked or urlsplit(linked).query or urlsplit(linked).fragment:
        raise BadInput(
            f"{url!r} is not the address of a site.",
            remedy="Give the address of the folder, such as https://example.org/record/",
        )
    return linked if linked.endswith("/") else f"{linked}/"


class _Writer:
    """Writes the pages of one site."""

    def __init__(
        self, publication: Publication, now: datetime, url: str, check: Check | None
    ) -> None:
        self.publication, self.now, self.check = publication, now, check
        self.views = views(publication, now)
        self.report = _report(publication, now)
        self.document = None if self.report is None else report_document(self.report)
        asked = rows(publication.frames.questions)
        self.sources = {one.question_id: (one.quote, web_link(one.article_url)) for one in asked}
        people = {one.forecaster for each in publication.questions for one in each.forecasts}
        self.site = _Site(
            publication.title,
            publication.is_team,
            url,
            to_minute(now),
            any(_SIMULATED in handle for handle in people),
            publication.later,
            tuple(self._navigation()),
        )

    def _navigation(self) -> Iterator[tuple[str, str]]:
        yield "index.html", "Record"
        yield "questions.html", "Questions"
        if self.document is not None:
            yield "report.html", "Report"
        if self.check is not None:
            yield CHECK_PAGE, "Check"
        yield "how-to-read.html", "How to read"

    def files(self) -> Iterator[tuple[str, str]]:
        yield "index.html", self._index()
        yield "questions.html", self._questions()
        if self.document is not None:
            yield "report.html", self._report(self.document)
        if self.check is not None:
            yield CHECK_PAGE, self._verify(self.check)
        yield "how-to-read.html", self._how_to_read()
        yield "feed.xml", feed(self.publication, self.views, url=self.site.url)
        day = f"{self.now:%Y-%m-%d}"
        yield "card.svg", cards.record_card(self.publication, self._group, day)
        around = [None, *self.views, None]
        for before, view, after in zip(around, self.views, around[2:], strict=False):
            yield f"questions/{view.stem}.html", self._question(view, before, after)
            yield f"cards/{view.stem}.svg", cards.question_card(view, day)

    @property
    def _group(self) -> Group | None:
        return self.report.groups[0] if self.report is not None else None

    def _index(self) -> str:
        resolved = [view for view in self.views if view.filter == "resolved"]
        others = [view for view in self.views if view.filter != "resolved"]
        section = self._section()
        numbers = self.publication.numbers
        return self._page(
            "index.html",
            "Public record",
            f"Public record of {self.site.name}: {count(numbers.questions, 'question')}, "
            f"{count(numbers.forecasts, 'forecast')}.",
            span=facts.span(numbers.first, numbers.last),
            numbers=facts.numbers(self.publication),
            about_mean=facts.about_mean(self.publication),
            imported=facts.imported(self.publication),
            unpublished=facts.unpublished(self.publication.unpublished),
            section=section,
            scope="" if self.document is None else self.document.scope,
            resolved=resolved[:_LATEST],
            open=others[:_LATEST],
            total=count(len(self.views), "question") if self.views else "",
            checked=self.check is not None,
        )

    def _section(self) -> Section | None:
        """Return the verdict, the scores and the reliability diagram of the report."""
        group = self._group
        if self.document is None or group is None or not group.questions:
            return None
        section = self.document.sections[0]
        tiles = [_known(one) for one in section.blocks if isinstance(one, Table) and one.tiles]
        beside = [one for one in section.blocks if isinstance(one, Beside)]
        shown: list[Block] = [*tiles, *beside[:1]]
        return Section("", section.findings, tuple(shown))

    def _questions(self) -> str:
        return self._page(
            "questions.html",
            "Questions",
            f"All {count(len(self.views), 'question')} of {self.site.name}, with search.",
            script=_read("search.js"),
            views=self.views,
            total=count(len(self.views), "question"),
            index=[view.searched for view in self.views],
        )

    def _report(self, document: Document) -> str:
        return self._page(
            "report.html",
            "Full report",
            f"Scores and calibration of {self.site.name}.",
            document=document,
        )

    def _verify(self, check: Check) -> str:
        return self._page(
            CHECK_PAGE,
            "Check this record",
            f"Checks the proof of {self.site.name} in the browser.",
            script=check.script,
            markup=_trusted(check.markup),
        )

    def _how_to_read(self) -> str:
        terms: Sequence[Term] = () if self.document is None else self.document.terms
        return self._page(
            "how-to-read.html",
            "How to read this",
            "The meaning of the numbers, the charts and the proof of a public record.",
            terms=terms,
            checked=self.check is not None,
            reported=self.document is not None,
        )

    def _question(
        self, view: QuestionView, before: QuestionView | None, after: QuestionView | None
    ) -> str:
        state, text = view.question.state, view.text
        resolution = state.resolution
        given = {
            "Resolution criteria": text.resolution_criteria,
            "Fine print": text.fine_print,
            "Background": text.background,
        }
        return self._page(
            f"questions/{view.stem}.html",
            text.title,
            f"{view.status}. {self.site.name}: {' '.join(view.headline)}.",
            view=view,
            chart=view.chart,
            updates=view.updates,
            facts=facts.facts(view),
            scores=facts.scores(view),
            outcome_words=facts.outcome(view),
            source_link="" if resolution is None else web_link(resolution.source),
            texts=[(name, words) for name, words in given.items() if words.strip()],
            source=dict(
                zip(("quote", "link"), self.sources.get(state.slug, ("", "")), strict=True)
            ),
            about=facts.about(view),
            origins=[
                (in_words(one.platform, one.platform_id), web_link(one.url))
                for one in view.question.origins
            ],
            earlier=before,
            later=after,
        )

    def _page(
        self, path: str, title: str, description: str, *, script: str = "", **shown: Any
    ) -> str:
        style = _style()
        page = _Page(path, title, description, policy(style, script))
        return (
            _environment()
            .get_template(Path(_template_of(path)).name)
            .render(
                site=self.site,
                page=page,
                root="../" * path.count("/"),
                style=_trusted(style),
                script=_trusted(script),
                **shown,
            )
        )


def _known(tiles: Table) -> Table:
    """Return the tiles without those that compare with others: nobody else is in the record."""
    return replace(tiles, rows=tuple(row for row in tiles.rows if row[1] != NOTHING), note="")


def _template_of(path: str) -> str:
    return "question.html" if path.startswith("questions/") else path


def policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy of a page with just this style and this script."""
    parts = ["default-src 'none'", "img-src data:", f"style-src '{_hash(style)}'"]
    if script:
        parts.append(f"script-src '{_hash(script)}'")
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _report(publication: Publication, now: datetime) -> Report | None:
    """Return the report on the published forecasts alone; None without any."""
    if not publication.questions:
        return None
    by: By = "team" if publication.is_team else "forecaster"
    return build(publication.frames, by=by, names=[publication.title], as_of=now)


@cache
def _style() -> str:
    parts = [colours(), _read("document.css"), svg.css(), _read("site.css")]
    return " ".join(" ".join(parts).split())


def _read(name: str) -> str:
    source, _, _ = _environment().loader.get_source(_environment(), name)  # type: ignore[union-attr]
    return source


def _trusted(text: str) -> Any:
    return Markup(text)  # noqa: S704 - our own style or script


@cache
def _environment() -> Environment:
    return environment(_TEMPLATES)
