"""The public record as a static site: what is on its pages, and that words on them are words."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from posixpath import normpath
from shutil import copy
from xml.etree import ElementTree

import lxml.html  # type: ignore[import-untyped]
import pytest
from sqlmodel import Session

from forecasts.access import memberships
from forecasts.access.members import member_or_new
from forecasts.access.roles import ensure_admin
from forecasts.common.errors import BadInput
from forecasts.common.settings import sqlite_url
from forecasts.importing.record import import_record
from forecasts.ledger import database
from forecasts.ledger.models import Member
from forecasts.publication import facts
from forecasts.publication.record import Publication, published
from forecasts.publication.site import base_url, site_files
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day, resolve, say
from tests.importing.test_record import record
from tests.nasty import HANDLES, WORDS

pytestmark = pytest.mark.slow

# Files that ``publish`` adds.
PROOF = {"record.json", "verify.py"}


class Page:
    """The links, the tags, the words, the policy, and the style and scripts of a page."""

    def __init__(self, text: str) -> None:
        tree = lxml.html.document_fromstring(text)
        assert not tree.xpath("//@*[starts-with(name(), 'on') or name() = 'style']")
        self.links = [str(link) for link in tree.xpath("//@href | //@src | //@action")]
        self.tags = [one.tag for one in tree.iter() if isinstance(one.tag, str)]
        self.policy = str(
            tree.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
        )
        self.inline = {
            kind: [
                str(one) for one in tree.xpath(f"//{kind}[not(@type='application/json')]/text()")
            ]
            for kind in ("style", "script")
        }
        words = tree.xpath("//text()[not(parent::style or parent::script)]")
        self.words = " ".join(" ".join(words).split())


def fill(session: Session, alice: Member) -> None:
    rain = ask(session, alice, slug="rain", title="Will it rain?", tags=["STRASSE, Straße"])
    cited = [
        CitedEvidence(url="https://example.org/map?a=1&b=2", title="The map", stance=None),
        CitedEvidence(note="A neighbour’s knee", stance=None),
    ]
    say(session, rain, alice, 0.6, 1)
    say(session, rain, alice, 0.9, 2, rationale="Clouds.", evidence=cited)  # fmt: skip
    resolve(session, rain, alice, "yes", 3, at=4, note="It poured.")
    snow = ask(session, alice, slug="snow", title="Will it snow?")
    say(session, snow, alice, 0.05, 2)
    options = {"type": "multiple_choice", "options": ["Oslo", "Bergen", "Elsewhere"]}
    where = ask(session, alice, slug="where", title="Where first?", **options)
    vector = Value(probabilities=(0.2, 0.7, 0.1))
    updates.update(session, where, vector, member=alice, now=day(2))
    bounds = {"type": "numeric", "lower_bound": "0", "upper_bound": "100", "unit": "mm"}
    much = ask(session, alice, slug="much", title="How much?", **bounds)
    quantiles = Value(quantiles={"0.1": 5.0, "0.5": 20.0, "0.9": 60.0})
    updates.update(session, much, quantiles, member=alice, now=day(2))
    resolve(session, much, alice, "30", 5, at=6)


@pytest.fixture(scope="module")
def publication(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Publication:
    """Alice's record, from a file, read once."""
    file = copy(empty_ledger, tmp_path_factory.mktemp("site") / "ledger.sqlite3")
    engine = database.open_engine(sqlite_url(Path(file)))
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        fill(session, alice)
    with database.reading(engine) as session:
        found = published(session, member=alice, now=day(7))
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def files(publication: Publication) -> dict[str, str]:
    return site_files(publication, now=day(7))


def pages(files: dict[str, str]) -> Iterator[tuple[str, Page]]:
    for path, text in files.items():
        if path.endswith(".html"):
            yield path, Page(text)


def test_there_is_a_page_and_a_card_for_each_question(files: dict[str, str]) -> None:
    slugs = ("rain", "snow", "where", "much")
    assert set(files) == {
        *("index.html", "questions.html", "report.html", "verify.html", "how-to-read.html"),
        *("feed.xml", "card.svg"),
        *(f"questions/{slug}.html" for slug in slugs),
        *(f"cards/{slug}.svg" for slug in slugs),
    }


def test_a_question_shows_outcome_score_updates_reasons_and_evidence(files: dict[str, str]) -> None:
    page = Page(files["questions/rain.html"])
    for words in (
        *("Resolved: yes", "0.", "90% from 60%", "Clouds.", "supports", "The map"),
        *("A neighbour’s knee", "It poured.", "As the gazette says."),
    ):
        assert words in page.words, words
    assert "https://example.org/map?a=1&b=2" in page.links
    assert "svg" in page.tags
    # The script's lower case keeps the ß.
    assert "strasse, stra\\u00dfe" in files["questions.html"]


def test_links_stay_on_the_site_and_policies_allow_their_own_style(files: dict[str, str]) -> None:
    for path, page in pages(files):
        for link in page.links:
            if not link.startswith(("#", "data:", "https://example.org/")):
                target = normpath(str(PurePosixPath(path).parent / link))
                assert target in files.keys() | PROOF, (path, link)
        rules = dict(rule.strip().split(" ", 1) for rule in page.policy.split(";"))
        assert rules["default-src"] == "'none'", path
        assert rules.get("connect-src") == ("'self'" if path == "verify.html" else None), path
        for kind, found in page.inline.items():
            for text in found:
                digest = b64encode(sha256(text.encode()).digest()).decode()
                assert rules[f"{kind}-src"] == f"'sha256-{digest}'", path


def test_members_words_are_never_markup(session: Session) -> None:
    alice = member_or_new(session, HANDLES[0], now=day(0))
    for place, word in enumerate(one[:500] for one in WORDS):
        options = {"type": "multiple_choice", "options": [f"a{word}a", "b"], "tags": [word]}
        text = dict.fromkeys(("background", "resolution_criteria", "fine_print"), word) | options
        question = ask(session, alice, slug=f"nasty-{place}", title=f"{word} {place}", **text)
        cited = [CitedEvidence(title=word, note=word, quote=word, stance=None)]
        reasons = {"rationale": word, "evidence": cited}
        value = Value(probabilities=(0.4, 0.6))
        updates.update(session, question, value, member=alice, now=day(1), **reasons)
    record_ = published(session, member=alice, now=day(7))
    files = site_files(record_, now=day(7), url="https://example.org/r")
    for path, page in pages(files):
        assert not {"img", "b", "i", "iframe", "object"} & set(page.tags), path
        scripts = {"questions.html": 2, "verify.html": 1}.get(path, 0)
        assert page.tags.count("script") == scripts, path
        for link in page.links:
            own = re.fullmatch(r"(\.\./)?[\w./-]+", link) is not None
            assert own or link.startswith(("#", "data:image/svg+xml", "https://example.org/")), path
    for path, text in files.items():
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text), path
        if path.endswith((".svg", ".xml")):
            names = {one.tag.rpartition("}")[2] for one in ElementTree.fromstring(text).iter()}
            assert "script" not in names
            assert "img" not in names


def test_the_feed_begins_with_the_newest(publication: Publication, files: dict[str, str]) -> None:
    def read(text: str) -> list[list[str | None]]:
        feed = ElementTree.fromstring(text)
        ids, titles, links = (feed.findall(f"{{*}}entry/{{*}}{n}") for n in ("id", "title", "link"))
        texts = [[one.text for one in found] for found in (ids, titles)]
        return [*texts, [one.get("href") for one in links]]

    ids, titles, links = read(files["feed.xml"])
    assert titles == ["Resolved: 30 mm: How much?", "Resolved: yes: Will it rain?"]
    assert links == ["questions/much.html", "questions/rain.html"]
    assert all(str(id_).startswith("urn:uuid:") for id_ in ids)
    later = read(site_files(publication, now=day(9), url="https://example.org/r")["feed.xml"])
    assert (later[0], later[2][0]) == (ids, "https://example.org/r/questions/much.html")


def test_a_card_is_described_and_pasted(publication: Publication, files: dict[str, str]) -> None:
    card = ElementTree.fromstring(files["cards/rain.svg"])
    assert card.get("aria-label") == "Will it rain? 90%, latest. Resolved: yes · Brier 0.0850."
    assert card.get("role") == "img"
    linked = site_files(publication, now=day(7), url="https://example.org/r")
    said = Page(linked["questions/rain.html"]).words
    for name, value in (
        ("title", "Will it rain?"),
        ("type", "website"),
        ("site_name", "Forecast Ledger"),
        ("url", "https://example.org/r/questions/rain.html"),
    ):
        line = f'<meta property="og:{name}" content="{value}">'
        assert line in linked["questions/rain.html"]
        assert (line in files["questions/rain.html"]) == (name != "url")
    assert '<img src="https://example.org/r/cards/rain.svg" alt="Will it rain?"' in said
    assert "--url" in Page(files["index.html"]).words


def test_an_address_that_is_not_of_a_site_is_refused() -> None:
    for url in ("ftp://example.org", "https://example.org/?a=1", "https://me:pw@example.org"):
        with pytest.raises(BadInput, match="not the address"):
            base_url(url)


def test_a_team_has_its_members_lines_and_scores(session: Session, alice: Member) -> None:
    team = memberships.team_or_new(session, "Alder", now=day(0))
    bob = member_or_new(session, "bob", now=day(0))
    for who in (alice, bob):
        memberships.join(session, team, who)
    rain = ask(session, alice, slug="rain")
    for who, p in ((alice, 0.6), (bob, 0.8)):
        say(session, rain, who, p, 1)
    resolve(session, rain, alice, "yes", 3, at=4)
    files = site_files(published(session, team=team, now=day(20)), now=day(20))
    said = Page(files["questions/rain.html"]).words
    assert "median of 2 forecasters" in said
    assert "alice" in said
    assert "bob" in said
    index = Page(files["index.html"]).words
    assert "every resolved question and gives scores equal weight; the report leaves out" in index


def test_a_record_without_outcomes_explains_itself(session: Session, alice: Member) -> None:
    snow = ask(session, alice, slug="snow")
    say(session, snow, alice, 0.05, 2)
    files = site_files(published(session, member=alice, now=day(3)), now=day(3))
    index = Page(files["index.html"]).words
    assert "Calibration" not in index
    assert "Without an outcome" in index
    assert "No scored question yet" in files["card.svg"]


def test_simulated_people_are_labelled(session: Session) -> None:
    def banner(handle: str, at: datetime) -> bool:
        who = member_or_new(session, handle, now=at)
        question = ask(session, who)
        updates.update(session, question, Value(probability=0.5), member=who, now=at)
        files = site_files(published(session, member=who, now=at), now=at)
        return all("Simulated." in text for path, text in files.items() if path.endswith(".html"))

    assert banner("Emi (simulated)", day(1))
    assert not banner("carol", day(1))


def test_imported_forecasts_and_their_platform_are_named(
    session: Session, alice: Member, files: dict[str, str]
) -> None:
    fill(session, alice)
    assert "Imported" not in files["index.html"]
    given = record(("metaculus-7", "alice", 1, 0.6), ("metaculus-7", "alice", 2, 0.7))
    import_record(session, replace(given, implied=True), member=alice, now=day(30))
    files = site_files(published(session, member=alice, now=day(31)), now=day(31))
    assert "Imported from elsewhere: 2 of 7 forecasts. Only the importer" in files["index.html"]
    page, address = files["questions/metaculus-7.html"], "https://elsewhere.example/metaculus-7"
    assert page.count("</time> · imported: price after a trade<") == 2
    assert re.search(rf'<dt>Imported from</dt><dd><a href="{address}"[^>]*><bdi>Metaculus 7<', page)
    assert "<dt>Imported from</dt>" not in files["questions/rain.html"]


def test_questions_perhaps_private_elsewhere_are_counted(session: Session, alice: Member) -> None:
    fill(session, alice)
    given = record(("metaculus-7", "alice", 1, 0.6))
    import_record(session, given, member=alice, now=day(30))
    assert facts.may_be_private(published(session, member=alice, now=day(31))) == ""
    private = replace(given, platform="fatebook")
    import_record(session, private, member=alice, now=day(30))
    said = facts.may_be_private(published(session, member=alice, now=day(31)))
    assert said == "1 question of this record is from Fatebook, where it may be private."


def test_imports_counted_later_are_not_noted(session: Session, alice: Member, bob: Member) -> None:
    ensure_admin(session, bob, now=day(0))
    wording = {"resolution_criteria": "The gauge.", "scheduled_close_time": day(40)}
    given = record(("metaculus-7", "alice", 1, 0.6), questions={"metaculus-7": wording})
    import_record(session, given, member=alice, now=day(30))
    record_ = published(session, member=alice, now=day(31))
    assert record_.questions[0].forecasts[0].imported == "imported"
    assert facts.imported(record_) == ""


def test_numbers_are_written_out(session: Session, alice: Member) -> None:
    bounds = {"lower_bound": "0", "upper_bound": "1e7", "unit": "t"}
    much = ask(session, alice, slug="much", type="numeric", **bounds)
    for at, (value, said) in enumerate(
        ((1_234_567.0, "1,234,567 t"), (999.96, "1,000 t"), (0.01, "0.01 t"))
    ):
        quantiles = Value(quantiles={"0.1": 0.001, "0.5": value, "0.9": 2e6})
        updates.update(session, much, quantiles, member=alice, now=day(at))
        [view] = facts.views(published(session, member=alice, now=day(at)), day(at))
        assert view.headline == (said, "median")
