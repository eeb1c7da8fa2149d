"""Stories: near-duplicates are one, other articles of the same topic are not."""

from __future__ import annotations

import random

from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.articles import library
from forecasts.ledger import database
from forecasts.news import stories
from forecasts.news.stories import catch_up, stories_of
from forecasts.reading.article import CapturedArticle
from tests.conftest import day

WORDS = [f"word{number}" for number in range(2_000)]


def article(text: str) -> CapturedArticle:
    return CapturedArticle(text[:30], None, None, None, None, text)


def edited(text: str, chance: random.Random, share: float) -> str:
    """Return the text with a share of its words replaced, as an editor does."""
    return " ".join(
        chance.choice(WORDS) if chance.random() < share else word for word in text.split()
    )


def test_the_same_report_in_other_papers_is_one_story(engine: Engine) -> None:
    chance = random.Random(5)
    reports = [" ".join(chance.choices(WORDS, k=90)) for _ in range(60)]
    with database.writing(engine) as session:
        kate = member_or_new(session, "kate", now=day(0))
        given = [article(one) for one in reports]
        given += [article(f"{edited(one, chance, 0.05)} Ends") for one in reports]
        rows = library.store(session, given, member=kate, captured_at=day(0))
        ids = [row.id for row, _ in rows]
    assert catch_up(engine, clock=lambda: day(0), now=day(0)) == 120
    assert catch_up(engine, clock=lambda: day(0), now=day(0)) == 0
    with database.reading(engine) as session:
        found = stories_of(session, ids)
    first, second = ids[:60], ids[60:]
    assert [found[one] for one in first] == first
    assert sum(found[again] == one for one, again in zip(first, second, strict=True)) >= 57
    assert all(found[again] in (one, again) for one, again in zip(first, second, strict=True))


def test_a_story_is_found_again_by_a_later_run_within_its_window(engine: Engine) -> None:
    text = " ".join(random.Random(2).choices(WORDS, k=80))
    told = [text, f"{text} more", f"{text} again"]
    ids = []
    for at, one in zip((0, 1, 9), told, strict=True):
        with database.writing(engine) as session:
            kate = member_or_new(session, "kate", now=day(0))
            [(row, _)] = library.store(session, [article(one)], member=kate, captured_at=day(at))
            ids.append(row.id)
        catch_up(engine, clock=lambda at=at: day(at), now=day(at))  # type: ignore[misc]
    with database.reading(engine) as session:
        assert [stories_of(session, ids)[one] for one in ids] == [ids[0], ids[0], ids[2]]


def test_texts_with_the_same_words_have_one_signature() -> None:
    one, again, other, empty = stories.signatures(["A b, c.", "a B c", "d e f", ""])
    assert one.jaccard(again) == 1
    assert one.jaccard(other) < 0.2
    assert empty.jaccard(one) == 0
