"""The form that corrects captured articles before anything is stored.

A capture is immutable: each step returns a new one that keeps the previous one, so undo goes back.
Edits made in between are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import partial

import streamlit as st

from app.forms.dates import TypedDate, date_field
from app.markdown_text import as_text, shortened
from app.session import Act, act, form_key, page_state
from app.times import day
from forecasts.articles import library
from forecasts.common.errors import BadInput
from forecasts.common.text import count
from forecasts.ledger.models import Article
from forecasts.reading.article import (
    PARAGRAPH,
    CapturedArticle,
    canonical_url,
    merge,
    split_at,
    split_points,
)
from forecasts.reading.lines import is_heading_like


@dataclass(frozen=True)
class Captured:
    """The articles of one capture in their present form; ``number`` counts captures.

    ``parts``: the articles by a name that stays unique after an undo. The page's fields use it in
    their keys, so an article keeps its edits when others are merged, divided or dropped.
    """

    parts: Mapping[int, CapturedArticle]
    seen: datetime
    number: int
    names: int  # used for parts so far
    before: Captured | None = None
    step: str = ""  # the last one, as a noun: "merge"

    @classmethod
    def of(cls, articles: Sequence[CapturedArticle], seen: datetime, number: int) -> Captured:
        """Return a new capture, before any step."""
        return cls(dict(enumerate(articles)), seen, number, len(articles))

    @property
    def articles(self) -> list[CapturedArticle]:
        """The articles in order."""
        return list(self.parts.values())

    def is_new(self, name: int) -> bool:
        """Return whether the last step created this part."""
        return self.before is not None and name not in self.before.parts

    def edited(self, articles: Sequence[CapturedArticle]) -> Captured:
        """Return the same parts with these edited articles; not a step to undo."""
        return replace(self, parts=dict(zip(self.parts, articles, strict=True)))

    def dropped(self, place: int) -> Captured:
        """Return the capture without the part at that place."""
        return self._next("drop", place, place + 1, [])

    def merged(self, place: int) -> Captured:
        """Return the capture with the part at that place merged into the one before it."""
        return self._next("merge", place - 1, place + 1, [merge(*self.articles[place - 1 :][:2])])

    def divided(self, place: int, paragraph: int) -> Captured:
        """Return the capture with the part at that place divided before a paragraph."""
        return self._next("division", place, place + 1, split_at(self.articles[place], paragraph))

    def undone(self) -> Captured:
        """Return the capture before the last step, with later edits to its other parts."""
        if self.before is None:
            return self
        parts = {name: self.parts.get(name, old) for name, old in self.before.parts.items()}
        return replace(self.before, parts=parts, names=self.names)

    def _next(
        self, step: str, first: int, last: int, articles: Sequence[CapturedArticle]
    ) -> Captured:
        """Return the capture with parts ``first`` up to ``last``, exclusive, replaced."""
        known, made = list(self.parts.items()), list(enumerate(articles, self.names))
        parts, names = dict([*known[:first], *made, *known[last:]]), self.names + len(made)
        return replace(self, parts=parts, names=names, before=self, step=step)


@dataclass
class Review:
    """The capture under review in this browser session, and the number of captures so far.

    ``notes``: what the capture left out. ``unseen``: it has not been shown yet. ``pasted``: a
    text from the one line, to be read next.
    """

    captured: Captured | None = None
    captures: int = 0
    notes: Sequence[str] = ()
    unseen: bool = False
    pasted: str = ""

    def start(
        self, articles: Sequence[CapturedArticle], seen: datetime, notes: Sequence[str] = ()
    ) -> None:
        """Begin a review of newly captured articles."""
        self.captures += 1
        self.notes, self.unseen = notes, True
        self.captured = Captured.of(articles, seen, self.captures)


Step = Callable[[Captured], Captured]


def correct(captured: Captured) -> list[CapturedArticle]:
    """Show the captured articles for correction, stored on submit; return them as edited."""
    review = page_state(Review)
    st.header("Review", anchor=False)
    st.caption(
        f"{count(len(captured.parts), 'article')}, not stored yet. "
        "Open one to edit, divide, merge or drop it."
    )
    articles: list[CapturedArticle] = []
    step: Step | None = None
    for place, name in enumerate(captured.parts):
        article, next_step = _part(captured, place, name)
        articles.append(article)
        step = step or next_step
    if not articles:
        st.info("No articles left. Undo the drop, or discard the capture.")
    with st.container(horizontal=True):
        label, undo = f"Store {count(len(articles), 'article')}", f"Undo the {captured.step}"
        store = st.button(label, type="primary", disabled=not articles, key="store")
        if captured.before is not None and st.button(undo, icon="↩️", key="undo"):
            step = Captured.undone
        if st.button("Discard", key="discard"):
            review.captured = None
            st.rerun()
    if step is not None:
        review.captured = step(captured.edited(articles))
        st.rerun()
    if store:
        with act(form_key(stored_name(captured))) as doing:
            _store(doing, articles, captured.seen)
    return articles


def stored_name(captured: Captured) -> str:
    """Return the name of the act that stores this capture; once done, the review is over."""
    return f"store-{captured.number}"


def _store(doing: Act, articles: list[CapturedArticle], seen: datetime) -> None:
    stored = store_checked(doing, articles, seen)
    new = [article for article, is_new in stored if is_new]
    messages = [f"Stored {count(len(new), 'article')}."] if new else []
    if known := len(stored) - len(new):
        messages.append(f"{count(known, 'article')} already stored.")
    doing.say(" ".join(messages))
    first = new[0] if new else stored[0][0]
    doing.go("articles", {"article": str(first.id)})


def store_checked(
    doing: Act, articles: list[CapturedArticle], seen: datetime
) -> list[tuple[Article, bool]]:
    """Return the stored articles, each with whether it is new; BadInput without title or text."""
    for number, article in enumerate(articles, 1):
        for name, words in (("title", article.title), ("text", article.text)):
            if not words:
                raise BadInput(
                    f"Article {number} has no {name}.", remedy=f"Give it a {name}, or drop it."
                )
    return library.store(doing.ledger, articles, member=doing.member, captured_at=seen)


def _part(captured: Captured, place: int, part: int) -> tuple[CapturedArticle, Step | None]:
    """Show one article; return it as edited, and the requested step, if any."""
    article, step = captured.parts[part], None

    def key(name: str) -> str:
        return f"captured-{captured.number}-{part}-{name}"

    heading = f"{place + 1}. {_heading(article, key, captured.seen)}"
    expanded = captured.is_new(part) or not (article.title and article.text)
    with st.expander(heading, expanded=expanded, key=key("box")):
        edited = _fields(article, key, captured.seen)
        with st.container(horizontal=True):
            paragraph = _choose_opening(edited.text, key)
            if paragraph is not None:
                step = partial(Captured.divided, place=place, paragraph=paragraph)
            appends = "Appends this one to the one above."
            if place and st.button(f"Merge with no. {place}", key=key("merge"), help=appends):
                step = partial(Captured.merged, place=place)
            if st.button("Drop", key=key("drop"), help="Leaves it out. You can undo this."):
                step = partial(Captured.dropped, place=place)
    return edited, step


def _heading(article: CapturedArticle, key: Callable[[str], str], seen: datetime) -> str:
    """Return the heading over an article's fields, from their present contents."""
    typed = st.session_state
    title = typed.get(key("title"), article.title)
    publisher = typed.get(key("publisher"), article.publisher)
    appeared: date | None = article.published_at
    if key("published") in typed:
        with suppress(BadInput):
            appeared = TypedDate("", typed[key("published")], past=True).day(seen)
    text = typed.get(key("text"), article.text)
    parts = [
        f"**{as_text(shortened(title, 100)) or 'no title'}**",
        as_text(publisher or "no publisher"),
        "no date" if appeared is None else day(appeared),
        count(len(text.split()), "word"),
    ]
    return " · ".join(parts)


def _fields(article: CapturedArticle, key: Callable[[str], str], seen: datetime) -> CapturedArticle:
    """Show the fields of one article; return the edited article."""
    title = st.text_input("Title", value=article.title, key=key("title"))
    left, right = st.columns(2)
    publisher = left.text_input("Publisher", value=article.publisher or "", key=key("publisher"))
    author = right.text_input("Author", value=article.author or "", key=key("author"))
    left, right = st.columns(2)  # a row of its own: on a narrow screen the fields keep their order
    with left:
        known = None if article.published_at is None else article.published_at.date()
        appeared = date_field(
            "Published",
            value=known,
            key=key("published"),
            past=True,
            placeholder="2 days ago",
            help="Deadlines such as “this fall” count from it. Blank: from the day of capture.",
        )
    typed = right.text_input("Web address", article.url or "", key=key("url"))
    address = canonical_url(typed)
    if typed and address is None:
        st.warning(f"“{as_text(shortened(typed))}” is left out: it is not a web address.")
    text = st.text_area("Text", value=article.text, height=240, key=key("text"))
    return replace(
        article,
        title=" ".join(title.split()),
        publisher=" ".join(publisher.split()) or None,
        author=" ".join(author.split()) or None,
        published_at=_published_on(appeared, article.published_at, seen),
        url=address,
        text=PARAGRAPH.join(re.split(r"\s*\n\s*\n\s*", (text or "").strip())),
    )


def _published_on(typed: TypedDate, known: datetime | None, seen: datetime) -> datetime | None:
    """Return the typed day, or the known time if it is on that day; relative to ``seen``."""
    try:
        appeared = typed.day(seen)
    except BadInput as error:
        st.warning(as_text(f"{error} It is left out."))
        return None
    if known is not None and known.date() == appeared:
        return known
    return None if appeared is None else datetime.combine(appeared, time(), UTC)


def _choose_opening(text: str, key: Callable[[str], str]) -> int | None:
    """Show how the paragraphs begin; return the one to divide at, once confirmed."""
    paragraphs, places = text.split(PARAGRAPH), split_points(text)

    def beginning(place: int) -> str:
        shown = as_text(shortened(paragraphs[place], 36))
        return f"**{shown}**" if is_heading_like(paragraphs[place]) else shown

    why = None if places else "Put a blank line where the next article begins."
    label = "Next article begins with"
    with st.popover("Divide", disabled=not places, help=why):
        with st.container(height=280 if len(places) > 6 else "content"):
            chosen = st.radio(label, places, None, format_func=beginning, key=key("opening"))
        none = chosen is None
        confirmed = st.button("Divide here", type="primary", disabled=none, key=key("divide"))
    return chosen if confirmed else None
