"""Ask: register a question and forecast it, in one act, typed as one line or field by field.

Pages and the command line use it alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import partial

from sqlmodel import Session

from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.vocabulary import QuestionType
from forecasts.ledger.models import Forecast, Member, Question, QuestionText, Visibility
from forecasts.questions.passages import Passage
from forecasts.questions.registry import others_see, register
from forecasts.questions.revisions import reworded
from forecasts.reading.drafting.intervals import MONTHS, WEEKDAYS
from forecasts.updates.evidence import CitedEvidence
from forecasts.updates.model_uses import Model
from forecasts.updates.updates import update
from forecasts.values.asked_type import asked_type, require_asked_type
from forecasts.values.date_spellings import HOLIDAY, SEASON
from forecasts.values.typed_dates import typed_deadline, words_after_day
from forecasts.values.value import Value, format_probability
from forecasts.values.value_parsing import read_percent_field

# After a question mark anything may be the probability, and a number or a percentage must be one.
_AFTER_QUESTION = re.compile(r"(?P<title>.*\?)(?:[\s,;:!–—]|-+(?=\s))*(?P<typed>[^?]*)")
_PERCENT_SIGNS = str.maketrans("％٪﹪", "%%%")
_PERCENT_SIGN = re.compile(r"(?i)%|\bper ?cent\b|\bpct\b")
# Elsewhere it must be set apart from the title, which may itself end in a percentage: "Will
# inflation exceed 3%". Two forms of a number, since "by June 12,5%" may say 5% or 12.5%; without
# its sign it must follow a date that no number can continue: "by June, 8" may lack a year.
_SET_APART = tuple(
    re.compile(
        r"(?P<title>.*[^\s,;:–—-])(?P<gap>\s*[,;:–—]\s*|\s+-+\s+|\s+)"
        rf"(?P<typed>[-+<>~]?{number}\s?%|{number})"
    )
    for number in (r"\d{1,3},\d{1,4}", r"(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})")
)
_TWO_NUMBERS = re.compile(
    r"(?P<title>.*[^\s,;:–—-])(?P<gap>\s*[,;:–—]\s*|\s+)(?P<typed>\d{1,3}\s?[/:–-]\s?\d{1,3})"
)
_IN_BRACKETS = re.compile(r"(?P<title>.*[^\s([])\s*[(\[](?P<typed>[^()\[\]?]{1,20})[)\]][.!]?")
_IN_QUOTES = re.compile(r"[\"'“‘](?P<title>[^\"”]*\?)[\"'”’]\s*(?P<typed>[^?]*)")
# Numbers that may be the probability, not set apart: "30%: rain", "tomorrow at 30%", "1 in 3".
_AT_START = re.compile(
    r"(?i)\W?(?P<typed>[\d.,]+ ?%)(?:(?P<apart>\W*[):;,–—-]\s"
    r"|\s(?=(?:will|does|do|is|are|can|has|chance)\b))|\s(?!of\b))"
)
_MAY_BE_ONE = re.compile(
    r"(?i)(?<![\w.,])(?P<typed>(?:\d[\d.,]*|[.,]\d+) ?(?:%|pct\b|per ?cent\b)"
    r"|0?[.,]\d+(?![\w.,]*\w)|\d{1,3} (?:in|out of) \d{1,4}\b(?! [a-z]))"
)
_LAST_NUMBER = re.compile(r"(?<![-–:/])[ ,](?P<typed>\d{1,2}|100)[ .!)]*$")
_OF_TITLE = re.compile(
    r"(?i)\b(?:exceed|above|below|over|under|than|by|to|of|least|most|reach|hit|top|pass|grow|rise|fall"
    r"|drop|beat|win|get|take|lose|gain|be|stay|remain|cut|raise|with|from|near|around|about|cross)s?"
    r"(?: (?:about|around|nearly|almost|only))? \W?$"
)
_ADDRESS = re.compile(r"(?i)https?://\S+")
LONGEST = 250  # characters of a pasted line; a longer text is an article
_NOT_IN_PERCENT = ("0", "00", "100")
_NAMES = [name for full in (*MONTHS, *WEEKDAYS) for name in (full, full[:3])]
_GOES_ON = re.compile(
    rf"(?i)\b(?:{'|'.join(_NAMES)}|Sept|{SEASON}|{HOLIDAY}|xmas|eoy|year[- ]?end"
    r"|end of (?:the )?year)\.?$"
    r"|(?<!\d{4}-\d\d-)(?<!\d)\d{1,2}(?:st|nd|rd|th)?$"
)


@dataclass(frozen=True)
class Line:
    """The reading of a line; ``probability`` and ``closes`` are None where it has none.

    ``probability``: as typed, for ``read_percent_field``, which may refuse it. ``unclear``: a
    number in the title that may be the probability; '' without one. ``type``: the one
    that the title asks for; the text after a title of another type than binary is ``given``, for
    the field of its forecast. ``doubt``: why the title's last day is not clear. ``typed``: the
    whole line.
    """

    title: str
    probability: str | None = None
    closes: datetime | None = None
    phrase: str = ""  # that the last day was read from
    unclear: str = ""
    type: QuestionType = QuestionType.binary
    doubt: BadInput | None = None
    given: str = ""
    typed: str = field(default="", repr=False)

    def require_clear(self) -> None:
        """Raise BadInput if the line asks for another type, or a number may be its probability."""
        if self.type != QuestionType.binary:
            require_asked_type(self.title, line=self.typed)
        if self.unclear:
            written = format_probability(read_percent_field(self.unclear))
            remedy = f"Write {written}, or end the question with a question mark."
            if "?" in self.title:
                remedy = "Write the probability after the question mark."
            elif not self.title.endswith(self.unclear):
                remedy = f"End the question with a question mark, and write {written} after it."
            elif self.unclear == written:
                other = "after it if it is not your forecast"
                remedy = f"Write a question mark before {written}, or {other}."
            raise BadInput(
                f"{self.unclear!r} could be a probability or part of the question.",
                remedy=remedy,
            )


def read_line(
    typed: str, *, now: datetime, zone: tzinfo | None = None, is_binary: bool = False
) -> Line:
    """Return the reading of a line; its days are those of ``zone``.

    ``is_binary``: its type is given, so that the title does not tell it.

    >>> noon = datetime.fromisoformat("2026-11-27T12:00Z")
    >>> read_line("Will it rain in London tomorrow? 30%", now=noon)  # doctest: +ELLIPSIS
    Line(title='Will it rain in London tomorrow?', probability='30%', closes=...)
    """
    typed = " ".join(typed.split()).translate(_PERCENT_SIGNS)
    if match := _IN_QUOTES.fullmatch(typed):
        typed = f"{match['title']} {match['typed']}".strip()
    rest = partial(words_after_day, now=now, zone=zone)

    def is_dated(words: str) -> bool:
        after = rest(words)
        return after is not None and not after.strip(" .!…")

    title, probability, unclear = _split(typed, is_dated)
    unclear = unclear or _left_in(title, rest(title))
    if not any(character.isalpha() for character in title):
        return Line("", probability or title or None)
    type_ = QuestionType.binary if is_binary else asked_type(title)
    given = ""
    if type_ != QuestionType.binary:
        asked = _AFTER_QUESTION.fullmatch(typed)
        title, given = (asked["title"], asked["typed"]) if asked else (title, probability or "")
        probability, unclear = None, ""
    line = partial(Line, title, probability, given=given, unclear=unclear, type=type_, typed=typed)
    try:
        named = typed_deadline(title, now=now, zone=zone)
    except BadInput as doubt:
        return line(doubt=doubt)
    return line() if named is None else line(closes=named.moment, phrase=named.phrase)


def require_question_only(title: str) -> str:
    """Return a title on one line; BadInput if a value follows it, which has a field of its own."""
    title = " ".join(title.split())
    asked = _AFTER_QUESTION.fullmatch(title)
    if asked and _must_be_one(asked["typed"]):
        raise BadInput(
            f"{asked['typed']!r} comes after the question.",
            remedy="Write it as your forecast, or leave it out.",
        )
    return title


def is_address(pasted: str) -> bool:
    """Return whether a web address was pasted, and nothing else."""
    return _ADDRESS.fullmatch(pasted.strip()) is not None


def pasted_line(pasted: str, *, now: datetime, zone: tzinfo | None = None) -> str | None:
    r"""Return a pasted text as one line; None if it is an article, or the address of one.

    Several lines are an article unless they are a question and its probability.

    >>> noon = datetime.fromisoformat("2026-11-27T12:00Z")
    >>> pasted_line("Will it rain tomorrow?\n30%", now=noon)
    'Will it rain tomorrow? 30%'
    """
    *first, last = [" ".join(row.split()) for row in pasted.splitlines() if row.strip()] or [""]
    title = " ".join(first)
    ends = _is_probability(last) and not title.endswith("?")
    line = f"{title}, {last}" if title and ends else f"{title} {last}".strip()
    if is_address(line) or len(line) > LONGEST:
        return None
    if first:
        read = read_line(line, now=now, zone=zone)
        if read.probability is None or not (ends or read.title.endswith("?")):
            return None
    return line


def _split(typed: str, is_dated: Callable[[str], bool]) -> tuple[str, str | None, str]:
    """Return the title, the probability after it, if any, and what may be one, as typed."""
    asked = _AFTER_QUESTION.fullmatch(typed)
    after = asked["typed"].strip("()[]\"'“”‘’ ").rstrip(".! ") if asked else ""
    if asked and _is_probability(after):
        return asked["title"], after, ""
    if (match := _IN_BRACKETS.fullmatch(typed)) and _is_probability(match["typed"]):
        if is_dated(match["title"]):
            return match["title"], match["typed"], ""
        return typed, None, "" if match["typed"].isdecimal() else match["typed"]
    found = _numbers_apart(typed, is_dated)
    if (
        asked
        and _must_be_one(asked["typed"])
        and not any(is_dated(one) for one in (typed, *(match["title"] for match in found)))
    ):
        return asked["title"], asked["typed"], ""
    if len(found) > 1:
        return typed, None, found[0]["typed"]
    for apart in found:
        title, number = apart["title"], apart["typed"]
        if number.endswith("%") or not _may_belong(title, number, is_dated):
            return title, number, ""
        return typed, None, number
    if (match := _TWO_NUMBERS.fullmatch(typed)) and is_dated(match["title"]):
        pair = match["typed"]
        # A vote may be split 52-48, which is a range here.
        if sum(map(int, re.findall(r"\d+", pair))) == 100 and _is_probability(pair):
            return match["title"], pair, ""
        if _is_probability(pair) and not is_dated(typed):
            return typed, None, pair
    if typed.endswith("%?"):
        for apart in _numbers_apart(typed[:-1], is_dated):
            if is_dated(apart["title"]) and _is_probability(apart["typed"]):
                return typed, None, apart["typed"]
    return typed, None, ""


def _left_in(title: str, after_day: str | None) -> str:
    """Return a number in a title that may be the probability, not set apart; '' without one."""
    is_open = not title.endswith("?")
    if (match := _AT_START.match(title)) and (is_open or match["apart"]):
        return match["typed"]
    _, _, after = title.partition("? ")
    for words in (after, after_day or "" if is_open else ""):
        if match := _MAY_BE_ONE.search(words) or _LAST_NUMBER.search(words):
            return match["typed"]
    for match in _MAY_BE_ONE.finditer(title):
        is_last = is_open and after_day is None and not title[match.end() :].strip(" .!)]")
        if is_last and not _OF_TITLE.search(title[: match.start()]):
            return match["typed"]
    return ""


def _numbers_apart(typed: str, is_dated: Callable[[str], bool]) -> list[re.Match[str]]:
    """Return the forms of a number at the end of a line that may be the probability."""
    matches = (form.fullmatch(typed) for form in _SET_APART)
    return [match for match in matches if match and _is_set_apart(match, is_dated)]


def _is_set_apart(match: re.Match[str], is_dated: Callable[[str], bool]) -> bool:
    """Return whether the number at the end of a line may be the probability."""
    title, gap, number = match["title"], match["gap"].strip(), match["typed"]
    is_tight = match["gap"] == "," and title[-1].isdigit()  # "12,5": a decimal comma
    if number.endswith("%"):
        return (bool(gap) and not is_tight) or is_dated(title)
    if gap == "," and not is_tight:
        return float(number.replace(",", ".")) <= 100
    return is_dated(title) and not is_dated(match.string)


def _may_belong(title: str, number: str, is_dated: Callable[[str], bool]) -> bool:
    """Return whether a number without a % sign may be part of the title that it follows."""
    continues = _GOES_ON.search(title) is not None or number in _NOT_IN_PERCENT
    return continues or not is_dated(title)


def _must_be_one(after: str) -> bool:
    """Return whether the words after a question mark can only be a probability."""
    has_words = any(character.isalpha() for character in after)
    is_figure = any(character.isdigit() for character in after)
    return is_figure and (not has_words or _PERCENT_SIGN.search(after) is not None)


def _is_probability(typed: str) -> bool:
    try:
        read_percent_field(typed)
    except LedgerError:
        return False
    return True


@dataclass(frozen=True)
class Asked:
    """A new question as it was registered, and its first forecast, None without one.

    ``kept_private``: only its author sees it, since it has no criteria yet.
    """

    question: Question
    text: QuestionText
    forecast: Forecast | None
    kept_private: bool
    count = 1

    @property
    def forecasts(self) -> int:
        """How many forecasts were made."""
        return int(self.forecast is not None)


def ask(
    session: Session,
    text: QuestionText,
    value: Value | None = None,
    *,
    member: Member,
    now: datetime,
    slug: str | None = None,
    sources: Sequence[Passage] = (),
    audience_chosen: bool = False,
    rationale: str = "",
    evidence: Sequence[CitedEvidence] = (),
    model: Model | None = None,
    origin: str = "cli",
) -> Asked:
    """Return the new question and its first forecast, which are written.

    Without criteria it is visible to its author only, unless its audience was chosen: what others
    see needs criteria. Errors as in ``register`` and ``update``.
    """
    kept_private = not audience_chosen and needs_criteria(session, text)
    if kept_private:
        text = kept_to_author(text)
    question = register(session, text, member=member, now=now, slug=slug, sources=sources)
    forecast = None
    if value is not None:
        forecast = update(
            session, question, value, member=member, now=now, rationale=rationale,
            evidence=evidence, model=model, origin=origin,
        ).forecast  # fmt: skip
    return Asked(question, text, forecast, kept_private)


def needs_criteria(session: Session, text: QuestionText) -> bool:
    """Return whether others would see a question that has no criteria yet."""
    return not text.has_criteria and others_see(session, text)


def kept_to_author(text: QuestionText) -> QuestionText:
    """Return the question as only its author sees it."""
    return reworded(text, visibility=Visibility.author)
