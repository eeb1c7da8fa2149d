"""How well articles find their questions, and how long it takes.

    python -m benchmarks.matching [FOLDER]     # default: the labelled pairs of tests/news
    python -m benchmarks.matching --scale      # 50,000 articles, 2,000 open questions

A folder has ``articles.jsonl`` (``id``, ``title``, ``text`` or ``snippet``) and
``questions.jsonl`` (``title``, ``criteria``, ``articles`` or ``article``: the ids of those that
bear on it), each perhaps with ``.gz``. The articles of a question are those labelled; others may
bear on it as well, so matches beyond them are not all wrong.
"""

from __future__ import annotations

import gzip
import itertools
import json
import math
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from forecasts.access.members import member_or_new
from forecasts.articles import library
from forecasts.ledger import schema
from forecasts.ledger.database import open_engine, reading, writing
from forecasts.news import inbox, matches, matching
from forecasts.questions import registry
from forecasts.reading.article import CapturedArticle
from forecasts.updates import updates
from forecasts.values.value import Value

PAIRS = Path(__file__).parents[1] / "tests" / "news"


@dataclass(frozen=True)
class Quality:
    """How well matching finds the labelled articles of questions.

    ``first`` and ``five``: the share of questions with one of their articles in the first place,
    and in the first five. ``at_95``: matches a question at the score that finds 95% of the pairs.
    ``found``: the share of pairs above the threshold, ``shown``: matches a question there, of which
    the inbox shows at most ``A_MONTH``; ``most``: of a single question.
    """

    questions: int
    pairs: int
    first: float
    five: float
    at_95: float
    found: float
    shown: float
    most: int
    seconds: float


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a file of JSON lines, which may be compressed."""
    path = folder / f"{name}.jsonl"
    if path.exists():
        text = path.read_text("utf-8")
    else:
        text = gzip.decompress((folder / f"{name}.jsonl.gz").read_bytes()).decode("utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def quality(articles: Sequence[dict[str, Any]], questions: Sequence[dict[str, Any]]) -> Quality:
    """Return the quality of matching on these articles and questions."""
    began = time.perf_counter()
    place = {row["id"]: at for at, row in enumerate(articles)}
    texts = [
        matching.Text(row["title"] or "", row.get("text") or row.get("snippet") or "")
        for row in articles
    ]
    today = date(2024, 7, 1)
    asked = matching.Questions(
        [matching.Wording(row["title"], row.get("criteria", ""), today) for row in questions]
    )
    scores: list[dict[int, float]] = [{} for _ in questions]
    for one in asked.matches(texts, least=matches.LEAST):
        scores[one.question][one.article] = one.score
    wanted = [
        {place[id_] for id_ in row.get("articles", [row.get("article")])} for row in questions
    ]
    ranks = [
        min((_rank(of, article) for article in mine), default=math.inf)
        for of, mine in zip(scores, wanted, strict=True)
        if mine
    ]
    own = sorted(
        (of.get(article, 0.0) for of, mine in zip(scores, wanted, strict=True) for article in mine),
        reverse=True,
    )
    least = own[math.ceil(0.95 * len(own)) - 1]
    shown = [sum(score >= matching.THRESHOLD for score in of.values()) for of in scores]
    capped = [min(number, matching.A_MONTH) for number in shown]
    return Quality(
        questions=len(questions),
        pairs=len(own),
        first=sum(rank == 0 for rank in ranks) / len(ranks),
        five=sum(rank < 5 for rank in ranks) / len(ranks),
        at_95=sum(score >= least for of in scores for score in of.values()) / len(questions),
        found=sum(score >= matching.THRESHOLD for score in own) / len(own),
        shown=sum(capped) / len(questions),
        most=max(capped),
        seconds=time.perf_counter() - began,
    )


def _rank(of: dict[int, float], article: int) -> float:
    """Return the number of articles before it; of equal ones, all count as before it."""
    if (own := of.get(article)) is None:
        return math.inf
    return sum(score >= own for score in of.values()) - 1


def scale(articles: int = 50_000, questions: int = 2_000) -> None:
    """Print how long it takes to store the matches of many articles, and to read an inbox.

    The texts are 300 words each, of 30,000 words as frequent as in a language (Zipf), with the
    words of a question in each; a question has 5 words of a title and 30 of criteria, none of the
    commonest.
    """
    random = Random(1)
    words = [f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}word{n}" for n in range(30_000)]
    frequencies = list(itertools.accumulate(1 / (n + 10) for n in range(len(words))))
    now = datetime(2026, 3, 1, tzinfo=UTC)

    def text(size: int) -> str:
        return " ".join(random.choices(words, cum_weights=frequencies, k=size))

    def rare(size: int) -> str:
        return " ".join(random.choices(words[500:], k=size))

    titles = [rare(5) for _ in range(questions)]
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/ledger.db", begin=True)
        schema.make_ready(engine)
        with writing(engine) as session:
            member = member_or_new(session, "alice", now=now)
            for number, title in enumerate(titles):
                asked = registry.question_text(
                    title=f"Will {title}?",
                    resolution_criteria=rare(30),
                    open_time=now,
                    scheduled_close_time=now + timedelta(days=90),
                )
                question = registry.register(session, asked, member=member, now=now)
                if number % 10 == 0:
                    value = Value(probability=0.4)
                    updates.update(session, question, value, member=member, now=now)
        for start in range(0, articles, 1_000):
            captured = [
                CapturedArticle(
                    random.choice(titles), None, None, None, f"https://e.org/{n}", text(300)
                )
                for n in range(start, min(start + 1_000, articles))
            ]
            with writing(engine) as session:
                library.store(session, captured, member=member, captured_at=now)
        print(f"{articles:,} articles, {questions:,} questions")
        began = time.perf_counter()
        with writing(engine) as session:
            stored = matches.catch_up(session, now=now)
        print(f"stored: {stored:,} matches in {time.perf_counter() - began:.1f} s")
        for most in (20, None):
            began = time.perf_counter()
            with reading(engine) as session:
                items = inbox.inbox(session, member, now=now, most=most)
            took = time.perf_counter() - began
            print(f"inbox, most {most}: {len(items):,} articles in {took * 1000:.0f} ms")
        began = time.perf_counter()
        with reading(engine) as session:
            updates.current_forecasts(session, member, at=now)
        print(f"current forecasts: {(time.perf_counter() - began) * 1000:.0f} ms")
        engine.dispose()
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def main(arguments: Sequence[str]) -> None:
    """Print the quality on a folder, or the times."""
    if "--scale" in arguments:
        scale(*map(int, arguments[1:]))
        return
    folder = Path(arguments[0]) if arguments else PAIRS
    questions = rows(folder, "questions")
    parts: dict[str, list[dict[str, Any]]] = {"": questions}
    halves = Counter(row.get("half", "") for row in questions)
    parts |= {
        half: [row for row in questions if row.get("half") == half] for half in halves if half
    }
    for half, some in parts.items():
        print(half or "all", quality(rows(folder, "articles"), some))


if __name__ == "__main__":
    main(sys.argv[1:])
