"""Other people's words, and times, made ready for a page.

Everyone's words are data. Streamlit's headings, captions, links and labels read Markdown, so
``as_text`` takes away whatever the Markdown renderer would act upon; nothing is lost to the eye.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from difflib import SequenceMatcher
from urllib.parse import quote

from forecasts.common.times import iso_day_or_time, utc
from forecasts.exchange.import_ import Imported
from forecasts.ledger.models import Question, QuestionText, QuestionType
from forecasts.reports.render.wording import shortened as shortened

# Invisible, and no letter: it parts what the renderer would join into a shortcode or a link
# even where the signs themselves are escaped (it looks for those after reading the Markdown).
_JOINER = "\u2060"
_URL_SIGNS = "/:?#@!$&'()*+,;=%~-._"
# Control signs, and those that turn the direction of the words around them.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SHORTCODE = re.compile(r":(?=[\w+-]*[\w+/-]*:)")
_LINK = re.compile(r"(?i)(?<=[a-z]:)(?=//)|(?<=www)(?=\.)|(?<=\S@)(?=\S)|(?<=mailto:)|(?<=xmpp:)")
# A web or mail address in a text; the stops behind it belong to the sentence.
_ADDRESS = re.compile(
    r"(?i)(\b(?:https?://|www\.)[^\s<>]*[^\s<>.,;:!?\"'’”»]|\b[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)"
)
# Of two wordings: how much has to be common to show what is not, the words shown beside a change,
# and how many words may be compared with how many: where one word stands everywhere, that takes as
# long as the cube of them.
_ALIKE, _BESIDE, _MOST_COMPARED = 0.4, 4, 40_000
# What stands behind a question mark beside a score, in the same words on each page.
COVERAGE_HELP = (
    "Share of the time from the opening to the scheduled close for which a forecast stood."
)
CRPS_HELP = "0 is best; 1 would be a miss by the whole range of the question."

_PER_CENT = re.compile(r"(?<=\d) (?=%)")
_ARROW = re.compile(r"(?<=<)(?=-)|(?<=-)(?=[->])|(?<=[<>=~!])(?==)")


def as_text(words: str) -> str:
    """Return ``words`` on one line as Markdown that shows exactly these words and does nothing.

    Markup, HTML, LaTeX, colour directives, links, emoji and icon shortcodes lose their effect.
    An address stands in a code span, from which it is copied without any sign that is not its own.
    A sign of per cent stays on one line with its number.
    """
    plain = " ".join(_UNSEEN.sub(" ", words).split())
    return "".join(
        _code(part) if place % 2 else _inert(part)
        for place, part in enumerate(_ADDRESS.split(plain))
    )


def _inert(plain: str) -> str:
    for pattern in (_SHORTCODE, _LINK, _ARROW):
        plain = pattern.sub(
            lambda match: match.group() + _JOINER if match.group() else _JOINER, plain
        )
    return _PUNCTUATION.sub(r"\\\1", _PER_CENT.sub("\u00a0", plain))


def _code(plain: str) -> str:
    """Return a code span of the words: one more backtick on each side than stand together in it."""
    fence = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    edge = " " if "`" in (plain[:1], plain[-1:]) else ""
    return f"{fence}{edge}{plain}{edge}{fence}"


def paragraphs(words: str) -> str:
    """Return ``words`` as Markdown that shows exactly these words, in their paragraphs."""
    return "\n\n".join(as_text(part) for part in re.split(r"\n\s*\n", words) if part.strip())


def reworded(before: str, after: str) -> str | None:
    """Return as Markdown how ``before`` became ``after``, in words; None where little is common.

    What was taken out is struck through, what was put in is bold; of what stayed the words next to
    it are shown.
    """
    old, new = before.split(), after.split()
    if not old or not new or old == new or len(old) * len(new) > _MOST_COMPARED:
        return None
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return None
    parts: list[str] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        gone, come = (as_text(" ".join(some)) for some in (old[a:b], new[c:d]))
        if kind == "equal":
            stayed = old[a:b]
            left = _BESIDE if a > 0 else 0
            right = _BESIDE if b < len(old) else 0
            if len(stayed) > left + right + 1:
                stayed = [*stayed[:left], "…", *stayed[len(stayed) - right :]]
            parts.append(as_text(" ".join(stayed)))
            continue
        if gone:
            parts.append(f"~~{gone}~~")
        if come:
            parts.append(f"**{come}**")
    return " ".join(parts)


def marked(words: str, start: int, end: int) -> list[str]:
    """Return the paragraphs of ``words`` as Markdown, ``words[start:end]`` standing out in them."""
    shown, begin = [], 0
    for part in words.split("\n\n"):
        first, last = max(start - begin, 0), min(end - begin, len(part))
        if first < last:
            before, quoted, after = part[:first], part[first:last], part[last:]
            shown.append(
                as_text(before)
                + (" " if before[-1:].isspace() else "")
                + f":orange-background[**{as_text(quoted)}**]"
                + (" " if after[:1].isspace() else "")
                + as_text(after)
            )
        else:
            shown.append(as_text(part))
        begin += len(part) + 2
    return shown


def link(url: str | None, label: str) -> str:
    """Return ``label`` as a Markdown link to ``url``; as text where that is no web address."""
    if url is None or not re.match(r"https?://", url):
        return as_text(label)
    # Whatever could end the link's target is percent-encoded; letters and % stay as they are.
    return f"[{as_text(label)}](<{quote(url, safe=_URL_SIGNS)}>)"


def when(moment: datetime) -> str:
    """Return a time for a person, in UTC and said so: '30 Nov 2025, 23:59 UTC'."""
    return f"{utc(moment):%-d %b %Y, %H:%M} UTC"


def day(moment: datetime | date) -> str:
    """Return a day for a person: '30 Nov 2025'."""
    return f"{moment:%-d %b %Y}"


def published(moment: datetime | None) -> str:
    """Return when an article appeared: its day, or its time where that is known; '' if unknown."""
    if moment is None:
        return ""
    return day(moment) if len(iso_day_or_time(moment)) == 10 else when(moment)


def span(length: timedelta) -> str:
    """Return a length of time in its largest fitting unit: '12 days', '3 hours', '1 minute'."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in (("year", 31_557_600), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= (2 * size if unit == "year" else size):
            return counted(seconds // size, unit)
    return "less than a minute"


def closing(text: QuestionText, now: datetime) -> str:
    """Return when the question closes or closed, from here: 'closes in 12 days'."""
    if now < text.open_time:
        return f"opens in {span(text.open_time - now)}"
    if now < text.close_time:
        return f"closes in {span(text.close_time - now)}"
    return f"closed {span(now - text.close_time)} ago"


def figure(number: float, text: QuestionText) -> str:
    """Return a number on the question's scale, with its unit, or a day (seconds since 1970)."""
    if text.type == QuestionType.date:
        return day(datetime.fromtimestamp(number, UTC))
    return f"{number:,.6g} {text.unit or ''}".rstrip()


def bounds(text: QuestionText) -> str:
    """Return between which numbers or days a question asks: '0 to 500 million t'; '' if neither."""
    if text.lower_bound is None or text.upper_bound is None:
        return ""
    lowest, highest = (bound.removesuffix(".0") for bound in (text.lower_bound, text.upper_bound))
    return f"{lowest} to {highest} {text.unit or ''}".rstrip()


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number with its noun: '1 question', '2 questions'."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def added(done: Imported) -> str:
    """Return what an import has added, for a person: '28 questions, 3 articles'."""
    parts = [
        counted(number, *thing)
        for number, thing in (
            (done.questions, ("question",)),
            (done.revised, ("new wording",)),
            (done.forecasts, ("forecast",)),
            (done.resolutions, ("resolution",)),
            (done.evidence, ("piece of evidence", "pieces of evidence")),
            (done.articles, ("article",)),
        )
        if number
    ]
    return ", ".join(parts) or "nothing new"


def link_to(question: Question) -> dict[str, str]:
    """Return the query parameters by which the Question page finds the question."""
    return {"slug": question.slug}
