"""Cards to embed elsewhere: a record and a question, each as one SVG picture.

A card follows the reader's light or dark colours, loads nothing, and runs nothing. Its words are
escaped and cut to fit, since SVG does not break lines.
"""

from __future__ import annotations

from functools import cache
from html import escape

from rich.console import Console
from rich.text import Text

from forecasts.common.text import count, on_one_line
from forecasts.documents import svg
from forecasts.documents.as_html import colours
from forecasts.documents.numbers import number
from forecasts.publication.question_view import QuestionView
from forecasts.publication.record import Publication
from forecasts.reports import figures, wording
from forecasts.reports.report import Group

_WIDTH, _HEIGHT, _EDGE = 480, 238, 22
_BOLD = {"name": 1.12, "title": 1.12}  # how much wider these words are
_EM = 0.6  # the width of a character, in font sizes
_FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif'


def record_card(publication: Publication, group: Group | None, day: str) -> str:
    """Return the card of a record; ``group``: its report, None before the first score."""
    numbers = publication.numbers
    about = "Public record of a team" if publication.is_team else "Public record"
    drawn = group if group is not None and group.questions else None
    room = 232 if drawn else _WIDTH - 2 * _EDGE
    parts = [*_lines(publication.title, 42, room, 20, 1, "name"), _text(62, about, "soft")]
    if numbers.brier is not None:
        parts.append(_text(112, number(numbers.brier), "big"))
        of = f"Brier score (0–1), {count(numbers.scored, 'score')}"
        parts.append(_text(132, of, "soft"))
    else:
        parts.append(_text(104, "No scored question yet", "ink"))
    if drawn is not None:
        parts.append(_text(160, wording.BADGES[drawn.verdict.kind], "ink"))
        parts.append(svg.plot(figures.reliability("", drawn).charts[0], 286, 22, 172))
    made = f"{count(numbers.questions, 'question')}, {count(numbers.forecasts, 'forecast')}"
    parts += _foot(f"{made} · {day}")
    said = f"Public record of {publication.title}: {made}"
    if numbers.brier is not None:
        said += f", Brier score {number(numbers.brier)}"
    return _card(said, parts)


def question_card(view: QuestionView, day: str) -> str:
    """Return the card of a question: its forecasts over time, the latest one, and its outcome."""
    title, room = view.text.title, _WIDTH - 2 * _EDGE
    value, what = view.headline
    parts = _lines(title, 38, room, 16, 2, "title")
    chart = view.chart
    left = 262 if chart is not None else _EDGE
    if chart is not None:
        parts.append(svg.plot(chart, _EDGE, 80, 212))
    parts += _lines(value, 110, _WIDTH - _EDGE - left, 30, 1, "big", left)
    parts += _lines(what, 130, _WIDTH - _EDGE - left, 12, 1, "soft", left)
    state = view.status + (f" · {view.score_name} {view.score}" if view.score else "")
    parts += _lines(state, 158, _WIDTH - _EDGE - left, 13, 2, "ink", left)
    parts += _foot(f"{view.publication.title} · {day}")
    return _card(f"{title} {value}, {what}. {state}.", parts)


def _foot(words: str) -> list[str]:
    return [
        *_lines(words, _HEIGHT - 14, 330, 11, 1, "small"),
        _text(_HEIGHT - 14, "Forecast Ledger", "small", _WIDTH - _EDGE, "end"),
    ]


def _card(said: str, parts: list[str]) -> str:
    label = escape(on_one_line(said))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{label}">'
        f"<title>{label}</title><style>{_style()}</style>"
        f'<rect class="card" x=".5" y=".5" width="{_WIDTH - 1}" height="{_HEIGHT - 1}" rx="10"/>'
        f"{''.join(parts)}</svg>\n"
    )


@cache
def _style() -> str:
    sizes = {"name": 20, "title": 16, "big": 30, "ink": 13, "soft": 12, "small": 11}
    rules = [
        colours(),
        svg.css(),
        f"text{{font-family:{_FONT}}}line,path{{vector-effect:non-scaling-stroke}}",
        ".card{fill:var(--page);stroke:var(--line)}",
        *(f".t-{name}{{font-size:{size}px}}" for name, size in sizes.items()),
        ".t-name,.t-title,.t-big,.t-ink{fill:var(--ink)}.t-name,.t-title{font-weight:600}",
    ]
    return " ".join("".join(rules).split())


def _text(y: float, words: str, kind: str, x: float = _EDGE, anchor: str = "start") -> str:
    return (
        f'<text class="t-{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">'
        f"{escape(on_one_line(words))}</text>"
    )


def _lines(
    words: str, y: float, room: float, size: float, most: int, kind: str, x: float = _EDGE
) -> list[str]:
    """Return the words in up to ``most`` lines of that font size within ``room`` pixels."""
    cells = int(room / size / _BOLD.get(kind, 1.0) / _EM)
    return [
        _text(y + place * size * 1.3, line, kind, x)
        for place, line in enumerate(wrapped(words, cells, most))
    ]


def wrapped(words: str, cells: int, most: int) -> list[str]:
    """Return ``words`` in at most ``most`` lines, cut with an ellipsis.

    A line has ``cells`` characters, or half as many Chinese ones.

    >>> wrapped("Will it rain tomorrow?", 12, 2)
    ['Will it rain', 'tomorrow?']
    >>> wrapped("Incomprehensibilities abound", 8, 1)
    ['Incompr…']
    """
    lines = Text(on_one_line(words)).wrap(_console(), cells)
    kept, rest = lines[: most - 1], Text(" ").join(lines[most - 1 :])
    rest.truncate(cells, overflow="ellipsis")
    return [line.plain.rstrip() for line in (*kept, rest) if line.plain.strip()]


@cache
def _console() -> Console:
    return Console(width=_WIDTH)
