"""Captured articles under review, and the steps that correct them.

Immutable: each step returns a new capture that keeps the previous one, so undo goes back. Edits
made in between are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from forecasts.reading.article import CapturedArticle, merge, split_at


@dataclass(frozen=True)
class Part:
    """One captured article, with a ``name`` that stays unique after an undo.

    The page's fields use it in their keys, so an article keeps its edits when others are merged,
    divided or dropped.
    """

    name: int
    article: CapturedArticle


@dataclass(frozen=True)
class Captured:
    """The articles of one capture in their present form; ``number`` counts captures."""

    parts: tuple[Part, ...]
    seen: datetime
    number: int
    names: int  # used for parts so far
    before: Captured | None = None
    step: str = ""  # the last one, as a noun: "merge"

    @classmethod
    def of(cls, articles: Sequence[CapturedArticle], seen: datetime, number: int) -> Captured:
        """Return a new capture, before any step."""
        parts = tuple(Part(name, article) for name, article in enumerate(articles))
        return cls(parts, seen, number, len(parts))

    @property
    def articles(self) -> list[CapturedArticle]:
        """The articles in order."""
        return [part.article for part in self.parts]

    def is_new(self, part: Part) -> bool:
        """Return whether the last step created this part."""
        return self.before is not None and all(part.name != old.name for old in self.before.parts)

    def edited(self, articles: Sequence[CapturedArticle]) -> Captured:
        """Return the same parts with these edited articles; not a step to undo."""
        parts = zip(self.parts, articles, strict=True)
        return replace(self, parts=tuple(Part(part.name, article) for part, article in parts))

    def dropped(self, place: int) -> Captured:
        """Return the capture without the part at that place."""
        return self._next("drop", place, place + 1, [])

    def merged(self, place: int) -> Captured:
        """Return the capture with the part at that place merged into the one before it."""
        first, second = self.articles[place - 1 : place + 1]
        return self._next("merge", place - 1, place + 1, [merge(first, second)])

    def divided(self, place: int, paragraph: int) -> Captured:
        """Return the capture with the part at that place divided before a paragraph."""
        return self._next("division", place, place + 1, split_at(self.articles[place], paragraph))

    def undone(self) -> Captured:
        """Return the capture before the last step, with later edits to its other parts."""
        if self.before is None:
            return self
        now = {part.name: part for part in self.parts}
        parts = tuple(now.get(part.name, part) for part in self.before.parts)
        return replace(self.before, parts=parts, names=self.names)

    def _next(
        self, step: str, first: int, last: int, articles: Sequence[CapturedArticle]
    ) -> Captured:
        """Return the capture with parts ``first`` up to ``last``, exclusive, replaced."""
        made = [Part(self.names + i, article) for i, article in enumerate(articles)]
        return replace(
            self,
            parts=(*self.parts[:first], *made, *self.parts[last:]),
            names=self.names + len(made),
            before=self,
            step=step,
        )


@dataclass
class Review:
    """The capture under review in this browser session, and the number of captures so far.

    ``notes``: what the capture left out. ``unseen``: it has not been shown yet.
    """

    captured: Captured | None = None
    captures: int = 0
    notes: Sequence[str] = ()
    unseen: bool = False

    def start(
        self, articles: Sequence[CapturedArticle], seen: datetime, notes: Sequence[str] = ()
    ) -> None:
        """Begin a review of newly captured articles."""
        self.captures += 1
        self.notes, self.unseen = notes, True
        self.captured = Captured.of(articles, seen, self.captures)
