"""Boilerplate around and between the paragraphs of a page, one rule at a time."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.reading.article import PARAGRAPH, CapturedArticle
from forecasts.reading.page.bylines import is_name, reporter_names, site_owner
from forecasts.reading.page.captions import opens_with_source
from forecasts.reading.page.plain_text import split_text

DAY = datetime(2025, 7, 24, 12, tzinfo=UTC)
TITLE = "Quota row halts landings in Sund"
FISH = (
    "Fishing crews along the western coast have stopped landing mackerel after a quota dispute.",
    "The government gave Brega until August 15 to withdraw its patrol boats.",
    '"We have run out of patience," the minister told parliament.',
)


def read(*lines: str) -> list[CapturedArticle]:
    return split_text("\n".join(lines), captured_at=DAY)


def body(*lines: str) -> list[str]:
    """Return the paragraphs of an article with these lines below its head."""
    (article,) = read(TITLE, "Coastal Review · 2 days ago", *lines)
    return article.text.split(PARAGRAPH)


# -- between the paragraphs ------------------------------------------------------------------


def test_the_lines_of_a_box_with_buttons_are_not_the_text_s() -> None:
    box = ("The harbours of the west", "Free every Thursday", "Enter your e-mail", "Sign up")
    assert body(FISH[0], *box, FISH[1]) == [FISH[0], FISH[1]]


def test_the_line_above_a_paragraph_stays_as_a_subheading() -> None:
    lines = (FISH[0], "Watch now", "03:05", "Boats in the mist", "What comes next", FISH[1])
    assert body(*lines) == [FISH[0], "What comes next", FISH[1]]


def test_a_list_below_a_colon_is_not_a_box() -> None:
    lines = ("The law asks for three things:", "A permit", "Advertisement", "Nets", "A quota")
    assert body(FISH[0], *lines, FISH[1]) == [
        FISH[0], lines[0], "A permit", "Nets", "A quota", FISH[1],
    ]  # fmt: skip


def test_the_times_of_a_live_report_stay() -> None:
    assert body(FISH[0], "17:40", FISH[1]) == [FISH[0], "17:40", FISH[1]]


def test_a_paragraph_below_one_related_article_is_the_text_s() -> None:
    lines = (FISH[0], "RELATED ARTICLE", "Five charts on fish", FISH[1])
    assert body(*lines) == [FISH[0], FISH[1]]


def test_a_sentence_set_large_is_left_out_where_a_paragraph_holds_it() -> None:
    assert body(FISH[0], "“We have run out of patience”", FISH[2]) == [FISH[0], FISH[2]]


def test_a_quotation_that_occurs_once_stays() -> None:
    assert body(*FISH) == [*FISH]


# -- at the head and at the foot -------------------------------------------------------------


def test_a_name_above_a_button_to_follow_it_is_the_publisher() -> None:
    (article,) = read(
        "Harbour Notes", "Follow", "1.2K Followers", TITLE, "Story by Jane Roe", "• 3h", *FISH
    )
    assert (article.publisher, article.author) == ("Harbour Notes", "Jane Roe")


def test_a_name_beside_a_date_is_the_author_s_where_a_page_holds_one_article() -> None:
    (article,) = read(TITLE, "Jane Roe", "July 21, 2025", *FISH)
    assert (article.publisher, article.author) == (None, "Jane Roe")


def test_a_name_beside_how_long_ago_is_the_publisher() -> None:
    (article,) = read(TITLE, "Harbour Notes · 2 days ago", *FISH)
    assert (article.publisher, article.author) == ("Harbour Notes", None)


def test_the_owner_of_the_page_is_the_publisher_where_no_other_is_named() -> None:
    (article,) = read(TITLE, "By Jane Roe", *FISH, "© 2025 The Coastal Review.")
    assert article.publisher == "The Coastal Review"


def test_author_and_place_are_a_byline_beside_a_time() -> None:
    (article,) = read(TITLE, "Jane Roe in Sund", "Tue 22 Jul 2025 16.05 BST", *FISH)
    assert article.author == "Jane Roe"
    assert article.published_at == datetime(2025, 7, 22, 15, 5, tzinfo=UTC)


def test_the_authors_introduction_is_not_part_of_the_text() -> None:
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


def test_readers_comments_are_not_an_article() -> None:
    (article,) = read(
        TITLE, "Coastal Review · 2 days ago", *FISH, "Related", "Five charts on fish",
        "May 11, 2025", "2 thoughts on “Quota row”", "Erik says:", "July 23, 2025",
        "My grandfather said the same, and nobody believed him either.",
    )  # fmt: skip
    assert article.text.split(PARAGRAPH) == [*FISH]


# -- above the headline ----------------------------------------------------------------------

COURT = (
    "A court in Ostland has ordered the broadcaster to rehire eleven journalists.",
    "The broadcaster has 30 days to appeal, and its lawyer said that it would.",
)
OTHER = "Court orders editor's return"
SHELVES = (
    "More for you", "Read more", "Recommended", "Recommended for you →", "★ Picked for you",
    "JUST FOR YOU", "You may also like", "Because you read “Fish”", "Based on your interests",
    "What others are reading", "Today's top picks", "Must read", "Also read", "Read this next",
    "Discover more", "More world news", "From the web", "Featured stories", "In case you missed it",
)  # fmt: skip
HEADS = {
    "a line below": lambda title: [title, "Coastal Review · 2 days ago"],
    "lines above": lambda title: ["Coastal Review", "2 days ago", title],
    "a byline": lambda title: [title, "By Jane Roe", "July 21, 2025"],
    "an app's": lambda title: [title, title, "Coastal Review", "time2 hours ago", title],
}


@pytest.mark.parametrize("shelf", SHELVES)
@pytest.mark.parametrize("head", HEADS)
def test_an_announcement_is_not_the_title_of_the_article_below(shelf: str, head: str) -> None:
    top = HEADS[head]
    for page in (
        [shelf, *top(TITLE), *FISH, shelf, *top(OTHER), *COURT],
        ["Menu", *top(TITLE), *FISH, "Share", "", shelf, "", *top(OTHER), *COURT],
        [*top(TITLE), *FISH, shelf, shelf, *top(OTHER), *COURT],
        [
            *top(TITLE),
            *FISH,
            shelf,
            *top("Mackerel, and how to smoke it"),
            *top(OTHER),
            *COURT,
        ],
    ):
        assert [(found.title, found.text.split(PARAGRAPH)) for found in read(*page)] == [
            (TITLE, [*FISH]),
            (OTHER, [*COURT]),
        ]


@pytest.mark.parametrize("shelf", SHELVES)
def test_nor_is_an_announcement_the_title_of_a_bare_article(shelf: str) -> None:
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
        ("Read full story on Bloomberg", "Bloomberg"),
        ("© Jane Roe", None),
        ("Read on, and you will see.", None),
    ],
)
def test_a_line_at_the_foot_names_the_publisher(line: str, name: str | None) -> None:
    assert site_owner(line) == name


def test_places_and_people_after_in_are_not_a_byline() -> None:
    assert reporter_names("Jane Roe and John Doe in Velm") == "Jane Roe and John Doe"
    assert reporter_names("Coastal Review in Sund") is None
    assert reporter_names("Fishing in Sund") is None


@pytest.mark.parametrize("line", ["1. Brega", "12/11/2025", "PHOTO: JANE ROE", "Who?"])
def test_numbers_labels_and_questions_are_not_names(line: str) -> None:
    assert not is_name(line)


# -- anything at all -------------------------------------------------------------------------

LINES = sorted(
    {
        line
        for page in (Path(__file__).parent / "pages").glob("*.txt")
        for line in page.read_text().splitlines()
    }
)


@pytest.mark.slow
@given(st.lists(st.sampled_from(LINES), max_size=25))
def test_any_mixture_of_lines_comes_apart_into_articles_with_a_title_and_a_text(
    lines: list[str],
) -> None:
    for article in split_text("\n".join(lines), captured_at=DAY):
        assert article.title
        assert article.text
