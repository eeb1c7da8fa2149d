"""Stories: articles with nearly the same words, such as one agency's report in many papers.

Two articles tell one story if they share half of their runs of ``RUN`` words (the Jaccard
similarity of their titles and texts), estimated by MinHash (Broder, 1997,
doi:10.1109/SEQUEN.1997.666900) and found by locality-sensitive hashing. An article joins the story
of the most similar article of the ``WINDOW`` before it. The list of stories is derived from the
articles; each has its signature stored, so that a run hashes new articles alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Engine, insert
from sqlmodel import Session, col, select

from forecasts.ledger.database import reading, writing
from forecasts.ledger.leases import PATIENCE
from forecasts.ledger.models import Article, ArticleStory

RUN = 2  # words
ALIKE = 0.5  # the least similarity
PERMUTATIONS = 64
WINDOW = timedelta(days=4)  # between the captures of two articles of one story
CHARACTERS = 3_000  # of an article: the beginning says whether it is the same
_SCHEME = "affine32"  # of the stored signatures
_TOGETHER = 1_000  # articles in memory
_WORD = re.compile(r"\w+")


def signatures(texts: Sequence[str]) -> list[Any]:
    """Return the MinHash of each text; texts with the same words have the same one."""
    import datasketch  # slow to import, and most commands do not need it

    found: list[Any] = list(
        datasketch.MinHash.generator(
            [_runs(text) for text in texts], num_perm=PERMUTATIONS, scheme=_SCHEME
        )
    )
    return found


def _runs(text: str) -> list[bytes]:
    words = _WORD.findall(text[:CHARACTERS].casefold())
    return list(
        {" ".join(words[at : at + RUN]).encode() for at in range(max(1, len(words) - RUN + 1))}
    )


class Index:
    """The articles of a window, to find the one that a new article is most like."""

    def __init__(self) -> None:
        import datasketch

        self._near = datasketch.MinHashLSH(threshold=ALIKE, num_perm=PERMUTATIONS)
        self._stories: dict[int, tuple[int, Any]] = {}

    def add(self, article: int, signature: Any) -> int:
        """Return the story of an article, which is added: the most similar one's, or its own."""
        near = [
            (signature.jaccard(self._stories[one][1]), one) for one in self._near.query(signature)
        ]
        likeness, like = max(near, default=(0.0, article), key=lambda one: (one[0], -one[1]))
        story = self._stories[like][0] if likeness >= ALIKE else article
        self.keep(article, story, signature)
        return story

    def keep(self, article: int, story: int, signature: Any) -> None:
        """Add an article whose story is known."""
        self._near.insert(article, signature)
        self._stories[article] = (story, signature)


def catch_up(engine: Engine, *, clock: Callable[[], datetime], now: datetime) -> int:
    """Return the number of articles that have a story now, which is written in batches.

    Those of the last ``WINDOW`` that have none yet get one, in the order of their ids.
    """
    with reading(engine) as session:
        ids = session.exec(_without_story(now)).all()
        if not ids:
            return 0
        index = _stored(session, now)
    for start in range(0, len(ids), _TOGETHER):
        some = ids[start : start + _TOGETHER]
        with reading(engine) as session:
            rows = session.exec(
                select(Article.id, Article.title, Article.text)
                .where(col(Article.id).in_(some))
                .order_by(col(Article.id))
            ).all()
        hashed = signatures([f"{title}\n{text[:CHARACTERS]}" for _, title, text in rows])
        made = {
            id_: {
                "article_id": id_,
                "story_id": index.add(id_, signature),
                "signature": signature.hashvalues.astype(np.uint32).tobytes(),
            }
            for (id_, *_), signature in zip(rows, hashed, strict=True)
        }
        with writing(engine, clock, patience=PATIENCE) as session:
            taken = _taken(session, list(made))  # another run may have been first
            if rest := [row for id_, row in made.items() if id_ not in taken]:
                session.execute(insert(ArticleStory), rest)
    return len(ids)


def stories_of(session: Session, articles: Sequence[int]) -> Mapping[int, int]:
    """Return the story of each article that has one: the id of the story's first article."""
    rows = session.exec(
        select(ArticleStory.article_id, ArticleStory.story_id).where(
            col(ArticleStory.article_id).in_(articles)
        )
    )
    return dict(rows.all())


def _without_story(now: datetime) -> Any:
    has = select(ArticleStory.id).where(col(ArticleStory.article_id) == col(Article.id)).exists()
    return (
        select(Article.id)
        .where(~has, col(Article.captured_at) > now - WINDOW)
        .order_by(col(Article.id))
    )


def _stored(session: Session, now: datetime) -> Index:
    index = Index()
    rows = session.exec(
        select(ArticleStory)
        .join(Article, col(Article.id) == col(ArticleStory.article_id))
        .where(col(Article.captured_at) > now - WINDOW)
        .order_by(col(ArticleStory.article_id))
    )
    for row, signature in _with_signatures(rows):
        index.keep(row.article_id, row.story_id, signature)
    return index


def _with_signatures(rows: Any) -> Iterator[tuple[ArticleStory, Any]]:
    import datasketch

    for row in rows:
        values = np.frombuffer(row.signature, dtype=np.uint32)
        yield row, datasketch.MinHash(num_perm=PERMUTATIONS, hashvalues=values, scheme=_SCHEME)


def _taken(session: Session, ids: Sequence[int]) -> set[int]:
    there = select(ArticleStory.article_id).where(col(ArticleStory.article_id).in_(ids))
    return set(session.exec(there).all())
