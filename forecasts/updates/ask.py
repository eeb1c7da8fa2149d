"""Ask: register a question and forecast it, in one act. Pages and the command line use it alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from forecasts.ledger.models import Forecast, Member, Question, QuestionText, Visibility
from forecasts.questions.registry import others_see, register
from forecasts.questions.revisions import reworded
from forecasts.questions.sources import Passage
from forecasts.updates.evidence import CitedEvidence
from forecasts.updates.updates import update
from forecasts.updates.values import Value


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
            evidence=evidence, origin=origin,
        )  # fmt: skip
    return Asked(question, text, forecast, kept_private)
