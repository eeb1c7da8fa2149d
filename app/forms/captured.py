"""What was read and awaits a person's correction, and the steps by which it is put right.

Plain values: each step returns the next one, which remembers the one before it, so that undoing
is going back. What was edited in between stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from forecasts.articles.article import CapturedArticle, merge, split_at


@dataclass(frozen=True)
class Part:
    """One article of what was read; ``name`` tells it apart from every other, also after undoing.

    The fields of the page are called by it, so that an article keeps what was typed into them
    when others are merged, divided or dropped.
    """

    name: int
    article: CapturedArticle


@dataclass(frozen=True)
class Captured:
    """The articles of one reading as they are now; ``number`` differs for every reading."""

    parts: tuple[Part, ...]
    seen: datetime
    number: int
    names: int  # given to parts so far
    before: Captured | None = None
    step: str = ""  # the last one, as a noun: "merge"

    @classmethod
    def of(cls, articles: Sequence[CapturedArticle], seen: datetime, number: int) -> Captured:
        """Return what was read, before any step."""
        parts = tuple(Part(name, article) for name, article in enumerate(articles))
        return cls(parts, seen, number, len(parts))

    @property
    def articles(self) -> list[CapturedArticle]:
        """The articles, in their order."""
        return [part.article for part in self.parts]

    def is_new(self, part: Part) -> bool:
        """Return whether the last step made this part."""
        return self.before is not None and all(part.name != old.name for old in self.before.parts)

    def edited(self, articles: Sequence[CapturedArticle]) -> Captured:
        """Return the same parts with these articles, as a person edited them; that is no step."""
        parts = zip(self.parts, articles, strict=True)
        return replace(self, parts=tuple(Part(part.name, article) for part, article in parts))

    def dropped(self, place: int) -> Captured:
        """Return what is left without the part in that place."""
        return self._next("drop", place, place + 1, [])

    def merged(self, place: int) -> Captured:
        """Return what there is when the part in that place and the one before it are one."""
        first, second = self.articles[place - 1 : place + 1]
        return self._next("merge", place - 1, place + 1, [merge(first, second)])

    def divided(self, place: int, paragraph: int) -> Captured:
        """Return what there is when a paragraph of the part in that place begins another one."""
        return self._next("division", place, place + 1, split_at(self.articles[place], paragraph))

    def undone(self) -> Captured:
        """Return what there was before the last step, the other parts as they are edited now."""
        if self.before is None:
            return self
        now = {part.name: part for part in self.parts}
        parts = tuple(now.get(part.name, part) for part in self.before.parts)
        return replace(self.before, parts=parts, names=self.names)

    def _next(
        self, step: str, first: int, last: int, articles: Sequence[CapturedArticle]
    ) -> Captured:
        """Return the parts with those from ``first`` to before ``last`` replaced by new ones."""
        made = [Part(self.names + i, article) for i, article in enumerate(articles)]
        return replace(
            self,
            parts=(*self.parts[:first], *made, *self.parts[last:]),
            names=self.names + len(made),
            before=self,
            step=step,
        )
