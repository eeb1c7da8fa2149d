"""Pages of various publishers, layouts and numbers of articles are split as a reader would."""

from __future__ import annotations

import json
import random
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.articles.capture import capture
from forecasts.common.errors import CaptureError
from forecasts.reading.article import PARAGRAPH
from forecasts.reading.page.boilerplate import ends_article, is_boilerplate
from forecasts.reading.page.bylines import is_publisher, publisher_and_author
from forecasts.reading.page.captions import is_caption, is_credit
from forecasts.reading.page.plain_text import MAX_LINES, split_text
from tests.tables import each_row

PAGES = sorted(
    page for page in (Path(__file__).parent / "pages").iterdir() if page.suffix != ".json"
)
DAY = datetime(2025, 7, 24, tzinfo=UTC)

FISH = (
    "Fishing crews along the western coast have stopped landing mackerel after a quota dispute.",
    "The government gave Brega until August 15 to withdraw its patrol boats.",
    '"We have run out of patience," the minister told parliament.',
)
COURT = (
    "A court in Ostland has ordered the broadcaster to rehire eleven journalists.",
    "The broadcaster has 30 days to appeal, and its lawyer said that it would.",
)


def body(*paragraphs: str) -> str:
    return "\n".join(paragraphs)


def only(text: str) -> list[str]:
    """Return the paragraphs of the only article in a text."""
    (article,) = split_text(text, captured_at=DAY)
    return article.text.split(PARAGRAPH)


def titles(text: str) -> list[str]:
    return [article.title for article in split_text(text, captured_at=DAY)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_comes_out_as_its_articles_and_nothing_else(page: Path) -> None:
    expected = json.loads(page.with_suffix(".json").read_text())
    found = capture(page, captured_at=datetime.fromisoformat(expected["captured_at"]))

    assert [
        {
            "title": article.title,
            "publisher": article.publisher,
            "author": article.author,
            "day": article.published_at and article.published_at.date().isoformat(),
            "paragraphs": article.text.split(PARAGRAPH),
        }
        for article in found
    ] == expected["articles"]


def test_a_plain_text_keeps_its_title_byline_and_dateline() -> None:
    opening = f"SUND, July 22 (Reuters) - {FISH[0]}"
    text = body("Quota row halts landings", "By Jane Doe", "", opening, "", FISH[1])
    (article,) = split_text(text, captured_at=DAY)

    assert article.title == "Quota row halts landings"
    assert article.author == "Jane Doe"
    assert article.publisher == "Reuters"
    assert article.published_at == datetime(2025, 7, 22, tzinfo=UTC)
    assert article.text.split(PARAGRAPH) == [opening, FISH[1]]


@pytest.mark.parametrize(
    ("dateline", "day", "publisher"),
    [
        ("Sund, 22 July 2025 (Nordic Wire) - ", "2025-07-22", "Nordic Wire"),
        ("SUND (Nordic Wire) - ", None, "Nordic Wire"),
        ("SUND, Ostland, July 22 (Nordic Wire) — ", "2025-07-22", "Nordic Wire"),
        ("Sund, July 22, 2024 - ", "2024-07-22", None),
        ("July 22, 2025 - ", "2025-07-22", None),
        ("SUND, July 22, 2025 /NordicWire/ -- ", "2025-07-22", None),
    ],
)
def test_a_dateline_dates_an_article_and_is_not_part_of_its_title(
    dateline: str, day: str | None, publisher: str | None
) -> None:
    (article,) = split_text(body(dateline + COURT[0], COURT[1]), captured_at=DAY)
    assert article.title == COURT[0].rstrip(".")
    assert (article.published_at and article.published_at.date().isoformat()) == day
    assert article.publisher == publisher
    assert article.text.startswith(dateline)


def test_the_date_at_the_head_of_an_article_counts_before_its_dateline() -> None:
    text = body("Quota row halts landings", "Jul 23, 2025", f"Sund, 22 July - {FISH[0]}", FISH[1])
    (article,) = split_text(text, captured_at=DAY)
    assert article.published_at == datetime(2025, 7, 23, tzinfo=UTC)


def test_the_days_of_a_chronicle_are_not_the_day_of_its_publication() -> None:
    text = body(f"May 12, 2025 – {COURT[0]}", f"July 21, 2025 – {COURT[1]}")
    (article,) = split_text(text, captured_at=DAY)
    assert article.published_at is None


def test_a_text_without_a_title_is_called_by_its_first_sentence() -> None:
    (article,) = split_text(body(*COURT), captured_at=DAY)
    assert article.title == COURT[0].rstrip(".")
    assert article.text == PARAGRAPH.join(COURT)


def test_a_long_first_sentence_is_shortened_at_a_word() -> None:
    (article,) = split_text("Word " * 40 + "ends.", captured_at=DAY)
    assert article.title.endswith("Word…")
    assert len(article.title) <= 101


def test_subheadings_stay_where_they_stand() -> None:
    text = body("Quota row halts landings", FISH[0], "What comes next", FISH[1])
    assert only(text) == [FISH[0], "What comes next", FISH[1]]


def test_dates_between_paragraphs_head_the_parts_of_a_chronicle() -> None:
    text = body("How the row unfolded", "Coastal Review | Jul 21, 2025", FISH[0], "May 12, 2025")
    assert only(body(text, FISH[1])) == [FISH[0], "May 12, 2025", FISH[1]]


def test_lists_stay_and_may_end_an_article() -> None:
    text = body("Quota row halts landings", FISH[0], "• A new quota", "• Compensation", "Share")
    assert only(text) == [FISH[0], "• A new quota", "• Compensation"]


def test_rows_that_an_editor_broke_are_paragraphs_again() -> None:
    rows = [
        "Fishing crews along the western coast have stopped landing mackerel",
        "after a quota dispute with neighbouring Brega. The government in",
        "Sund gave Brega until August 15 to withdraw its patrol boats, and",
        "did not say what would follow.",
    ]
    assert only("Quota row halts landings\n\n" + "\n".join(rows)) == [" ".join(rows)]


@pytest.mark.parametrize("width", [60, 72, 100])
@pytest.mark.parametrize(
    "other", ["", "-" * 105, "https://letter.example.org/?" + "utm=mail&" * 20]
)
def test_a_wrapped_letter_keeps_its_sentences_whatever_else_is_wider(
    width: int, other: str
) -> None:
    wrapped = ("\n".join(textwrap.wrap(text, width)) for text in (*FISH, *COURT))
    letter = "\n\n".join(["The quota dispute, and what else the week will bring", other, *wrapped])
    assert only(letter)[-5:] == [*FISH, *COURT]


def test_a_line_across_the_page_parts_two_texts_with_titles() -> None:
    text = body("Quota row halts landings", *FISH, "-----", "Court orders rehiring", *COURT)
    assert titles(text) == ["Quota row halts landings", "Court orders rehiring"]


def test_titles_of_a_numbered_digest_lose_their_numbers() -> None:
    text = body(
        "1. Quota row halts landings", "Coastal Review · 2 days ago", *FISH,
        "2. Court orders rehiring", "Ostland Radio · 3 days ago", *COURT,
    )  # fmt: skip
    assert titles(text) == ["Quota row halts landings", "Court orders rehiring"]


def test_labels_name_the_first_line() -> None:
    text = body(
        "Title: Quota row halts landings", "Source: Coastal Review", "Author: Jane Roe",
        "Date: 21 July 2025", "URL: https://coastal.example/quota", "", *FISH,
    )  # fmt: skip
    (article,) = split_text(text, captured_at=DAY)
    assert article.title == "Quota row halts landings"
    assert (article.publisher, article.author) == ("Coastal Review", "Jane Roe")
    assert article.published_at == datetime(2025, 7, 21, tzinfo=UTC)
    assert article.url == "https://coastal.example/quota"


def test_the_site_s_name_behind_a_title_is_its_publisher() -> None:
    (article,) = split_text(
        body("Quota row halts landings | The Coastal Review", *FISH), captured_at=DAY
    )
    assert (article.title, article.publisher) == ("Quota row halts landings", "The Coastal Review")


def test_an_agency_under_a_title_does_not_make_the_title_a_caption() -> None:
    text = body("QUOTA ROW HALTS LANDINGS", "REUTERS", "2025-07-22", *FISH)
    (article,) = split_text(text, captured_at=DAY)
    assert (article.title, article.publisher) == ("QUOTA ROW HALTS LANDINGS", "REUTERS")


def test_teasers_without_a_text_are_not_articles() -> None:
    text = body(
        "Quota row halts landings", "Coastal Review · 2 days ago", *FISH,
        "You may also like", "Five charts on fish", "Reuters · 3 days ago",
        "Prices have fallen for a third month, and the makers now…",
        "Why strikes are back", "BBC News · 4 days ago",
    )  # fmt: skip
    assert titles(text) == ["Quota row halts landings"]


def test_a_sites_welcome_is_not_an_article() -> None:
    text = body(
        "Welcome to World Digest, your daily source of news from everywhere.",
        "We use cookies to improve your experience.", "Accept all",
        "Quota row halts landings", "Coastal Review · 2 days ago", *FISH,
    )  # fmt: skip
    assert titles(text) == ["Quota row halts landings"]


@each_row(__file__, "lines", by="line")
def test_a_line_is_a_credit_a_caption_or_boilerplate_as_the_table_says(row: dict[str, str]) -> None:
    line, said = row["line"], row["is"]
    if "caption" in said:
        found = is_caption(line, row["following"] or None)
    else:
        found = is_credit(line) if "credit" in said else is_boilerplate(line)
    assert found == (not said.startswith("not ")), row["about"]
    assert said != "not boilerplate" or not ends_article(line)


def test_of_two_names_the_one_that_is_called_a_paper_is_the_publisher() -> None:
    assert publisher_and_author(["Jane Roe", "Example Times"]) == ("Example Times", "Jane Roe")
    assert publisher_and_author(["World", "Al Jazeera"]) == ("Al Jazeera", None)
    assert publisher_and_author([]) == (None, None)
    assert is_publisher("NHK")
    assert not is_publisher("ADVERTISEMENT")


def test_a_text_longer_than_any_page_is_refused() -> None:
    with pytest.raises(CaptureError, match="at most"):
        split_text("It was so.\n" * (MAX_LINES + 2), captured_at=DAY)


# -- pages made at random -------------------------------------------------------------------

TITLES = (
    "Council approves harbour wall after long debate", "Growth forecast cut again",
    "Will the prime minister resign?", "'The wrong wall': fishermen fight the plan",
    "Court may rule on permits in August", "U.S. and Brega resume fish talks",
)  # fmt: skip
PUBLISHERS = ("Reuters", "The Coastal Review", "NHK", "Al Jazeera", "Yahoo", "axios.com", "Vox")
TIMES = ("2 days ago", "a day ago", "yesterday", "an hour ago", "3 hrs ago", "Jul 20, 2025")
SENTENCES = (
    "The council of Marben approved the new harbour wall on Monday after nine hours.",
    "Work is to begin in October and should be finished by the end of 2027.",
    '"It is the wrong wall in the wrong place," said Lena Ortiz, who leads the union.',
    "A survey last month found that 61% of residents support the project.",
    "Exports to Brega fell by a fifth between January and June.",
    "What happens if the talks fail is anyone's guess.",
    "The company did not respond to a request for comment.",
    "If the weather holds, farmers could receive the first maps by Christmas.",
    "He repeated on Sunday that he would resign if his party lost.",
    "How long can this go on?",
    "Our world is warming, the report begins, and it ends with a warning.",
    "Prices rose again. Freight from Sund to Velmora now costs $2,100 a container.",
    "It was over.",
)
BETWEEN = (
    "Advertisement",
    "Read more: Ostland votes in September",
    "Cranes over the harbour of Marben in July |\nErika Holm / The Coastal Review",
    "Voters queue outside a polling station in Ostland in 2021.\nGetty Images",
    "Sign up for our newsletter to get the news in your inbox.",
)
BELOW = ("Blue background\n\nComments\n\nNobody has commented", "Share on Facebook\nTweet", "")


@st.composite
def pages(draw: st.DrawFn) -> tuple[str, list[tuple[str, str, list[str]]]]:
    """Return a page, and the title, publisher and paragraphs of each of its articles."""
    titles = draw(st.lists(st.sampled_from(TITLES), min_size=1, max_size=6, unique=True))
    parts, expected = ["logo"], []
    pool = list(SENTENCES)
    random.Random(draw(st.integers(0, 999))).shuffle(pool)
    for number, title in enumerate(titles):
        publisher, when = draw(st.sampled_from(PUBLISHERS)), draw(st.sampled_from(TIMES))
        glued = f"{title}\n\n{title}\n\n{publisher}{when}"
        app = f"{title}\n{title}\n\n{publisher}\n\ntime{when}\n\n  • {publisher}\n\n{title}"
        plain = f"{title}\n{publisher} · {when}"
        parts.append(draw(st.sampled_from([glued, app, plain])))
        paragraphs = pool[2 * number : 2 * number + 2] + draw(
            st.lists(st.sampled_from(SENTENCES), max_size=4, unique=True)
        )
        paragraphs = list(dict.fromkeys(paragraphs))
        lines = []
        for paragraph in paragraphs[:-1]:
            lines.append(paragraph)
            lines += draw(st.lists(st.sampled_from(BETWEEN), max_size=1))
        parts.append(draw(st.sampled_from(["\n", "\n\n"])).join([*lines, paragraphs[-1]]))
        parts.append(draw(st.sampled_from(BELOW)))
        if number == 0:
            parts.append("More from World Digest")
        expected.append((title, publisher, paragraphs))
    return "\n\n".join(part for part in parts if part), expected


@pytest.mark.slow
@given(pages())
def test_every_line_of_every_body_survives_and_nothing_else(
    made: tuple[str, list[tuple[str, str, list[str]]]],
) -> None:
    page, expected = made
    found = split_text(page, captured_at=DAY)
    assert [(a.title, a.publisher, a.text.split(PARAGRAPH)) for a in found] == expected
