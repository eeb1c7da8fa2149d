"""Boilerplate around and between the paragraphs of a page, one rule at a time."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle

import pytest

from forecasts.reading.article import PARAGRAPH, CapturedArticle
from forecasts.reading.page.bylines import is_name, reporter_names, site_owner
from forecasts.reading.page.captions import opens_with_source
from forecasts.reading.page.plain_text import split_text
from tests.reading.texts import COURT, FISH

DAY = datetime(2025, 7, 24, 12, tzinfo=UTC)
TITLE = "Quota row halts landings in Sund"


def read(*lines: str) -> list[CapturedArticle]:
    return split_text("\n".join(lines), captured_at=DAY)


def body(*lines: str) -> list[str]:
    """Return the paragraphs of an article with these lines below its head."""
    (article,) = read(TITLE, "Coastal Review · 2 days ago", *lines)
    return article.text.split(PARAGRAPH)


# -- between the paragraphs ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "left_out"),
    [
        ([FISH[0], "The harbours of the west", "Free every Thursday", "Enter your e-mail",
          "Sign up", FISH[1]], [1, 2, 3, 4]),
        ([FISH[0], "Watch now", "03:05", "Boats in the mist", "What comes next", FISH[1]],
         [1, 2, 3]),
        ([FISH[0], "The law asks for three things:", "A permit", "Advertisement", "Nets",
          "A quota", FISH[1]], [3]),
        ([FISH[0], "17:40", FISH[1]], []),
        ([FISH[0], "RELATED ARTICLE", "Five charts on fish", FISH[1]], [1, 2]),
        ([FISH[0], "“We have run out of patience”", FISH[2]], [1]),
        ([*FISH], []),
    ],
    ids=["a box with buttons", "a subheading below a box", "a list below a colon",
         "the times of a live report", "one related article", "a sentence set large",
         "a quotation that stands once"],
)  # fmt: skip
def test_what_is_not_the_text_s_is_left_out(lines: list[str], left_out: list[int]) -> None:
    assert body(*lines) == [line for n, line in enumerate(lines) if n not in left_out]


# -- at the head and at the foot -------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "publisher", "author"),
    [
        (["Harbour Notes", "Follow", "1.2K Followers", TITLE, "Story by Jane Roe", "• 3h", *FISH],
         "Harbour Notes", "Jane Roe"),
        ([TITLE, "Jane Roe", "July 21, 2025", *FISH], None, "Jane Roe"),
        ([TITLE, "Harbour Notes · 2 days ago", *FISH], "Harbour Notes", None),
        ([TITLE, "By Jane Roe", *FISH, "© 2025 The Coastal Review."], "The Coastal Review",
         "Jane Roe"),
        ([TITLE, "Harbour Notes Online", *FISH], "Harbour Notes Online", None),
        ([TITLE, "Jane Roe", *FISH], None, "Jane Roe"),
    ],
    ids=["above a button to follow", "beside a date", "beside how long ago", "of the page's owner",
         "a publisher alone", "a person alone"],
)  # fmt: skip
def test_a_name_is_the_publisher_s_or_the_author_s_by_its_place(
    lines: list[str], publisher: str | None, author: str | None
) -> None:
    (article,) = read(*lines)
    assert (article.publisher, article.author) == (publisher, author)


def test_who_wrote_and_from_where_is_a_byline_beside_a_time() -> None:
    (article,) = read(TITLE, "Jane Roe in Sund", "Tue 22 Jul 2025 16.05 BST", *FISH)
    assert article.author == "Jane Roe"
    assert article.published_at == datetime(2025, 7, 22, 15, 5, tzinfo=UTC)


def test_what_introduces_the_author_is_not_the_text_s() -> None:
    (article,) = read(TITLE, "By Jane Roe", *FISH, "Jane Roe is a writer in Sund.")
    assert article.text.split(PARAGRAPH) == [*FISH]


def test_the_source_may_stand_in_brackets_behind_the_title() -> None:
    first, second = read(
        f"{TITLE} (Coastal Review, July 22)", FISH[0], "",
        "Court orders editor's return (Ostland Radio, July 21)", FISH[2],
    )  # fmt: skip
    assert [article.publisher for article in (first, second)] == ["Coastal Review", "Ostland Radio"]
    assert (first.title, first.text) == (TITLE, FISH[0])


@pytest.mark.parametrize("full", [True, False])
def test_one_sentence_below_related_articles_is_an_article_among_full_ones(full: bool) -> None:
    below = (*FISH[1:], FISH[0]) if full else FISH[1:2]
    found = read(
        TITLE, "Coastal Review · 2 days ago", *FISH, "Related Articles",
        "Patrol boats leave for Brega", "Reuters · 3 hours ago", *below,
        "Mackerel prices rise again in the west", "Reuters · 4 hours ago",
        "Mackerel costs a tenth more than in June.",
    )  # fmt: skip
    assert len(found) == (3 if full else 1)


def test_what_readers_wrote_is_no_article() -> None:
    (article,) = read(
        TITLE, "Coastal Review · 2 days ago", *FISH, "Related", "Five charts on fish",
        "May 11, 2025", "2 thoughts on “Quota row”", "Erik says:", "July 23, 2025",
        "My grandfather said the same, and nobody believed him either.",
    )  # fmt: skip
    assert article.text.split(PARAGRAPH) == [*FISH]


# -- above the headline ----------------------------------------------------------------------

OTHER = "Court orders editor's return"
SHELVES = (
    "More for you", "Read more", "Recommended", "Recommended for you →", "★ Picked for you",
    "JUST FOR YOU", "You may also like", "Because you read “Fish”", "Based on your interests",
    "What others are reading", "Today's top picks", "Must read", "Also read", "Read this next",
    "Discover more", "More world news", "From the web", "Featured stories", "In case you missed it",
)  # fmt: skip
HEADS = (
    lambda title: [title, "Coastal Review · 2 days ago"],
    lambda title: ["Coastal Review", "2 days ago", title],
    lambda title: [title, "By Jane Roe", "July 21, 2025"],
    lambda title: [title, title, "Coastal Review", "time2 hours ago", title],
)


@pytest.mark.parametrize(("shelf", "head"), list(zip(SHELVES, cycle(HEADS), strict=False)))
def test_what_announces_other_articles_is_not_the_title_of_the_one_below(
    shelf: str, head: Callable[[str], list[str]]
) -> None:
    for page in (
        [shelf, *head(TITLE), *FISH, shelf, *head(OTHER), *COURT],
        ["Menu", *head(TITLE), *FISH, "Share", "", shelf, "", *head(OTHER), *COURT],
        [*head(TITLE), *FISH, shelf, shelf, *head(OTHER), *COURT],
        [*head(TITLE), *FISH, shelf, *head("Mackerel, and how to smoke it"), *head(OTHER), *COURT],
    ):
        assert [(found.title, found.text.split(PARAGRAPH)) for found in read(*page)] == [
            (TITLE, [*FISH]),
            (OTHER, [*COURT]),
        ]


def test_what_announces_other_articles_is_not_the_title_above_a_bare_one_either() -> None:
    for shelf in SHELVES:
        (article,) = read(shelf, TITLE, *FISH)
        assert (article.title, article.text.split(PARAGRAPH)) == (TITLE, [*FISH])


# -- single lines ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "opens"),
    [
        ("EPA The prime minister in a dark suit", True),
        ("Getty Images A row of moored ferries seen from above", True),
        ("Reuters reports that the talks have failed", False),
        ("AP The talks have failed, and that was all.", False),
    ],
)
def test_a_description_may_begin_with_its_source(line: str, opens: bool) -> None:
    assert opens_with_source(line) is opens


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("© 2025 The Velmora Herald. All rights reserved.", "The Velmora Herald"),
        ("Copyright 2024-2025 Coast Daily", "Coast Daily"),
        ("Read full story on Bloomberg", "Bloomberg"), ("© Jane Roe", None),
        ("Read on, and you will see.", None),
    ],
)  # fmt: skip
def test_a_line_at_the_foot_says_whose_the_page_is(line: str, name: str | None) -> None:
    assert site_owner(line) == name


def test_places_and_people_behind_in_are_no_byline_of_a_paper() -> None:
    assert reporter_names("Jane Roe and John Doe in Velm") == "Jane Roe and John Doe"
    assert reporter_names("Coastal Review in Sund") is None
    assert reporter_names("Fishing in Sund") is None


@pytest.mark.parametrize("line", ["1. Brega", "12/11/2025", "PHOTO: JANE ROE", "Who?"])
def test_what_is_numbered_labelled_or_asked_is_no_name(line: str) -> None:
    assert not is_name(line)
