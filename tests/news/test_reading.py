"""Feeds on a server of the test's own and in folders: each entry once, whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, select

from forecasts.access import roles, teams
from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput, CaptureError, Forbidden, NotFound
from forecasts.ledger import database
from forecasts.ledger.leases import LEASE, Leases
from forecasts.ledger.models import Article, ArticleStory, Feed, FeedEntry, Role
from forecasts.news import feeds, reading, sources
from forecasts.news.reading import Summary, read_due
from forecasts.operations import privacy
from tests.conftest import day

LEAD = "The port authority will vote on the new pier on Friday, its director said in Borland."


def rss(*titles: str) -> bytes:
    items = "".join(
        f"<item><title>{one}</title><link>https://h.example/{one}</link>"
        f"<description>{one}: {LEAD}</description></item>"
        for one in titles
    )
    return f"<rss version='2.0'><channel><title>Harbour</title>{items}</channel></rss>".encode()


class Site:
    """A server: its answers by path, and the requests that came."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.url = ""

    def serves(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        self.pages[path] = (status, {n.replace("_", "-"): v for n, v in headers.items()}, body)
        return self.url + path


@pytest.fixture
def site() -> Iterator[Site]:
    here = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["If-None-Match"]
            here.asked.append((self.path, known))
            status, headers, body = here.pages.get(self.path, (404, {}, b""))
            if known and known == headers.get("ETag"):
                status, body = 304, b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        here.url = f"http://127.0.0.1:{listening.server_port}"
        yield here
        listening.shutdown()
        thread.join()


Add = Callable[..., None]


@pytest.fixture
def add(engine: Engine) -> Add:
    def added(*addresses: str, who: str = "kate", at: float = 0) -> None:
        with database.writing(engine) as session:
            member = member_or_new(session, who, now=day(at))
            for one in addresses:
                feeds.add(session, one, member=member, now=day(at), allow_private=True)

    return added


def run(engine: Engine, at: float | datetime = 0) -> Summary:
    now = at if isinstance(at, datetime) else day(at)
    return read_due(engine, now=now, allow_private=True)


def titles(engine: Engine) -> list[str]:
    with database.reading(engine) as session:
        return sorted(session.exec(select(Article.title)).all())


def the_feed(session: Session) -> Feed:
    return session.exec(select(Feed)).one()


def test_a_feed_is_read_once_in_half_an_hour_and_each_entry_stored_once(
    engine: Engine, site: Site, add: Add
) -> None:
    add(site.serves("/f", rss("a", "b"), ETag='"1"'))
    assert (run(engine).articles, titles(engine)) == (2, ["a", "b"])
    assert run(engine, day(0) + timedelta(minutes=29)).due == 0
    later = run(engine, day(0) + timedelta(minutes=30))
    assert (later.due, later.articles, site.asked) == (1, 0, [("/f", None), ("/f", '"1"')])
    site.serves("/f", rss("c", "a"), ETag='"2"')
    assert (run(engine, 1).articles, titles(engine)) == (1, ["a", "b", "c"])


def test_an_article_of_two_feeds_and_of_two_members_is_stored_once(
    engine: Engine, site: Site, add: Add
) -> None:
    add(site.serves("/f", rss("a")), site.serves("/g", rss("a", "b")))
    add(f"{site.url}/f", who="liam")
    assert [run(engine).articles, titles(engine)] == [2, ["a", "b"]]
    with database.reading(engine) as session:
        assert len(session.exec(select(FeedEntry)).all()) == 4
        assert len(session.exec(select(ArticleStory)).all()) == 2


def test_a_failure_is_told_and_tried_again_later_and_later(
    engine: Engine, site: Site, add: Add
) -> None:
    add(site.serves("/f", b"", status=500), site.serves("/ok", rss("a")))
    found = run(engine)
    assert (found.articles, found.problems) == (1, 1)
    with database.reading(engine) as session:
        failed, _ = feeds.listing(session, member=member_or_new(session, "kate", now=day(0)))
    assert failed.failures == 1
    assert failed.next_at == day(0) + timedelta(minutes=5)
    assert failed.reason.startswith("127.0.0.1 cannot answer now (HTTP status 500).")
    site.serves("/f", rss("b"))
    assert run(engine, day(0) + timedelta(minutes=5)).articles == 1
    with database.reading(engine) as session:
        [now_read, _] = feeds.listing(session, member=member_or_new(session, "kate", now=day(0)))
    assert (now_read.failures, now_read.reason) == (0, "")


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b"<html><body>Log in</body></html>", {}, ""),
        (b"x" * 6_000_000, {}, "sent more than 5 MB"),
        (b"x", {"Content_Length": str(10**9)}, "sent more than 5 MB"),
        (b"", {"status": 302, "Location": "/f"}, "redirects more than 3 times"),
        (b"\x89PNG", {"Content_Type": "image/png"}, "instead of data"),
        (b"\xff\xfe\x00", {"Content_Type": "text/xml; charset=klingon"}, "not a feed"),
        (b"", {"status": 404}, "no such page"),
    ],
)
def test_a_bad_answer_is_told_in_a_sentence(
    engine: Engine, site: Site, add: Add, body: bytes, headers: dict[str, Any], said: str
) -> None:
    add(site.serves("/f", body, **headers))
    [result] = run(engine).results
    assert said in result.problem
    assert titles(engine) == []


def test_a_feed_that_a_killed_run_has_left_is_read_after_its_lease(
    engine: Engine, site: Site, add: Add
) -> None:
    add(site.serves("/f", rss("a")))
    killed = Leases(engine, Feed, lambda: day(0))
    assert len(killed.claim(Feed.id > 0, 5)) == 1  # type: ignore[arg-type]
    assert run(engine, day(0) + LEASE - timedelta(seconds=1)).due == 0
    assert run(engine, day(0) + LEASE).articles == 1
    with database.reading(engine) as session:
        assert the_feed(session).attempts == 0
        assert killed.held(session, [1]) == []


def test_a_folder_is_watched_and_each_file_read_once(
    engine: Engine, add: Add, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(f"Pier vote\n\n{LEAD}", "utf-8")
    (tmp_path / "b.eml").write_text(f"Subject: Letter\nMessage-ID: <1>\n\n{LEAD} Again.", "utf-8")
    (tmp_path / "c.pdf").write_bytes(b"%PDF no")
    (tmp_path / "d.png").write_bytes(b"x")
    add(str(tmp_path))
    [result] = run(engine).results
    assert (result.entries, result.articles) == (2, 2)
    assert result.problem.startswith("c.pdf: The PDF 'c' cannot be read.")
    (tmp_path / "e.html").write_text(f"<h1>More</h1><p>{LEAD} And more.</p>", "utf-8")
    assert run(engine, 1).articles == 1
    assert titles(engine) == ["Letter", "More", "Pier vote"]


def test_a_maildir_is_read_and_a_letter_that_was_seen_is_the_same(
    engine: Engine, add: Add, tmp_path: Path
) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    letter = tmp_path / "new" / "17.host"
    letter.write_text(f"Subject: Letter\nMessage-ID: <1>\n\n{LEAD}", "utf-8")
    add(str(tmp_path))
    assert run(engine).articles == 1
    letter.rename(tmp_path / "cur" / "17.host:2,S")
    [again] = run(engine, 1).results
    assert (again.entries, again.problem) == (0, "")


def test_a_paused_feed_is_not_read_and_a_removed_one_leaves_no_address(
    engine: Engine, site: Site, add: Add
) -> None:
    add(site.serves("/secret", rss("a")))
    with database.writing(engine) as session:
        kate = member_or_new(session, "kate", now=day(0))
        feeds.pause(session, "1", member=kate, now=day(0))
    assert run(engine).due == 0
    with database.writing(engine) as session:
        feeds.resume(session, f"{site.url}/secret", member=kate, now=day(0))
    assert run(engine).articles == 1
    with database.writing(engine) as session:
        assert feeds.remove(session, "1", member=kate, now=day(1)).endswith("/secret")
        assert "secret" not in repr(the_feed(session))
        with pytest.raises(NotFound, match="You have no feed '1'"):
            feeds.find(session, "1", member=kate)
    assert (run(engine, 2).due, titles(engine)) == (0, ["a"])


def test_who_may_not_store_articles_has_no_feed_read(engine: Engine, site: Site, add: Add) -> None:
    add(site.serves("/secret", rss("a")))
    with database.writing(engine) as session:
        kate = member_or_new(session, "kate", now=day(0))
        feeds.pause(session, "1", member=kate, now=day(0))
        alice = member_or_new(session, "alice", now=day(0))
        roles.ensure_admin(session, alice, now=day(0))
        teams.appoint(session, kate, Role.viewer, member=alice, now=day(0))
        for read_again in (feeds.resume, reading.make_due):
            with pytest.raises(Forbidden):
                read_again(session, "1", member=kate, now=day(0))
        feeds.remove(session, "1", member=kate, now=day(0))


def test_a_removed_member_has_no_feeds(engine: Engine, site: Site, add: Add) -> None:
    add(site.serves("/secret", rss("a")))
    with database.writing(engine) as session:
        privacy.remove(session, "kate", member=None, now=day(1))
        assert "secret" not in repr(the_feed(session))


def test_a_member_asks_for_their_own_feeds_at_once(engine: Engine, site: Site, add: Add) -> None:
    add(site.serves("/f", rss("a")))
    add(site.serves("/g", rss("b")), who="liam")
    run(engine)
    with database.writing(engine) as session:
        kate, liam = (member_or_new(session, who, now=day(0)) for who in ("kate", "liam"))
        assert reading.make_due(session, None, member=liam, now=day(0)) == 1
        assert reading.make_due(session, None, member=kate, now=day(0)) == 1
    theirs = read_due(engine, now=day(0), allow_private=True, member=liam)
    assert [one.title for one in theirs.results] == [f"{site.url}/g"]
    assert run(engine).due == 1


def test_a_site_leads_to_its_feed_and_a_list_to_all(site: Site, tmp_path: Path) -> None:
    def found(address: str) -> list[str]:
        some = sources.find_feeds(address, now=day(0), allow_private=True)
        return [one.address for one in some]

    feed = site.serves("/all", rss("a"))
    link = (
        b"<html><head><link rel='alternate' type='application/rss+xml' href='/all'></head></html>"
    )
    assert found(site.serves("/", link)) == [feed]
    assert found(feed) == [feed]
    site.pages.pop("/")
    bare = site.serves("/news", b"<html><body>Welcome</body></html>", Content_Type="text/html")
    usual = site.serves("/rss.xml", rss("a"))
    assert found(bare) == [usual]
    site.pages.pop("/rss.xml")
    with pytest.raises(CaptureError, match="names no feed"):
        found(bare)
    listed = tmp_path / "mine.opml"
    listed.write_text(
        f"<opml><outline xmlUrl='{feed}'/><outline xmlUrl='{usual}'/></opml>", "utf-8"
    )
    assert found(str(listed)) == [feed, usual]
    with pytest.raises(BadInput, match="There is no file or folder"):
        found(str(tmp_path / "gone"))
    for typed in ("", " ", "~nobody-has-this-name/x"):
        with pytest.raises(BadInput, match="does not look like"):
            found(typed)


def test_bad_addresses_of_a_list_do_not_refuse_the_others(
    engine: Engine, site: Site, tmp_path: Path
) -> None:
    # A document of the web names no file of this machine.
    named = [str(tmp_path), "https://one.example/f", "https://me:secret@two.example/f"]
    outlines = "".join(f"<outline xmlUrl='{one}'/>" for one in [*named, "https://one.example/f"])
    listed = site.serves("/l", f"<opml>{outlines}</opml>".encode(), Content_Type="text/x-opml")
    found = sources.find_feeds(listed, now=day(0), allow_private=True)
    with database.writing(engine) as session:
        kate = member_or_new(session, "kate", now=day(0))
        added = feeds.add_all(session, found, member=kate, now=day(0))
        assert {(feed.address, is_new) for feed, is_new in added.feeds} >= {(named[1], True)}
        refused = {address: str(error) for address, error in added.refused}
        assert refused.keys() == {named[0], named[2]}
        assert (
            f"Only web addresses can be in a list of feeds, got {named[0]!r}." in refused[named[0]]
        )
        assert "a user name or a password" in refused[named[2]]
        assert [one.address for one in feeds.listing(session, member=kate)] == [named[1]]


def test_a_long_list_of_feeds_is_compared_with_the_members_feeds_once(engine: Engine) -> None:
    found = [sources.Found(f"https://{number}.example/f", "", True) for number in range(1_005)]
    with database.writing(engine) as session:
        kate = member_or_new(session, "kate", now=day(0))
        read: list[str] = []
        event.listen(session.connection(), "before_cursor_execute", lambda *a: read.append(a[2]))
        added = feeds.add_all(session, found, member=kate, now=day(0))
    assert sum(one.startswith("SELECT") and "FROM feed" in one for one in read) == 1
    assert len(added.feeds) == feeds.MOST_FEEDS
    assert [address for address, _ in added.refused] == [one.address for one in found[1_000:]]


def test_private_addresses_and_files_of_a_shared_ledger_are_refused(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORECASTS_FILES_FOLDER")
    with database.writing(engine) as session:
        kate = member_or_new(session, "kate", now=day(0))
        with pytest.raises(CaptureError, match="private"):
            feeds.add(session, "http://127.0.0.1:8080/f", member=kate, now=day(0))
        feeds.add(session, "http://127.0.0.1/f", member=kate, now=day(0))
    [result] = read_due(engine, now=day(0)).results
    assert "private" in result.problem
    with pytest.raises(BadInput, match="this ledger is shared"):
        sources.find_feeds(str(tmp_path), now=day(0), shared=True)
    with pytest.raises(BadInput) as refused:
        sources.find_feeds("news.example", now=day(0), shared=True)
    assert str(Path.cwd()) not in str(refused.value)
