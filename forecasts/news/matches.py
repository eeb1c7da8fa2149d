"""The stored matches of articles to open questions, so that pages compare no texts.

They are derived from the articles and the questions alone. ``catch_up`` stores those of the
articles and wordings that came since it last ran; a reader who comes before it has them computed
(``matches``). Of a question, only the ``KEPT`` best of the last ``WINDOW`` are kept.

Rejected: a full-text index in the database (SQLite's and PostgreSQL's find and rank differently),
and comparing on every page (50,000 articles take minutes to read).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import heappush, heappushpop
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Engine, delete, insert
from sqlmodel import Session, col, func, select

from forecasts.access.visibility import question_visible, reading_everything
from forecasts.ledger.current import close_time, has_outcome, is_newest_wording
from forecasts.ledger.database import reading, writing
from forecasts.ledger.leases import PATIENCE
from forecasts.ledger.models import Article, ArticleMatch, MatchedUntil, QuestionRevision
from forecasts.questions.standing import in_batches, rows_with

T = TypeVar("T")

WINDOW = timedelta(days=30)  # since the capture of an article
KEPT = 60  # matches of a question within the window
LEAST = 0.25  # the lowest score that is stored
AGAIN = 2_000  # the newest articles, which a new wording is matched to
AT_ONCE = 50  # the newest articles that a page compares; a run compares the others
_TOGETHER = 500  # articles in memory


class Found(NamedTuple):
    """A question that an article bears on: the fields of ``ArticleMatch``, and its capture."""

    question_id: int
    article_id: int
    score: float
    captured_at: datetime
    passage: str
    words: list[str]


def matches(
    session: Session,
    *,
    now: datetime,
    only: Sequence[int] | None = None,
    article: int | None = None,
    best: int | None = None,
    whole: Sequence[int] = (),
    at_once: int | None = None,
) -> Iterator[Found]:
    """Yield the matches of the visible open questions to the articles of the last ``WINDOW``.

    ``only``: of these questions. ``article``: to this one. ``best``: so many stored ones of each
    question, without their passages and words (see ``texts_of``), which take most of the time to
    read; but every one of the questions in ``whole``. ``at_once``: compare so many of the newest
    articles, and not all, where none are stored.
    """
    conditions = _is_recent(now)
    if article is not None:
        conditions += (col(Article.id) == article,)
    stored = list(_stored(session, conditions, only, best, whole))
    fresh = _Fresh(session, now, *conditions)
    question = QuestionRevision.question_id
    is_open = col(QuestionRevision.open_time) <= now
    opened = select(question).where(*_is_matched(session, now), is_open)
    kept = set(rows_with(session, opened, question, [one.question_id for one in stored]))
    kept.difference_update(fresh.changed)
    yield from (one for one in stored if one.question_id in kept)
    for one in fresh.found(at_once):
        if one.question_id in fresh.opened and (only is None or one.question_id in only):
            yield one


def _stored(
    session: Session,
    conditions: tuple[Any, ...],
    only: Sequence[int] | None,
    best: int | None,
    whole: Sequence[int],
) -> Iterator[Found]:
    """Yield the stored matches to the articles that meet ``conditions`` (see ``matches``)."""
    row = ArticleMatch

    def of(*more: Any) -> Any:
        columns: tuple[Any, ...] = (row.question_id, row.article_id, row.score, Article.captured_at)
        joined = select(*columns, *more).join(Article, col(Article.id) == col(row.article_id))
        return joined.where(*conditions)

    def rows(query: Any, question: Any) -> Iterable[Any]:
        return session.exec(query) if only is None else rows_with(session, query, question, only)

    full = of(row.passage, row.words)
    if best is None:
        yield from map(Found._make, rows(full, row.question_id))
        return
    ranked = of(_place()).subquery().c
    short = select(*(one for one in ranked if one is not ranked.place))
    short = short.where(ranked.place <= best, ranked.question_id.not_in(whole))
    yield from (Found._make((*one, "", [])) for one in rows(short, ranked.question_id))
    of_whole = whole if only is None else [id_ for id_ in whole if id_ in only]
    yield from map(Found._make, rows_with(session, full, row.question_id, of_whole))


def uncompared(session: Session, *, now: datetime, at_once: int) -> int:
    """Return the number of articles of the last ``WINDOW`` that ``matches`` leaves out.

    Those are articles and wordings whose matches are not stored yet, beyond ``at_once``.
    """
    fresh = _Fresh(session, now, *_is_recent(now))
    counts = (select(func.count()).where(some, *_is_recent(now)) for some, _ in fresh.parts())
    return sum(max(session.exec(one).one() - at_once, 0) for one in counts)


def texts_of(
    session: Session, articles: Iterable[int]
) -> dict[tuple[int, int], tuple[str, list[str]]]:
    """Return the stored passages and words, by question and article, of these articles."""
    row = ArticleMatch
    stored = select(row.question_id, row.article_id, row.passage, row.words)
    found = rows_with(session, stored, row.article_id, sorted(set(articles)))
    return {(question, article): (said, words) for question, article, said, words in found}


def catch_up(session: Session, *, now: datetime) -> int:
    """Return the number of matches of new articles and wordings, which are written."""
    with reading_everything(session):
        # A feed's articles may be captured after the run began, as whose act they are matched.
        fresh = _Fresh(session, now, *_is_recent(now)[:1])
        return _store(session, fresh, _best(fresh.found()), now) if fresh.is_needed else 0


def catch_up_apart(engine: Engine, *, clock: Callable[[], datetime], now: datetime) -> int:
    """Do as ``catch_up`` does, but compare the texts while others may write.

    Nothing is written if another run was first; the next one goes on from there.
    """
    with reading(engine) as session, reading_everything(session):
        fresh = _Fresh(session, now, *_is_recent(now)[:1])
        found = _best(fresh.found()) if fresh.is_needed else []
    if not fresh.is_needed:
        return 0
    with writing(engine, clock, patience=PATIENCE) as session, reading_everything(session):
        if _until(session) != fresh.until:
            return 0
        return _store(session, fresh, found, now)


def _best(found: Iterable[Found]) -> list[Found]:
    """Return the ``KEPT`` best matches of each question: of 50,000 articles, one in forty."""
    best: defaultdict[int, list[tuple[float, int, Found]]] = defaultdict(list)
    for one in found:
        own, ranked = best[one.question_id], (one.score, one.article_id, one)
        heappush(own, ranked) if len(own) < KEPT else heappushpop(own, ranked)
    return [one for own in best.values() for *_, one in sorted(own)]


def _store(session: Session, fresh: _Fresh, found: Iterable[Found], now: datetime) -> int:
    number = 0
    for some in in_batches(fresh.changed):
        session.exec(delete(ArticleMatch).where(col(ArticleMatch.question_id).in_(some)))
    for batch in _batches(found):
        session.execute(insert(ArticleMatch), [_as_row(one) for one in batch])
        number += len(batch)
    _remove_surplus(session, now)
    session.merge(MatchedUntil(id=1, article_id=fresh.article, revision_id=fresh.revision))
    session.flush()
    return number


def _as_row(one: Found) -> dict[str, Any]:
    row = one._asdict()
    del row["captured_at"]
    return row


def rebuild(session: Session, *, now: datetime) -> int:
    """Return the number of matches, all of which are computed again and written."""
    session.exec(delete(ArticleMatch))
    session.merge(MatchedUntil(id=1, article_id=0, revision_id=0))
    session.flush()
    return catch_up(session, now=now)


def _is_recent(now: datetime) -> tuple[Any, ...]:
    return col(Article.captured_at) > now - WINDOW, col(Article.captured_at) <= now


def _is_matched(session: Session, now: datetime) -> tuple[Any, ...]:
    """Return the SQL conditions: the wording is the newest of a question that may be open yet."""
    question = QuestionRevision.question_id
    visible = question_visible(session, question)
    return is_newest_wording(), close_time() > now, ~has_outcome(question), visible


class _Fresh:
    """The articles (of those that meet ``conditions``) and wordings since matches were stored.

    ``article`` and ``revision``: the newest of all; ``until``: those stored for. ``changed``: the
    questions of those wordings. ``opened``: the questions that are open, once ``found`` has begun.
    """

    def __init__(self, session: Session, now: datetime, *conditions: Any) -> None:
        of_articles, of_wordings = session.exec(
            select(
                select(func.max(Article.id)).scalar_subquery(),
                select(func.max(QuestionRevision.id)).scalar_subquery(),
            )
        ).one()
        self.until = self._stored, revision = _until(session)
        self._session, self._now = session, now
        self.article, self.revision = of_articles or 0, of_wordings or 0
        self._conditions = conditions
        self.changed: list[int] = []
        self.opened: set[int] = set()
        if self.revision > revision:
            new = col(QuestionRevision.id) > revision
            ids = select(QuestionRevision.question_id).where(new, *_is_matched(session, now))
            self.changed = list(session.exec(ids))
        self.is_needed = (self.article, self.revision) != self.until

    def parts(self) -> list[tuple[Any, list[int] | None]]:
        """Return the SQL conditions on the articles to compare, each with the questions; None: all.

        The new ones with all, and the newest of the others with those of new wordings.
        """
        is_new, parts = col(Article.id) > self._stored, list[tuple[Any, list[int] | None]]()
        if self.article > self._stored:
            parts.append((is_new, None))
        if self.changed:
            parts.append((~is_new & col(Article.id).in_(_newest_articles()), self.changed))
        return parts

    def found(self, most: int | None = None) -> Iterator[Found]:
        """Yield the matches of the new to the known, and of the new to each other.

        ``most``: of so many of the newest articles, new or known.
        """
        newest = select(Article.id).order_by(col(Article.id).desc()).limit(most)
        articles = [
            (sorted(self._session.exec(newest.where(some, *self._conditions))), only)
            for some, only in self.parts()
        ]
        if not any(ids for ids, _ in articles):
            return
        # It loads SciPy, which a run without news needs not.
        from forecasts.news.matching import Text, Wording, questions_of

        text = QuestionRevision
        rows = self._session.exec(
            select(text.question_id, text.title, text.resolution_criteria, text.open_time)
            .where(*_is_matched(self._session, self._now))
            .order_by(col(text.question_id))
        ).all()
        self.opened = {id_ for id_, _, _, opens in rows if opens <= self._now}
        questions = questions_of(
            tuple(Wording(title, rest, at.date()) for _, title, rest, at in rows)
        )
        for ids, only in articles:
            among = None if only is None else [n for n, row in enumerate(rows) if row[0] in only]
            for some in _batches(ids):
                part = self._session.exec(
                    select(Article.id, Article.captured_at, Article.title, Article.text).where(
                        col(Article.id).in_(some)
                    )
                ).all()
                texts = [Text(title, body) for _, _, title, body in part]
                for one in questions.matches(texts, least=LEAST, among=among):
                    article, captured_at = part[one.article][:2]
                    why = one.passage, list(one.words)
                    yield Found(rows[one.question][0], article, one.score, captured_at, *why)


def _until(session: Session) -> tuple[int, int]:
    """Return the newest article and wording that matches were stored for; 0: for none."""
    found = session.exec(select(MatchedUntil.article_id, MatchedUntil.revision_id)).first()
    return (0, 0) if found is None else (found[0], found[1])


def _newest_articles() -> Any:
    return select(Article.id).order_by(col(Article.id).desc()).limit(AGAIN)


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while batch := list(islice(rest, _TOGETHER)):
        yield batch


def _remove_surplus(session: Session, now: datetime) -> None:
    """Delete all but the ``KEPT`` best matches of each question within the window."""
    row = ArticleMatch
    ranked = select(row.id, _place()).subquery()
    surplus = select(ranked.c.id).where(ranked.c.place > KEPT)
    past = select(Article.id).where(col(Article.captured_at) <= now - WINDOW)
    # Not joined by "or", for which PostgreSQL compares each row with each.
    session.exec(delete(row).where(col(row.id).in_(surplus)))
    session.exec(delete(row).where(col(row.article_id).in_(past)))


def _place() -> Any:
    """Return the place of a match among those of its question, from 1 for the best."""
    row = ArticleMatch
    best_first = col(row.score).desc(), col(row.article_id).desc()
    place = func.row_number().over(partition_by=col(row.question_id), order_by=best_first)
    return place.label("place")
