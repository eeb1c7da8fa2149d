"""Ask: register a question and forecast it, in one act, typed as one line or field by field.

Pages and the command line use it alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlmodel import Session

from forecasts.common.errors import LedgerError
from forecasts.ledger.models import Forecast, Member, Question, QuestionText, Visibility
from forecasts.questions.registry import others_see, register
from forecasts.questions.revisions import reworded
from forecasts.questions.sources import Passage
from forecasts.questions.typed_dates import deadline_in_title
from forecasts.updates.evidence import CitedEvidence
from forecasts.updates.model_uses import Model
from forecasts.updates.updates import update
from forecasts.updates.value_parsing import read_percent_field
from forecasts.updates.values import Value

# After a question mark anything may be the probability; elsewhere a percentage must be set apart
# from the title, which may itself end in one: "Will inflation exceed 3%".
_AFTER_QUESTION = re.compile(r"(?P<title>.*\?)[\s,;:–—-]*(?P<probability>[^?]*)")
_SET_APART = re.compile(
    r"(?P<title>.*[^\s,;:–—-])(?P<gap>\s*[,;:–—]\s*|\s+-+\s+|\s+)(?P<probability>\d[\d.,]{0,20}\s?%)"
)


@dataclass(frozen=True)
class Line:
    """The reading of a line; ``probability`` and ``closes`` are None where it has none."""

    title: str
    probability: str | None = None
    closes: datetime | None = None
    phrase: str = ""  # that the last day was read from


def read_line(typed: str, *, now: datetime, zone: tzinfo | None = None) -> Line:
    """Return the reading of a line; its days are those of ``zone``.

    >>> noon = datetime.fromisoformat("2026-11-27T12:00Z")
    >>> read_line("Will it rain in London tomorrow? 30%", now=noon)  # doctest: +ELLIPSIS
    Line(title='Will it rain in London tomorrow?', probability='30%', closes=..., phrase='tomorrow')
    """
    typed = " ".join(typed.split())
    title, probability = typed, None
    if (match := _AFTER_QUESTION.fullmatch(typed)) and _is_probability(match["probability"]):
        title, probability = match["title"], match["probability"]
    elif (match := _SET_APART.fullmatch(typed)) and _is_probability(match["probability"]):
        named = deadline_in_title(match["title"], now=now, zone=zone)
        ends_with_day = named is not None and named.end == len(match["title"])
        if match["gap"].strip() or ends_with_day:
            title, probability = match["title"], match["probability"]
    named = deadline_in_title(title, now=now, zone=zone)
    if named is None:
        return Line(title, probability)
    return Line(title, probability, named.moment, named.phrase)


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
        )  # fmt: skip
    return Asked(question, text, forecast, kept_private)
