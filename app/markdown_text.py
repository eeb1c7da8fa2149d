"""Text, numbers and times formatted for a page.

Users' text is data. Streamlit's headings, captions, links and labels read Markdown, so ``as_text``
disables all markup in it; the reader sees exactly what was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from urllib.parse import quote, urlencode

from forecasts.common.text import count
from forecasts.common.text import shortened as shortened
from forecasts.ledger.models import QuestionText

# An invisible character that is not a letter. It breaks up shortcodes and links, which the
# renderer looks for after reading the Markdown, so that escaping alone does not stop it.
_JOINER = "\u2060"
_URL_CHARACTERS = "/:?#@!$&'()*+,;=%~-._"
# Control characters, and characters that change the direction of the text around them.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SHORTCODE = re.compile(r":(?=[\w+-]*[\w+/-]*:)")
_LINK = re.compile(r"(?i)(?<=[a-z]:)(?=//)|(?<=www)(?=\.)|(?<=\S@)(?=\S)|(?<=mailto:)|(?<=xmpp:)")
# A web or mail address in a text, without the punctuation of the sentence after it; or a command's
# option, whose two dashes the renderer would turn into one.
_COPIED = re.compile(
    r"(?i)(\b(?:https?://|www\.)[^\s<>]*[^\s<>.,;:!?\"'’”»]|\b[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"
    r"|(?<!\S)--[a-z][a-z-]*\b)"
)
# A word diff needs this similarity, shows this many unchanged words beside a change, and is not
# tried beyond this product of lengths: with one word repeated, its time grows with the cube.
_SIMILARITY, _CONTEXT, _MOST_COMPARED = 0.4, 4, 40_000

# Spaces inside a figure: before its percent sign, and those of "1 to 3".
_WITHIN = re.compile(r"(?<=\d) (?=%|to [+−]?\d)|(?<=\d to) (?=[+−]?\d)")
_ARROW = re.compile(r"(?<=<)(?=-)|(?<=-)(?=[->])|(?<=[<>=~!])(?==)")


def as_text(words: str) -> str:
    """Return ``words`` on one line as Markdown that shows exactly these words and does nothing.

    Markup, HTML, LaTeX, colour directives, links, emoji and icon shortcodes lose their effect.
    An address or a command's option becomes a code span, so that it can be copied without added
    characters. A figure with its sign, and "1 to 3", are not broken between lines.
    """
    plain = " ".join(_INVISIBLE.sub(" ", words).split())
    return "".join(
        _code(part) if place % 2 else _inert(part)
        for place, part in enumerate(_COPIED.split(plain))
    )


def _inert(plain: str) -> str:
    for pattern in (_SHORTCODE, _LINK, _ARROW):
        plain = pattern.sub(
            lambda match: match.group() + _JOINER if match.group() else _JOINER, plain
        )
    return _PUNCTUATION.sub(r"\\\1", _WITHIN.sub("\u00a0", plain))


def _code(plain: str) -> str:
    """Return a code span, fenced by one backtick more than the longest run of them inside."""
    fence = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    edge = " " if "`" in (plain[:1], plain[-1:]) else ""
    return f"{fence}{edge}{plain}{edge}{fence}"


def picture(svg: str, alt: str) -> str:
    """Return an SVG as Markdown, for a cell of a table."""
    return f"![{as_text(alt)}](data:image/svg+xml,{quote(svg)})"


def tagged(tags: Iterable[str]) -> str:
    """Return tags as Markdown, each in a frame, so that they do not look like facts."""
    return " ".join(f":gray-badge[{as_text(tag)}]" for tag in tags)


def as_lines(words: str) -> str:
    """Return ``words`` as inert Markdown with its line breaks."""
    return "  \n".join(map(as_text, words.splitlines()))


def paragraphs(words: str) -> str:
    """Return ``words`` as inert Markdown, in paragraphs."""
    return "\n\n".join(as_text(part) for part in re.split(r"\n\s*\n", words) if part.strip())


def reworded(before: str, after: str) -> str | None:
    """Return a word diff of two texts as Markdown; None if they have little in common.

    Removed words are struck through, added ones bold. Unchanged words are shown near a change only.
    """
    old, new = before.split(), after.split()
    if not old or not new or old == new or len(old) * len(new) > _MOST_COMPARED:
        return None
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _SIMILARITY:
        return None
    parts: list[str] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        removed, added = (as_text(" ".join(some)) for some in (old[a:b], new[c:d]))
        if kind == "equal":
            same = old[a:b]
            left = _CONTEXT if a > 0 else 0
            right = _CONTEXT if b < len(old) else 0
            if len(same) > left + right + 1:
                same = [*same[:left], "…", *same[len(same) - right :]]
            parts.append(as_text(" ".join(same)))
            continue
        if removed:
            parts.append(f"~~{removed}~~")
        if added:
            parts.append(f"**{added}**")
    return " ".join(parts)


def marked(words: str, spans: Iterable[tuple[int, int, str]]) -> list[str]:
    """Return the paragraphs of ``words`` as Markdown, with ``words[start:end]`` as links.

    ``spans``: start, end and name of each, which the link leads to on the same page.
    """
    shown, begin, spans = [], 0, sorted(spans)
    for part in words.split("\n\n"):
        pieces, at = [], 0
        for start, end, name in spans:
            first, last = max(start - begin, at), min(end - begin, len(part))
            if first < last:
                mark = f"[{as_text(part[first:last])}](#{name})"
                pieces += [_spaced(part[at:first]), mark]
                at = last
        shown.append("".join([*pieces, _spaced(part[at:])]).strip())
        begin += len(part) + 2
    return shown


def _spaced(words: str) -> str:
    """Return ``words`` as inert Markdown, with a space where they begin or end with one."""
    before, after = " " * words[:1].isspace(), " " * words[-1:].isspace()
    return f"{before}{as_text(words)}{after}"


def quoted(title: str, longest: int = 60) -> str:
    """Return a title of at most so many characters in quotation marks, not as Markdown."""
    return f"“{shortened(title, longest)}”"


def dotted(*parts: str | None) -> str:
    """Return the parts that are not blank as inert Markdown, with dots between them."""
    return " · ".join(as_text(part) for part in parts if part)


def link(url: str | None, label: str) -> str:
    """Return ``label`` as a Markdown link to ``url``; as text if that is not a web address."""
    if url is None or not re.match(r"https?://", url):
        return as_text(label)
    # Characters that could end the link's target are percent-encoded; letters and % are kept.
    return f"[{as_text(label)}](<{quote(url, safe=_URL_CHARACTERS)}>)"


def page_reference(page: str, label: str, **query: object) -> str:
    """Return ``label`` as a Markdown link to a page of the app; ``query``: of its address."""
    return f"[{as_text(label)}]({page}?{urlencode(query, quote_via=quote, safe='')})"


def span(length: timedelta) -> str:
    """Return a length of time in its largest fitting unit: '12 days', '3 hours', '1 minute'."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in (("year", 31_557_600), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= (2 * size if unit == "year" else size):
            return count(seconds // size, unit)
    return "less than a minute"


def closing(text: QuestionText, now: datetime) -> str:
    """Return the time to or since the question's opening or close: 'closes in 12 days'."""
    if now < text.open_time:
        return f"opens in {span(text.open_time - now)}"
    if now < text.close_time:
        return f"closes in {span(text.close_time - now)}"
    return f"closed {span(now - text.close_time)} ago"
