"""Articles marked in the HTML are separated, however short; cards and teasers are omitted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.articles.capture import capture_bytes, capture_text
from forecasts.reading.article import CapturedArticle
from forecasts.reading.page.marked_articles import STORY_WORDS

SEEN = datetime(2026, 11, 24, 9, tzinfo=UTC)

ROAD = (
    "Councillors in Harrow Bay will vote on 3 December on whether to close the coast road to cars. "
    "Residents have asked for years that lorries be kept out of the old town. The mayor said that "
    "the closure could begin in spring 2027 if the vote is carried."
)
RATES = (
    "The central bank of Norvania is expected to leave its rate at 3.5 percent when it meets on "
    "10 December. Inflation fell to 2.9 percent in October, and two members of the board have said "
    "that they would prefer to wait until the new year."
)
FERRY = (
    "The ferry operator Sundlink plans to replace all nine of its diesel vessels by the end of "
    "2029. The first electric ferry is due to enter service in June 2027 between Sund and Brega, "
    "where the quay has to be raised."
)
STORIES = {
    "Harrow Bay votes on closing the coast road": ("By Jana Müller · 2 days ago", ROAD),
    "Norvania's central bank expected to hold rates": ("By Tomas Ekholm · 5 hours ago", RATES),
    "Ferry operator plans an electric fleet": ("By Ines Carvalho · yesterday", FERRY),
}


def marked(
    heading: str, byline: str | None, text: str, *, tag: str = "h2", link: str | None = None
) -> str:
    """Return an article element."""
    shown = heading if link is None else f"<a href='{link}'>{heading}</a>"
    signed = "" if byline is None else f"<p class='byline'>{byline}</p>"
    return f"<article><{tag}>{shown}</{tag}>{signed}<p>{text}</p></article>"


def page(*parts: str, title: str = "Morning digest") -> str:
    """Return a page with these parts between a menu and a footer."""
    return (
        f"<!doctype html><html><head><meta charset='utf-8'><title>{title}</title></head><body>"
        f"<nav><a href='/'>Home</a><a href='/w'>World</a></nav><main>{''.join(parts)}</main>"
        "<footer>© 2026 Morning Digest</footer></body></html>"
    )


def read(html: str) -> tuple[list[CapturedArticle], list[str]]:
    """Return the articles of a page, and the messages about omitted pieces."""
    messages: list[str] = []
    return capture_bytes(html.encode(), captured_at=SEEN, notify=messages.append), messages


def titles(html: str) -> list[str]:
    return [article.title for article in read(html)[0]]


DIGEST = [marked(heading, byline, text) for heading, (byline, text) in STORIES.items()]
LONG = marked(
    "Dam below Arden to be raised", None, "</p><p>".join([RATES, FERRY] * 5), tag="h1"
)  # fmt: skip


def test_the_short_articles_of_a_digest_come_out_one_by_one_with_author_and_day() -> None:
    found, messages = read(page("<h1>Morning digest</h1>", *DIGEST))
    assert [
        (article.title, article.author, article.published_at, article.text) for article in found
    ] == [
        (title, author, when, text)
        for (title, (_, text)), author, when in zip(
            STORIES.items(),
            ("Jana Müller", "Tomas Ekholm", "Ines Carvalho"),
            (
                datetime(2026, 11, 22, tzinfo=UTC),
                datetime(2026, 11, 24, 4, tzinfo=UTC),
                datetime(2026, 11, 23, tzinfo=UTC),
            ),
            strict=True,
        )
    ]
    assert messages == []


@pytest.mark.parametrize("container", ["div class='item'", "section", "li"])
def test_short_articles_with_a_writer_and_a_day_come_apart_without_article_elements(
    container: str,
) -> None:
    parts = [
        part.replace("<article>", f"<{container}>").replace("article>", f"{container.split()[0]}>")
        for part in DIGEST
    ]
    assert titles(page(*parts)) == list(STORIES)


def test_a_digest_may_link_its_headings_and_stand_under_top_stories() -> None:
    parts = [
        marked(heading, byline, text, link=f"https://digest.example/{number}")
        for number, (heading, (byline, text)) in enumerate(STORIES.items())
    ]
    found, messages = read(page("<h2>Top stories</h2>", *parts))
    assert [article.title for article in found] == list(STORIES)
    assert [article.url for article in found] == [f"https://digest.example/{n}" for n in range(3)]
    assert messages == []


@pytest.mark.parametrize(
    "beside",
    [
        "<aside>{cards}</aside>",
        "<div class='related-stories'>{cards}</div>",
        "<h3>Related stories</h3><div>{cards}</div>",
        "<div><span>More for you</span></div><ul>{cards}</ul>",
    ],
)
def test_cards_among_related_stories_are_left_out_without_a_word(beside: str) -> None:
    cards = "".join(
        marked(f"Old lighthouse number {number} sold", "By Jane Roe · 3 days ago", FERRY, tag="h4")
        for number in ("one", "two")
    )
    found, messages = read(page(*DIGEST, beside.format(cards=cards)))
    assert [article.title for article in found] == list(STORIES)
    assert not any("Ferry" in sentence for sentence in messages)


@pytest.mark.parametrize(
    "card",
    [
        "<article><a href='/a'><h4>Old lighthouse sold at auction</h4></a></article>",
        "<article><h4><a href='/a'>Old lighthouse sold</a></h4><p>Prices rose again…</p></article>",
        f"<article><h4>Old lighthouse sold</h4><p>{FERRY.split('.')[0]}…</p></article>",
        "<article><h4>Get our newsletter</h4><p>Sign up for our newsletter today.</p></article>",
        f"<article><p>{FERRY}</p></article>",
    ],
)
def test_a_part_without_text_or_heading_is_not_an_article(card: str) -> None:
    assert titles(page(*DIGEST, card)) == list(STORIES)


def test_cards_below_a_long_article_are_none_and_the_reader_is_told() -> None:
    card = marked("Harrow Bay votes on the coast road", None, ROAD, tag="h3", link="/road")
    found, messages = read(page(LONG, card, title="Dam below Arden to be raised"))
    assert [article.title for article in found] == ["Dam below Arden to be raised"]
    count = len(ROAD.split())
    assert messages == [
        f"1 short piece was left out: “Harrow Bay votes on the coast road” ({count} words)."
    ]


def test_a_remark_on_the_writer_is_not_a_second_article() -> None:
    bio = marked("Who wrote this", None, RATES, tag="h3")
    assert titles(page(LONG, bio)) == ["Dam below Arden to be raised"]


def test_a_story_that_is_too_short_is_named() -> None:
    brief = "The lighthouse of Sund was sold at auction to a family from Brega."
    assert len(brief.split()) < STORY_WORDS
    found, messages = read(page(*DIGEST, marked("Old lighthouse sold", "By Jane Roe", brief)))
    assert [article.title for article in found] == list(STORIES)
    assert messages == ["1 short piece was left out: “Old lighthouse sold” (13 words)."]


def test_of_many_pieces_left_out_some_are_named_and_the_rest_counted() -> None:
    brief = "The lighthouse of Sund was sold at auction to a family from Brega."
    more = [marked(f"Lighthouse {n} was sold", None, brief) for n in range(8)]
    _, (said,) = read(page(*DIGEST, *more))
    assert said.startswith("8 short pieces were left out: “Lighthouse 0 was sold” (13 words), ")
    assert said.endswith("“Lighthouse 4 was sold” (13 words) and 3 more.")


def test_an_article_inside_another_is_part_of_neither() -> None:
    inner = marked("Erik thinks otherwise", None, "I have never seen it that way. " * 5, tag="h4")
    outer = DIGEST[0].replace("</article>", f"<section>{inner}</section></article>")
    first, *_ = read(page(outer, *DIGEST[1:]))[0]
    assert first.text == ROAD


def test_the_markup_names_the_writer_and_the_moment() -> None:
    byline = (
        "<span rel='author'>Jana Müller</span> · "
        "<time datetime='2026-11-20T07:30:00+01:00'>2 days ago</time>"
    )
    first, *_ = read(page(marked("Harrow Bay votes on the coast road", byline, ROAD), *DIGEST))[0]
    assert (first.author, first.publisher) == ("Jana Müller", None)
    assert first.published_at == datetime(2026, 11, 20, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize("moment", ["2031-01-01", "soon", ""])
def test_a_moment_in_the_markup_that_cannot_be_is_not_believed(moment: str) -> None:
    byline = f"By Jana Müller · <time datetime='{moment}'>2 days ago</time>"
    first, *_ = read(page(marked("Harrow Bay votes on the coast road", byline, ROAD), *DIGEST))[0]
    assert first.published_at == datetime(2026, 11, 22, tzinfo=UTC)


def test_the_publisher_is_the_site_s_where_an_article_names_none() -> None:
    html = page(*DIGEST).replace("<title>", "<meta property='og:site_name' content='Sund'><title>")
    assert {article.publisher for article in read(html)[0]} == {"Sund"}


def test_subheadings_and_captions_stay_in_their_article() -> None:
    more = f"<figure><figcaption>The road.</figcaption></figure><h3>What next</h3><p>{FERRY}</p>"
    first = DIGEST[0].replace("</article>", f"{more}</article>")
    found, _ = read(page(first, *DIGEST[1:]))
    assert found[0].text.split("\n\n") == [ROAD, "What next", FERRY]
    assert len(found) == 3


@pytest.mark.slow
@given(st.lists(st.sampled_from(list(STORIES)), min_size=2, max_size=3, unique=True))
def test_each_article_that_a_page_marks_comes_out_in_the_order_of_the_page(
    chosen: list[str],
) -> None:
    html = page(*(marked(heading, *STORIES[heading]) for heading in chosen))
    assert titles(html) == chosen


def test_short_articles_of_a_plain_text_come_out_one_by_one() -> None:
    text = "\n".join(
        f"{heading}\n{byline}\n\n{' '.join(body.split()[:30])}.\n"
        for heading, (byline, body) in STORIES.items()
    )
    messages: list[str] = []
    found = capture_text(text, captured_at=SEEN, notify=messages.append)
    assert [(article.title, article.author) for article in found] == [
        (heading, byline.split(" · ")[0].removeprefix("By "))
        for heading, (byline, _) in STORIES.items()
    ]
    assert all(article.published_at is not None for article in found)
    assert messages == []


def test_no_entity_that_a_page_declares_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret")
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 11))
    file = f'<!ENTITY file SYSTEM "{(tmp_path / "secret").as_uri()}">'
    declared = f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY e0 "boom">{bomb}{file}]>'
    (article,) = read(declared + page(LONG.replace(FERRY, f"{FERRY} &e10; &file;")))[0]
    assert "&e10; &file;" in article.text
    assert "a secret" not in article.text
