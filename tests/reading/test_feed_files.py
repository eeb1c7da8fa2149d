"""The entries of feeds of every kind, and of bytes that are none or worse."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.common.errors import CaptureError
from forecasts.reading import feed_files
from forecasts.reading.feed_files import Document, parsed_feed, read_document, read_mail, read_pdf

NOW = datetime(2026, 12, 2, tzinfo=UTC)
SITE = "https://harbour.example/feeds/all"
LEAD = "The port authority will vote on the new pier on Friday, its director said in Borland."
ITEM = f"""<item><title>Pier &amp;amp; quay</title><link>/news/pier?utm_source=rss</link>
<guid isPermaLink="false">n1</guid><description>&lt;p&gt;{LEAD}&lt;/p&gt;&lt;p&gt;More.&lt;/p&gt;
&lt;script&gt;alert(1)&lt;/script&gt;</description><author>Ann Lee</author>
<pubDate>Mon, 30 Nov 2026 10:00:00 +0200</pubDate></item>"""
ATOM = f"""<entry><title type="html">Pier &amp;amp; quay</title><id>n1</id>
<link href="/news/pier?utm_source=rss"/><author><name>Ann Lee</name></author>
<updated>2026-11-30T08:00:00Z</updated><content type="html">&lt;p&gt;{LEAD}&lt;/p&gt;More.</content>
</entry>"""
JSON_ITEM = {
    "id": "n1",
    "url": "/news/pier?utm_source=rss",
    "title": "Pier & quay",
    "content_html": f"<p>{LEAD}</p><p>More.</p>",
    "date_published": "2026-11-30T08:00:00Z",
    "authors": [{"name": "Ann Lee"}],
}


def rss(*items: str, before: str = "") -> bytes:
    whole = "".join(items)
    channel = f"<channel><title>Harbour News</title>{whole}</channel>"
    return f"{before}<rss version='2.0'>{channel}</rss>".encode()


def read(data: bytes) -> Document:
    return read_document(data, url=SITE, captured_at=NOW)


@pytest.mark.parametrize(
    "data",
    [
        rss(ITEM),
        b"<feed xmlns='http://www.w3.org/2005/Atom'><title>Harbour News</title>"
        b"%s</feed>" % ATOM.encode(),
        json.dumps({"version": "x", "title": "Harbour News", "items": [JSON_ITEM]}).encode(),
    ],
)
def test_the_same_entry_is_the_same_article_in_every_format(data: bytes) -> None:
    [entry] = read(data).entries
    article = entry.article
    assert (article.title, article.publisher, article.author) == (
        "Pier & quay",
        "Harbour News",
        "Ann Lee",
    )
    assert article.url == "https://harbour.example/news/pier"
    assert article.published_at == datetime(2026, 11, 30, 8, tzinfo=UTC)
    assert article.text == f"{LEAD}\n\nMore."


def test_a_news_sitemap_has_titles_and_days() -> None:
    data = b"""<urlset xmlns:news="n"><url><loc>https://harbour.example/a</loc><news:news>
    <news:publication><news:name>Harbour</news:name></news:publication>
    <news:publication_date>2026-12-01</news:publication_date><news:title>Pier opens</news:title>
    </news:news></url><url><loc>https://harbour.example/b</loc></url></urlset>"""
    [entry] = read(data).entries
    assert (entry.article.title, entry.article.publisher) == ("Pier opens", "Harbour")
    assert entry.article.text == "Pier opens"
    with pytest.raises(CaptureError, match="not one of news"):
        read(b"<urlset><url><loc>https://harbour.example/b</loc></url></urlset>")


def test_a_page_an_index_and_a_list_name_feeds() -> None:
    page = b"<html><link rel='alternate' type='application/rss+xml' title='All' href='/f'></html>"
    assert read(page).feeds == [("https://harbour.example/f", "All")]
    news = "https://harbour.example/news.xml"
    index = f"<sitemapindex><sitemap><loc>{news}</loc></sitemap></sitemapindex>".encode()
    assert [one for one, _ in read(index).feeds] == [news]
    outline = "<outline text='B' xmlUrl='https://b.example/f'/>"
    listed = f"<opml><body><outline text='A'>{outline}</outline></body></opml>".encode()
    assert read(listed).feeds == [("https://b.example/f", "B")]


def test_entries_that_share_an_address_stay_apart_and_repeated_ones_are_one() -> None:
    two = [ITEM.replace("/news/pier", "/").replace("n1", one).replace("Pier", one) for one in "ab"]
    assert len(read(rss(*two)).entries) == 2
    assert len(read(rss(ITEM, ITEM)).entries) == 1
    assert read(rss(ITEM)).entries[0].key == read(rss(ITEM, two[0])).entries[0].key


def test_a_time_in_the_future_is_left_out_and_a_teaser_keeps_its_title() -> None:
    [entry] = read(rss(ITEM.replace("2026 10", "2027 10").replace(LEAD, "Soon."))).entries
    assert entry.article.published_at is None
    assert entry.article.text.startswith("Pier & quay\n\nSoon.")


def test_entities_are_not_expanded_and_no_file_is_opened(tmp_path: Path) -> None:
    tower = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(12))
    secret = tmp_path / "secret"
    secret.write_text("swordfish", "utf-8")
    bomb = f"<?xml version='1.0'?><!DOCTYPE r [{tower}<!ENTITY f SYSTEM '{secret.as_uri()}'>]>"
    found = repr(read(rss(ITEM, "<item><title>&e11;&f;</title></item>", before=bomb)))
    assert len(found) < 5_000
    assert "swordfish" not in found
    assert not parsed_feed(str(secret).encode()).entries
    assert "swordfish" not in repr(parsed_feed(str(secret).encode()))


def test_a_feed_has_a_limit() -> None:
    with pytest.raises(CaptureError, match="up to 1 MB"):
        read(rss(ITEM) + b" " * feed_files.FEED_BYTES)
    many = read(json.dumps({"items": [{"title": f"t{n}"} for n in range(1_200)]}).encode())
    assert (len(many.entries), many.left_out) == (1_000, 200)


@pytest.mark.parametrize(
    "data", [b"", b"no feed", b"{}", b'{"items": 3}', b"[" * 10_000, b"\0" * 99]
)
def test_bytes_that_are_no_feed_are_refused(data: bytes) -> None:
    with pytest.raises(CaptureError):
        read(data)


@given(
    st.binary(max_size=300), st.sampled_from([rss(ITEM), b"<urlset>", b'{"items": [', b"<opml>"])
)
def test_damaged_bytes_give_entries_or_a_refusal(noise: bytes, start: bytes) -> None:
    for data in (start + noise, start[: len(start) // 2] + noise + start[len(start) // 2 :]):
        try:
            found = read(data)
        except CaptureError:
            continue
        assert all(entry.article.title and entry.article.text for entry in found.entries)


def test_a_newsletter_is_an_article() -> None:
    mail = (
        "From: Harbour Desk <desk@harbour.example>\nSubject: =?utf-8?q?Pier_=C3=A0_la_une?=\n"
        "Message-ID: <1@h>\nDate: Mon, 30 Nov 2026 10:00:00 +0200\n"
        f"Content-Type: text/html\n\n<h1>Pier</h1><p>{LEAD}</p>"
    )
    [entry] = read_mail(mail.encode(), captured_at=NOW)
    assert (entry.article.title, entry.article.publisher) == ("Pier à la une", "Harbour Desk")
    assert LEAD in entry.article.text
    assert entry.article.published_at == datetime(2026, 11, 30, 8, tzinfo=UTC)
    with pytest.raises(CaptureError, match="has no text"):
        read_mail(b"Subject: x\n\n", captured_at=NOW)


def _pdf(text: str) -> bytes:
    shown = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET".encode()
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1<</Type/Font/Subtype/Type1"
        b"/BaseFont/Helvetica>>>>>>/MediaBox[0 0 600 800]>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(shown), shown),
    ]
    out, places = BytesIO(), []
    out.write(b"%PDF-1.4\n")
    for number, part in enumerate(parts, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj%s endobj\n" % (number, part))
    table = out.tell()
    out.write(b"xref\n0 5\n0000000000 65535 f \n")
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % table)
    return out.getvalue()


def test_the_text_of_a_pdf_is_an_article() -> None:
    [entry] = read_pdf(_pdf(LEAD), name="pier", captured_at=NOW)
    assert entry.article.title == "pier"
    assert LEAD in entry.article.text
    with pytest.raises(CaptureError, match="only pictures"):
        read_pdf(_pdf(""), name="pier", captured_at=NOW)
    with pytest.raises(CaptureError, match="cannot be read"):
        read_pdf(b"%PDF-1.4 no", name="pier", captured_at=NOW)


def test_a_pdf_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_files, "PDF_SECONDS", 0)
    with pytest.raises(CaptureError, match="takes longer than 0 seconds"):
        read_pdf(_pdf(LEAD), name="pier", captured_at=NOW)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_feed_of_endless_attributes_is_refused(encoding: str) -> None:
    """It would take minutes to read."""
    many = " ".join(f"é{number}='>'" for number in range(30_000))
    feed = f"<?xml version='1.0' encoding='{encoding}'?><rss version='2.0' {many}></rss>"
    with pytest.raises(CaptureError, match="an element has 500 attributes or more"):
        read_document(feed.encode(encoding), url=None, captured_at=NOW)


def test_headers_of_an_email_are_cut_and_many_parts_are_refused() -> None:
    """Each would take minutes to read."""
    head = f"From: {'a@b,' * 200_000}\nSubject: Pier{' =?utf-8?q?a?=' * 60_000}\n"
    [entry] = read_mail(f"{head}Content-Type: text/plain\n\n{LEAD}".encode(), captured_at=NOW)
    assert entry.article.title.startswith("Pier")
    assert LEAD in entry.article.text
    parts = "--a\nContent-Type: multipart/mixed; boundary=a\n\n" * 2_000
    mail = f"Content-Type: multipart/mixed; boundary=a\n\n{parts}".encode()
    for ending in (b"\n", b"\r", b"\r\n"):
        with pytest.raises(CaptureError, match="more than 500 parts"):
            read_mail(mail.replace(b"\n", ending), captured_at=NOW)


def test_an_address_in_another_of_a_sitemap_is_read_with_it_alone() -> None:
    """Else 250 in one another would take a minute to read."""
    page = "<url><loc>https://harbour.example/1</loc><title>Pier opens</title>{}</url>"
    sitemap = (
        f"<urlset>{page.format(page.format(''))}{page.format('').replace('/1', '/2')}</urlset>"
    )
    read = read_document(sitemap.encode(), url=SITE, captured_at=NOW)
    assert [one.article.url for one in read.entries] == [
        f"https://harbour.example/{number}" for number in (1, 2)
    ]
