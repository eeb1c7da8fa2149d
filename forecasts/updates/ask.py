"""Ask: register a question and forecast it, in one act, typed as one line or field by field.

Pages and the command line use it alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlmodel import Session

from forecasts.common.errors import BadInput, LedgerError
from forecasts.ledger.models import Forecast, Member, Question, QuestionText, Visibility
from forecasts.questions.passages import Passage
from forecasts.questions.registry import others_see, register
from forecasts.questions.revisions import reworded
from forecasts.reading.drafting.intervals import MONTHS, WEEKDAYS
from forecasts.updates.evidence import CitedEvidence
from forecasts.updates.model_uses import Model
from forecasts.updates.updates import update
from forecasts.values.typed_dates import deadline_in_title
from forecasts.values.value import Value, format_probability
from forecasts.values.value_parsing import read_percent_field

# After a question mark anything may be the probability; elsewhere a percentage must be set apart
# from the title, which may itself end in one: "Will inflation exceed 3%". Without its sign it must
# follow a date that no number can continue: "by June, 8" may lack a year.
_AFTER_QUESTION = re.compile(r"(?P<title>.*\?)[\s,;:–—-]*(?P<probability>[^?]*)")
_SET_APART = re.compile(
    r"(?P<title>.*[^\s,;:–—-])(?P<gap>\s*[,;:–—]\s*|\s+-+\s+|\s+)(?P<probability>\d[\d.,]{0,20}\s?%)"
)
_WITHOUT_SIGN = re.compile(r"(?P<title>.*[^\s,;:–—-]) ?, ?(?P<probability>\d{1,2}|100|0?\.\d{1,4})")
_NOT_IN_PERCENT = ("0", "00", "100")
_NAMES = [name for full in (*MONTHS, *WEEKDAYS) for name in (full, full[:3])]
_GOES_ON = re.compile(
    rf"(?i)\b(?:{'|'.join(_NAMES)}|Sept)\.?$"
    r"|(?<!\d{4}-\d\d-)(?<!\d)\d{1,2}(?:st|nd|rd|th)?$"
)


@dataclass(frozen=True)
class Line:
    """The reading of a line; ``probability`` and ``closes`` are None where it has none.

    ``unclear``: a number at the end of the title that may be the probability; '' without one.
    """

    title: str
    probability: str | None = None
    closes: datetime | None = None
    phrase: str = ""  # that the last day was read from
    unclear: str = ""

    def require_clear(self) -> None:
        """Raise BadInput if a number at the end could be the probability or part of the title."""
        if self.unclear:
            raise BadInput(
                f"{self.unclear!r} at the end could be a probability or part of the question.",
                remedy=f"Write {format_probability(read_percent_field(self.unclear))}, "
                "or end the question with a question mark.",
            )


def read_line(typed: str, *, now: datetime, zone: tzinfo | None = None) -> Line:
    """Return the reading of a line; its days are those of ``zone``.

    >>> noon = datetime.fromisoformat("2026-11-27T12:00Z")
    >>> read_line("Will it rain in London tomorrow? 30%", now=noon)  # doctest: +ELLIPSIS
    Line(title='Will it rain in London tomorrow?', probability='30%', closes=...)
    """

    def ends_with_day(title: str) -> bool:
        named = deadline_in_title(title, now=now, zone=zone)
        return named is not None and named.end == len(title)

    typed = " ".join(typed.split())
    title, probability, unclear = typed, None, ""
    if (match := _AFTER_QUESTION.fullmatch(typed)) and _is_probability(match["probability"]):
        title, probability = match["title"], match["probability"]
    elif (match := _SET_APART.fullmatch(typed)) and _is_probability(match["probability"]):
        if match["gap"].strip() or ends_with_day(match["title"]):
            title, probability = match["title"], match["probability"]
    elif match := _WITHOUT_SIGN.fullmatch(typed):
        number = match["probability"]
        is_clear = not _GOES_ON.search(match["title"]) and number not in _NOT_IN_PERCENT
        if is_clear and ends_with_day(match["title"]):
            title, probability = match["title"], number
        else:
            unclear = number
    named = deadline_in_title(title, now=now, zone=zone)
    if named is None:
        return Line(title, probability, unclear=unclear)
    return Line(title, probability, named.moment, named.phrase, unclear)


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
    kept_private = not (audience_chosen or text.has_criteria) and others_see(session, text)
    if kept_private:
        text = reworded(text, visibility=Visibility.author)
    question = register(session, text, member=member, now=now, slug=slug, sources=sources)
    forecast = None
    if value is not None:
        forecast = update(
            session, question, value, member=member, now=now, rationale=rationale,
            evidence=evidence, model=model, origin=origin,
        ).forecast  # fmt: skip
    return Asked(question, text, forecast, kept_private)
