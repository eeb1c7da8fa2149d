"""Capturing a URL, a file or pasted text gives articles, or an error with a remedy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from forecasts import articles
from forecasts.articles.capture import capture, capture_bytes, capture_text
from forecasts.common.errors import BadInput, CaptureError
from forecasts.common.web import Fetched
from forecasts.reading.article import CapturedArticle, canonical_url, content_hash
from tests.reading.texts import COURT, FISH

NOON = datetime(2025, 7, 24, 12, tzinfo=UTC)

TEXT = "\n\n".join(FISH)


def page(head: str = "", before: str = "", after: str = "", paragraphs: Any = FISH) -> str:
    """Return an HTML page with an article that has these paragraphs."""
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'>{head}</head><body>"
        f"<nav><a href='/'>Home</a><a href='/w'>World</a></nav><article>{before}{body}</article>"
        f"{after}<footer>© 2025 Coastal Review. All rights reserved.</footer></body></html>"
    )


def only(html: str) -> CapturedArticle:
    """Return the one article of an HTML page."""
    (article,) = capture_bytes(html.encode(), captured_at=NOON)
    return article


TITLE = "<h1>Quota row halts landings</h1>"

LINKED_DATA = """<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
  {"@type": "NewsArticle", "headline": "Quota row halts landings",
   "datePublished": "2025-07-20T22:30:00-04:00",
   "author": [{"@type": "Person", "name": "Jane Roe"}, {"@type": "Person", "name": "Max Moe"}],
   "publisher": {"@type": "Organization", "name": "The Coastal Review"}}]}</script>"""


# -- HTML -----------------------------------------------------------------------------------


def test_an_articles_page_gives_its_text_and_its_metadata() -> None:
    link = "<link rel='canonical' href='https://coastal.example/quota?id=7&utm_source=x#top'>"
    caption = (
        "<figure><img src='a.jpg'><figcaption>Boats in Sund. Jane Roe/AP</figcaption></figure>"
    )
    article = only(page(LINKED_DATA + link, TITLE + caption))

    assert article == CapturedArticle(
        title="Quota row halts landings",
        publisher="The Coastal Review",
        author="Jane Roe, Max Moe",
        published_at=datetime(2025, 7, 21, 2, 30, tzinfo=UTC),
        url="https://coastal.example/quota?id=7",
        text=TEXT,
    )


@pytest.mark.parametrize(
    "head",
    [
        "<title>Quota row halts landings | World | The Coastal Review</title>",
        "<title>Quota row halts landings - The Coastal Review</title>",
        "<meta property='og:title' content='Quota row halts landings | The Coastal Review'>"
        "<meta property='og:site_name' content='The Coastal Review'>",
        "<title>The Coastal Review: Quota row halts landings</title>"
        "<meta property='og:site_name' content='The Coastal Review'>",
    ],
)
def test_a_title_comes_without_the_name_of_the_site_which_is_the_publisher(head: str) -> None:
    article = only(page(head))
    assert (article.title, article.publisher) == ("Quota row halts landings", "The Coastal Review")


def test_a_day_without_a_clock_time_is_midnight() -> None:
    article = only(page("<meta name='date' content='2025-07-22'>", TITLE))
    assert article.published_at == datetime(2025, 7, 22, tzinfo=UTC)


def test_a_publication_in_the_future_is_not_believed() -> None:
    head = "<meta property='article:published_time' content='2031-01-01T00:00:00Z'>"
    assert only(page(head, TITLE)).published_at is None


def test_a_year_in_the_footer_is_not_a_date() -> None:
    assert only(page("", TITLE)).published_at is None


def test_a_time_printed_under_the_title_counts_where_metadata_are_silent() -> None:
    article = only(page("", TITLE + "<div>Coastal Review</div><div>3 hours ago</div>"))
    assert article.published_at == NOON - timedelta(hours=3)
    assert article.publisher == "Coastal Review"


@pytest.mark.parametrize("mark", [" · ", " | ", " • ", " – ", " / ", " "])
def test_an_author_is_named_without_the_mark_and_the_time_behind_the_name(mark: str) -> None:
    for byline in (f"By Jana Müller{mark}2 days ago", f"By Jana Müller{mark}"):
        html = page("", f"{TITLE}<p class='byline'>{byline}</p>")
        assert only(html).author == "Jana Müller"
        (pasted,) = capture_text(f"Quota row halts\n{byline}\n\n{TEXT}", captured_at=NOON)
        assert pasted.author == "Jana Müller"


def test_a_page_with_several_articles_in_full_is_split() -> None:
    after = "".join(
        f"<{tag}>{line}</{tag}>"
        for tag, line in [
            ("h3", "Related stories"), ("h2", "Court orders rehiring"),
            ("div", "Ostland Radio"), ("div", "2 days ago"), *(("p", line) for line in COURT),
        ]
    )  # fmt: skip
    before = TITLE + "<div>Coastal Review</div><div>3 hours ago</div>"
    first, second = capture_bytes(page("", before, after).encode(), captured_at=NOON)

    assert (first.title, first.text) == ("Quota row halts landings", TEXT)
    assert (second.title, second.publisher) == ("Court orders rehiring", "Ostland Radio")
    assert second.text == "\n\n".join(COURT)


def test_a_page_without_a_date_has_that_of_its_dateline() -> None:
    opening = f"Sund, 21 July 2025 (Nordic Wire) - {FISH[0]}"
    for heading in ("", TITLE):
        article = only(page("", heading, paragraphs=(opening, *FISH[1:])))
        assert article.published_at == datetime(2025, 7, 21, tzinfo=UTC)
    dated = only(page(LINKED_DATA, TITLE, paragraphs=(opening, *FISH[1:])))
    assert dated.published_at == datetime(2025, 7, 21, 2, 30, tzinfo=UTC)  # the evening before


def test_html_pasted_as_text_is_read_as_html() -> None:
    (article,) = capture_text(page("", TITLE), captured_at=NOON)
    assert (article.title, article.text) == ("Quota row halts landings", TEXT)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://a.example/b?utm_source=x&id=3&fbclid=y#c", "https://a.example/b?id=3"),
        ("HTTPS://A.Example:443/b", "https://a.example/b"),
        ("http://a.example:8080", "http://a.example:8080/"), ("javascript:alert(1)", None),
        ("https://me:secret@a.example/", None), ("//[", None), ("", None),
    ],
)  # fmt: skip
def test_an_address_is_kept_in_its_plainest_form(url: str, clean: str | None) -> None:
    assert canonical_url(url) == clean


# -- bytes and files ------------------------------------------------------------------------

WEST = "Café owners protest\n\nThe café owners’ union said that it would close for a day in August."
EAST = "首相が訪米へ\n\n首相は来週ワシントンを訪問し、大統領と会談する予定だと政府が発表した。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (WEST, "utf-8"), (WEST, "utf-8-sig"), (WEST, "cp1252"), (WEST, "utf-16"),
        (WEST, "utf-16-le"), (EAST, "utf-8"), (EAST, "shift_jis"),
    ],
)  # fmt: skip
def test_files_are_read_in_any_encoding(text: str, encoding: str) -> None:
    (article,) = capture_bytes(text.encode(encoding), captured_at=NOON)
    assert f"{article.title}\n\n{article.text}" == text


def test_a_page_may_name_its_own_charset() -> None:
    html = page("", TITLE, paragraphs=["Zürich möchte im Herbst über das Münster abstimmen. " * 3])
    html = html.replace("charset='utf-8'", "charset='iso-8859-15'")
    (article,) = capture_bytes(html.encode("iso-8859-15"), captured_at=NOON)
    assert "Zürich möchte" in article.text


def test_stray_bytes_in_utf_8_are_mended() -> None:
    data = f"Café owners protest\n\n{FISH[2]} ".encode() + b"It\x92s over for the caf\xe9s now."
    (article,) = capture_bytes(data, captured_at=NOON)
    assert article.text == f"{FISH[2]} It’s over for the cafés now."


def test_signs_that_nobody_sees_are_taken_out() -> None:
    (article,) = capture_text(f"Quota\u200b row halts\x00\n\n{FISH[0]}\u00ad\r\n", captured_at=NOON)
    assert (article.title, article.text) == ("Quota row halts", FISH[0])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no text"), (b" \n\t\n", "no text"), (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b"PK\x03\x04" + b"\0" * 100, "office document"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "an image"), (bytes(range(256)) * 8, "not text"),
        (b"<html><body></body></html>", "no article"),
        (b"<html><body><p>The page was not found.</p></body></html>", "no article"),
        (b"x" * 5_000_001, "larger than 5 MB"),
        (b"Home\nWorld\nBusiness\nSports\nSign in\n", "no article"),
    ],
)  # fmt: skip
def test_a_page_without_an_article_is_refused_with_a_remedy(data: bytes, message: str) -> None:
    with pytest.raises(CaptureError, match=message) as refused:
        capture_bytes(data, captured_at=NOON)
    assert refused.value.remedy


@pytest.mark.parametrize(
    "wall",
    [
        "Subscribe to continue reading.", "Already a subscriber? Log in",
        "This article is for subscribers only.", "Create a free account to read the full story.",
        "You have reached your limit of free articles.", "Please log in.",
        "Please enable JavaScript and verify you are human.",
    ],
)  # fmt: skip
def test_the_visible_part_of_a_closed_article_is_not_taken_for_it(wall: str) -> None:
    for source in (page("", TITLE, f"<div>{wall}</div>"), f"Quota row\n\n{FISH[0]}\n\n{wall}"):
        with pytest.raises(CaptureError) as refused:
            capture_text(source, captured_at=NOON)
        assert "paste its text" in refused.value.remedy


def test_an_invitation_to_subscribe_below_a_whole_article_does_no_harm() -> None:
    html = page("", TITLE, "<div>Subscribe to read more stories.</div>", FISH * 5)
    assert only(html).title == "Quota row halts landings"


@pytest.mark.parametrize("tag", ["div", "b", "table><tr><td", "ul><li", "blockquote"])
def test_a_page_nested_without_end_is_survived(tag: str) -> None:
    with pytest.raises(CaptureError):
        capture_bytes(f"<html><body>{f'<{tag}>' * 30_000}deep".encode(), captured_at=NOON)


def test_a_page_of_too_many_elements_is_refused() -> None:
    html = "<html><body>" + "<p>So it was then, they say.</p>" * 21_000
    with pytest.raises(CaptureError, match="elements"):
        capture_bytes(html.encode(), captured_at=NOON)


def test_a_file_is_recognised_by_its_contents_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "saved"
    path.write_text(page("", TITLE))
    assert capture(path, captured_at=NOON) == capture(str(path), captured_at=NOON)
    path.write_text(f"Quota row halts landings\n\n{TEXT}")
    assert capture(path, captured_at=NOON)[0].text == TEXT


@pytest.mark.parametrize(
    ("name", "message"), [("", "is a folder"), ("nowhere.txt", "does not exist")]
)
def test_a_path_without_a_file_is_named(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(CaptureError, match=message):
        capture(tmp_path / name, captured_at=NOON)


def test_a_source_that_is_nothing_is_refused() -> None:
    for source in ("\x00", "a" * 5000, "ftp://a.example/", "http://"):
        with pytest.raises(CaptureError):
            capture(source, captured_at=NOON)
    for source in ("", "  \n"):
        with pytest.raises(CaptureError, match="The source is blank") as refused:
            capture(source, captured_at=NOON)
        assert "web address" in refused.value.remedy


def test_a_time_of_capture_without_a_zone_is_refused() -> None:
    with pytest.raises(BadInput, match="no time zone"):
        capture_text(TEXT, captured_at=datetime(2025, 7, 24))  # noqa: DTZ001


def test_a_time_of_capture_may_be_in_any_zone() -> None:
    tokyo = datetime(2025, 7, 24, 3, tzinfo=timezone(timedelta(hours=9)))
    (article,) = capture_text(f"Quota row\nNHK\nan hour ago\n\n{TEXT}", captured_at=tokyo)
    assert article.published_at == datetime(2025, 7, 23, 17, tzinfo=UTC)


# -- URLs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("media", ["text/html", "text/plain", None])
def test_a_url_is_captured_by_the_media_type_that_the_server_sends(
    media: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://coastal.example/quota"
    text = f"Quota row\n\n{TEXT}" if media == "text/plain" else page("", TITLE)
    answer = Fetched(url, media, "utf-16-le", text.encode("utf-16-le"))
    monkeypatch.setattr(articles.capture, "fetch", lambda _, *, allow_private: answer)
    (article,) = capture("https://moved.example/", captured_at=NOON)
    assert (article.text, article.url) == (TEXT, url)


def test_a_url_inside_the_network_is_refused() -> None:
    with pytest.raises(CaptureError, match="not on the public internet"):
        capture("http://localhost/page", captured_at=NOON)


# -- identity -------------------------------------------------------------------------------


def article(title: str = "Quota row", text: str = TEXT) -> CapturedArticle:
    return CapturedArticle(title, None, None, None, None, text)


def test_the_same_article_is_recognised_in_another_dress() -> None:
    app = f"logo\nQuota row\nQuota row\n\nNHK\n\nclock3 hours ago\n\n  • NHK\n\nQuota row\n\n{TEXT}"
    html = page("", TITLE)
    hashes = {
        content_hash(found[0])
        for found in (
            capture_text(f"Quota row halts landings\n\n{TEXT}", captured_at=NOON),
            capture_text("\r\n".join(["Another title", "", *FISH, " "]), captured_at=NOON),
            capture_text(app, captured_at=NOON),
            capture_text(html, captured_at=NOON),
            [article(text=TEXT.replace("“", '"').replace("”", '"').replace(" ", "\u00a0"))],
        )
    }
    assert len(hashes) == 1
    assert content_hash(article(text="Another text.")) not in hashes
