"""Which of the questions to show: the words, states and labels that a person picks."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from forecasts.questions import Stands, Status


@dataclass(frozen=True)
class Filter:
    """What a question must have to be shown; blank: anything will do.

    ``words`` must all stand in the title, the slug, the background or the criteria, in whatever
    order and case. ``mine`` True: those that the member has a standing forecast on; False: the
    others; None: both.
    """

    words: str = ""
    status: str = ""
    tag: str = ""
    family: str = ""
    type: str = ""
    mine: bool | None = None

    def admits(self, stands: Stands, standing: Container[int]) -> bool:
        """Return whether the question passes; ``standing`` holds the ids of the member's own."""
        text = stands.text
        return (
            (not self.status or stands.status == self.status)
            and (not self.tag or self.tag in (text.tags or []))
            and (not self.family or text.family == self.family)
            and (not self.type or text.type == self.type)
            and (self.mine is None or (stands.id in standing) == self.mine)
            and self._said_in(stands)
        )

    def _said_in(self, stands: Stands) -> bool:
        if not self.words:
            return True
        text = stands.text
        said = "\n".join((text.title, stands.slug, text.background, text.resolution_criteria))
        folded = said.casefold()
        return all(word in folded for word in self.words.casefold().split())


# What can still be forecast comes first, what needs a decision next, what is over last.
_ORDER = (Status.open, Status.awaiting, Status.proposed, Status.upcoming)


def chosen(
    questions: Iterable[Stands], by: Filter, *, standing: Container[int] = ()
) -> list[Stands]:
    """Return the questions that pass: those that can be forecast first, soonest close first.

    Then those that need a decision, those that have not opened, and those that are over, of which
    the one that closed last comes first.
    """

    def place(stands: Stands) -> tuple[int, float]:
        closes = stands.text.close_time.timestamp()
        if stands.status in _ORDER:
            return _ORDER.index(stands.status), closes
        return len(_ORDER), -closes

    return sorted((stands for stands in questions if by.admits(stands, standing)), key=place)


def labels(questions: Sequence[Stands]) -> tuple[list[str], list[str]]:
    """Return the tags and the families that the questions have, in alphabetical order."""
    tags = {tag for stands in questions for tag in stands.text.tags or []}
    families = {stands.text.family for stands in questions if stands.text.family}
    return sorted(tags), sorted(families)
