"""The public record as a static site: pages, cards and a feed, without a server.

Each page is complete: its style and its script are in it, and its Content-Security-Policy allows
only these, by their hashes. So it works from a file, asks nothing of any server, and members' words
cannot act. Only the page that checks the record reads a file: ``record.json`` beside it, or one
that its reader chooses. Rejected: a shared style sheet, since browsers disagree on the origin of a
file.

The cards embed a record or a question elsewhere, each as one SVG picture. A card follows the
reader's light or dark colours, loads nothing, and runs nothing. Its words are cut to fit, since SVG
does not break lines.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from markupsafe import Markup
from rich.console import Console
from rich.text import Text

from forecasts.common.errors import BadInput
from forecasts.common.secret_addresses import without_secrets
from forecasts.common.text import count, on_one_line
from forecasts.common.times import iso, to_minute
from forecasts.documents import svg
from forecasts.documents.as_html import environment
from forecasts.documents.document import Document, Figure, Section, Table
from forecasts.documents.numbers import NOTHING, number
from forecasts.publication import facts
from forecasts.publication.facts import (
    QuestionView,
    details_of,
    name_of,
    note_of,
    views,
    web_link,
)
from forecasts.publication.record import Publication
from forecasts.reports import figures, wording
from forecasts.reports.build import build
from forecasts.reports.report import By, Group
from forecasts.reports.report_document import report_document

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).with_name("templates")
_LATEST = 8  # outcomes and open questions on the first page
CHECK_PAGE = "verify.html"
_SIMULATED = "(simulated)"  # in the handle of each simulated member
_MOST = 100  # entries of the feed
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")
_SEARCH = "questions.html"


def site_files(publication: Publication, *, now: datetime, url: str = "") -> dict[str, str]:
    """Return the site's files by their paths in its folder; equal records make equal files.

    ``url``: the address at which the folder will be, for absolute links in the feed, the cards'
    line to paste and the pages' descriptions. BadInput if it is not an address.
    """
    return dict(_Writer(publication, now, base_url(url)).files())


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

    def __init__(self, publication: Publication, now: datetime, url: str) -> None:
        self.publication, self.now = publication, now
        self.views = views(publication, now)
        self.group: Group | None = None
        self.document: Document | None = None
        if publication.questions:  # the report is on the published forecasts alone
            by: By = "team" if publication.is_team else "forecaster"
            report = build(publication.frames, by=by, names=[publication.title], as_of=now)
            self.group, self.document = report.groups[0], report_document(report)
        people = {one.forecaster for each in publication.questions for one in each.forecasts}
        self.site = {
            "name": publication.title,
            "team": publication.is_team,
            "url": url,
            "as_of": to_minute(now),
            "simulated": any(_SIMULATED in handle for handle in people),
            "later": publication.later,
            "navigation": {
                "index.html": "Record",
                _SEARCH: "Questions",
                **({"report.html": "Report"} if self.document else {}),
                CHECK_PAGE: "Check",
                "how-to-read.html": "How to read",
            },
        }

    def files(self) -> Iterator[tuple[str, str]]:
        name, numbers = self.publication.title, self.publication.numbers
        total = count(len(self.views), "question")
        yield self._page(
            "index.html",
            "Public record",
            f"Public record of {name}: {count(numbers.questions, 'question')}, "
            f"{count(numbers.forecasts, 'forecast')}.",
            facts=facts,
            publication=self.publication,
            section=self._section(),
            scope="" if self.document is None else self.document.scope,
            resolved=[view for view in self.views if view.filter == "resolved"][:_LATEST],
            open=[view for view in self.views if view.filter != "resolved"][:_LATEST],
            total=total if self.views else "",
        )
        yield self._page(
            _SEARCH,
            "Questions",
            f"All {total} of {name}, with search.",
            script=_read("search.js"),
            views=self.views,
            total=total,
            index=[view.searched for view in self.views],
        )
        if self.document is not None:
            about = f"Scores and calibration of {name}."
            yield self._page("report.html", "Full report", about, document=self.document)
        about = f"Checks the proof of {name} in the browser."
        yield self._page(CHECK_PAGE, "Check this record", about, script=_read("proof.js"))
        yield self._page(
            "how-to-read.html",
            "How to read this",
            "The meaning of the numbers, the charts and the proof of a public record.",
            terms=() if self.document is None else self.document.terms,
            reported=self.document is not None,
        )
        yield "feed.xml", self._feed()
        day = f"{self.now:%Y-%m-%d}"
        yield "card.svg", record_card(self.publication, self.group, day)
        around = [None, *self.views, None]
        for before, view, after in zip(around, self.views, around[2:], strict=False):
            first, *aside = facts.question_document(view).sections
            yield self._page(
                f"questions/{view.stem}.html",
                view.text.title,
                f"{view.status}. {name}: {' '.join(view.headline)}.",
                view=view,
                first=first,
                aside=aside,
                earlier=before,
                later=after,
            )
            yield f"cards/{view.stem}.svg", question_card(view, day)

    def _feed(self) -> str:
        """Return the newest resolutions in Atom (RFC 4287); without an address, links are relative.

        An entry keeps its id when an outcome is corrected, and has a later time then.
        """
        resolved = [
            (one.recorded_at, view)
            for view in self.views
            if (one := view.question.state.resolution) is not None
        ]
        resolved.sort(key=lambda one: one[0], reverse=True)
        # A feed must have a time; before the first resolution it is that of the last forecast.
        updated = resolved[0][0] if resolved else self.publication.numbers.last or _EPOCH
        newest = [view for _, view in resolved[:_MOST]]
        template = _environment().get_template("feed.xml")
        return template.render(site=self.site, updated=updated, resolved=newest)

    def _section(self) -> Section | None:
        """Return the verdict, the scores and the reliability diagram of the report."""
        if self.document is None or self.group is None or not self.group.questions:
            return None
        section = self.document.sections[0]
        # Without the tiles that compare with others: nobody else is in the record.
        tiles = [
            replace(
                one, rows=tuple(row for row in one.rows if row[1] != NOTHING), note="", helps=()
            )
            for one in section.basis
            if isinstance(one, Table) and one.tiles
        ]
        drawn = [replace(one, term=None) for one in section.blocks if isinstance(one, Figure)]
        return Section("", section.findings, (*tiles, *drawn[:1]))

    def _page(
        self, path: str, title: str, description: str, *, script: str = "", **shown: Any
    ) -> tuple[str, str]:
        """Return the path and the text of a page."""
        style = _style()
        template = "question.html" if path.startswith("questions/") else path
        page = {
            "path": path,
            "title": title,
            "description": description,
            "policy": policy(style, script, reads=path == CHECK_PAGE),
        }
        return path, _environment().get_template(template).render(
            site=self.site,
            page=page,
            root="../" * path.count("/"),
            style=_trusted(style),
            script=_trusted(script),
            **shown,
        )


def policy(style: str, script: str, *, reads: bool = False) -> str:
    """Return the Content-Security-Policy of a page with just this style and this script.

    ``reads``: the page also reads a file beside it.
    """
    parts = ["default-src 'none'", "img-src data:", f"style-src '{_hash(style)}'"]
    if script:
        parts.append(f"script-src '{_hash(script)}'")
    parts += ["connect-src 'self'"] if reads else []
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


@cache
def _style() -> str:
    parts = [svg.colours(), _read("document.css"), svg.css(), _read("site.css")]
    return " ".join(" ".join(parts).split())


def _read(name: str) -> str:
    source, _, _ = _environment().loader.get_source(_environment(), name)  # type: ignore[union-attr]
    return source


def _trusted(text: str) -> Any:
    return Markup(text)  # noqa: S704 - our own style or script


@cache
def _environment() -> Environment:
    made = environment(_TEMPLATES)
    made.globals |= {
        "details_of": details_of,
        "identity": lambda name: uuid5(NAMESPACE_URL, f"forecast-ledger:{name}").urn,
        "instant": lambda moment: iso(moment.replace(microsecond=0)),
        "iso": iso,
        "minute": to_minute,
        "name_of": name_of,
        "note_of": note_of,
        "signs": {"supports": "▲", "opposes": "▼", "context": "●"},
        "web_link": web_link,
        "without_secrets": without_secrets,
    }
    made.filters["on_one_line"] = on_one_line
    return made


_WIDTH, _HEIGHT, _EDGE = 480, 238, 22
_ROOM = _WIDTH - 2 * _EDGE
_BOLD = {"name": 1.12, "title": 1.12}  # how much wider these words are
_EM = 0.6  # the width of a character, in font sizes
_SIZES = {"name": 20, "title": 16, "big": 30, "ink": 13, "soft": 12, "small": 11}
_Line = tuple[float, float, str, str]  # x, y, kind, words


def record_card(publication: Publication, group: Group | None, day: str) -> str:
    """Return the card of a record; ``group``: its report, None before the first score."""
    numbers = publication.numbers
    about = "Public record of a team" if publication.is_team else "Public record"
    drawn = group if group is not None and group.questions else None
    room = 232 if drawn else _ROOM
    made = f"{count(numbers.questions, 'question')}, {count(numbers.forecasts, 'forecast')}"
    said = f"Public record of {publication.title}: {made}"
    lines = [*_lines(publication.title, 42, "name", room), (_EDGE, 62, "soft", about)]
    if numbers.brier is not None:
        brier = number(numbers.brier)
        said += f", Brier score {brier}"
        of = f"Brier score (0–1), {count(numbers.scored, 'score')}"
        lines += [(_EDGE, 112, "big", brier), (_EDGE, 132, "soft", of)]
    else:
        lines.append((_EDGE, 104, "ink", "No scored question yet"))
    plot = ""
    if drawn is not None:
        lines.append((_EDGE, 160, "ink", wording.BADGES[drawn.verdict.kind]))
        plot = svg.plot(figures.reliability("", drawn).charts[0], 286, 22, 172)
    return _card(said, lines, plot, f"{made} · {day}")


def question_card(view: QuestionView, day: str) -> str:
    """Return the card of a question: its forecasts over time, the latest one, and its outcome."""
    title, chart = view.text.title, view.chart
    value, what = view.headline
    left = _EDGE if chart is None else 262
    room = _WIDTH - _EDGE - left
    state = view.status + (f" · {view.score_name} {view.score}" if view.score else "")
    lines = [
        *_lines(title, 38, "title", most=2),
        *_lines(value, 110, "big", room, left),
        *_lines(what, 130, "soft", room, left),
        *_lines(state, 158, "ink", room, left, most=2),
    ]
    plot = "" if chart is None else svg.plot(chart, _EDGE, 80, 212)
    said = f"{title} {value}, {what}. {state}."
    return _card(said, lines, plot, f"{view.publication.title} · {day}")


def _card(said: str, lines: list[_Line], plot: str, foot: str) -> str:
    style = " ".join(" ".join([svg.colours(), svg.css(), _read("card.css")]).split())
    template = _environment().get_template("card.svg")
    lines = [*lines, *_lines(foot, _HEIGHT - 14, "small", 330)]
    place = {"width": _WIDTH, "height": _HEIGHT, "edge": _EDGE}
    style, plot = _trusted(style), _trusted(plot)
    return template.render(said=said, lines=lines, style=style, plot=plot, **place)


def _lines(
    words: str, y: float, kind: str, room: float = _ROOM, x: float = _EDGE, most: int = 1
) -> list[_Line]:
    """Return the words in up to ``most`` lines within ``room`` pixels."""
    size = _SIZES[kind]
    cells = int(room / size / _BOLD.get(kind, 1.0) / _EM)
    every = enumerate(wrapped(words, cells, most))
    return [(x, y + place * size * 1.3, kind, line) for place, line in every]


def wrapped(words: str, cells: int, most: int) -> list[str]:
    """Return ``words`` in at most ``most`` lines, cut with an ellipsis.

    A line has ``cells`` characters, or half as many Chinese ones.

    >>> wrapped("Will it rain tomorrow?", 12, 2)
    ['Will it rain', 'tomorrow?']
    >>> wrapped("Incomprehensibilities abound", 8, 1)
    ['Incompr…']
    """
    lines = Text(on_one_line(words)).wrap(Console(width=_WIDTH), cells)
    kept, rest = lines[: most - 1], Text(" ").join(lines[most - 1 :])
    rest.truncate(cells, overflow="ellipsis")
    return [line.plain.rstrip() for line in (*kept, rest) if line.plain.strip()]
