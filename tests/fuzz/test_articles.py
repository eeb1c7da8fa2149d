"""Random pages and sentences give articles and drafts, or our own errors."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.articles.capture import capture_bytes, capture_text
from forecasts.articles.drafts import draft_questions
from forecasts.common.text import unstorable_character
from forecasts.reading.article import content_hash
from forecasts.reading.drafting.deadlines import find_deadlines, find_overdue
from forecasts.reading.page.dates import find_timestamp
from tests.conftest import day
from tests.fuzz.fuzzing import CELLS, NUMBERS, TIMES, damaged, few_or, fuzz, our_own_or_nothing

pytestmark = pytest.mark.slow

WORDS = st.sampled_from([
    "by", "the", "end", "of", "before", "until", "within", "in", "on", "this", "next", "last",
    "coming", "fall", "spring", "summer", "winter", "autumn", "year", "years", "month",
    "months", "week", "weeks", "day", "days", "quarter", "decade", "century", "three", "a",
    "an", "couple", "hundred", "January", "february", "Mar.", "31", "30", "29", "1", "0",
    "2028", "1", "99", "9999", "10000", "2026-02-30", "31/02/2026", "Q3", "H2", "2025/26",
    "Monday", "Tuesday", "noon", "midnight", "third", "Friday", "mid-", "early", "late",
    "half", "first", "second", "'s", ".", ",", ";", "(", ")", "–", "\n\n", "will", "may",
    "could", "the", "council", "vote", "decide", "expects", "said", "whether", "to", "be",
    "open", "999999999", "1e9", "ago", "since", "Christmas", "Easter", "Ramadan", "fiscal",
    "FY2027", "tomorrow", "yesterday", "today", "12:00", "a.m.", "p.m.", "UTC", "+14:00",
])  # fmt: skip
SENTENCES = st.lists(WORDS | CELLS | NUMBERS | TIMES, max_size=24).map(" ".join)
ANCHORS = st.dates() | st.sampled_from([date.min, date.max, date(2024, 2, 29)])
MOMENTS = st.datetimes(
    min_value=day(-700_000).replace(tzinfo=None), max_value=day(2_900_000).replace(tzinfo=None)
)
PARTS = st.sampled_from([
    "<html>", "<body>", "<article>", "</article>", "<p>", "</p>", "<h1>", "<div class='x'>",
    "</div>", "<table><tr><td>", "<script>", "</script>", "<!--", "-->", "<![CDATA[", "]]>",
    "<meta charset=",
    '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": ',
    "}</script>", '<meta property="article:published_time" content="', '">',
    "<time datetime='", "'>", "&#0;", "&#xD800;", "&#1114112;", "&amp;" * 9,
    "<base href='javascript:'>", "<iframe>", "<svg>", "<a href='",
    "<p>The council will decide by the end of 2031 whether a bridge replaces the ferry.</p>"
    * 3,
    "2 days ago", "\n\n", "• NHK", "<div>" * 300, "<ul>" + "<li>x</li>" * 40, "<title>",
    "</title>",
])  # fmt: skip
ENCODINGS = [
    *("utf-8", "utf-16", "utf-32", "latin-1", "cp1251", "shift_jis", "gb18030", "utf-7", "koi8-r")
]


@few_or(60)
def test_a_page_of_any_parts_in_any_encoding(examples: int) -> None:
    @fuzz(examples)
    @given(
        data=st.data(),
        page=st.lists(PARTS | SENTENCES | TIMES, max_size=14).map("".join),
        encoding=st.sampled_from(ENCODINGS),
        broken=st.booleans(),
    )
    def check(data: st.DataObject, page: str, encoding: str, broken: bool) -> None:
        content = page.encode(encoding, "replace")
        content = damaged(data, content) if broken and content else content
        for read in (
            lambda: capture_bytes(content, captured_at=day(5)),
            lambda: capture_text(page, captured_at=day(5)),
        ):
            with our_own_or_nothing():
                for article in read():
                    assert article.title
                    assert not unstorable_character(article.title + article.text)
                    assert content_hash(article)
                    draft_questions(
                        article.text, published_at=(article.published_at or day(5)).date()
                    )

    check()


@few_or(120)
def test_a_sentence_about_any_time(examples: int) -> None:
    @fuzz(examples)
    @given(text=SENTENCES, anchor=ANCHORS)
    def check(text: str, anchor: date) -> None:
        with our_own_or_nothing():
            deadlines, overdue = (
                find(text, anchor=anchor) for find in (find_deadlines, find_overdue)
            )
            for one in (*deadlines, *overdue):
                assert one.phrase == text[one.start : one.end]
                assert (one.last_day >= anchor) == (one in deadlines)
            for draft in draft_questions(text, published_at=anchor):
                assert text[draft.start : draft.end]

    check()


@few_or(100)
def test_a_line_that_says_when(examples: int) -> None:
    @fuzz(examples)
    @given(line=SENTENCES, moment=MOMENTS)
    def check(line: str, moment: datetime) -> None:
        with our_own_or_nothing():
            stamp = find_timestamp(line, moment.replace(tzinfo=UTC))
            assert stamp is None or (stamp.when - moment.replace(tzinfo=UTC)).days <= 1

    check()
