"""The pages' database queries: their number does not grow with the ledger, and they use indexes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, insert, select, text
from sqlmodel import SQLModel
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.articles import library
from forecasts.ledger import database
from forecasts.news import matches
from forecasts.questions import registry
from forecasts.reading.article import CapturedArticle
from forecasts.resolution import confirmation, proposals
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.app.conftest import visit
from tests.conftest import KINDS, ask, day

pytestmark = pytest.mark.slow

# A page's maximum number of statements, close to the actual one, so that a new one is a decision.
MOST = {
    "today": 44,
    "questions": 20,
    "question": 46,
    "news": 40,
    "articles": 20,
    "my_scores": 30,
    "track_record": 27,
    "compare": 25,
    "arena": 25,
    "resolve": 30,
    "team": 30,
    "settings": 30,
    "practice": 20,
    "exchange": 20,
}
# These read everything once, and keep it until the ledger changes.
CACHED = {"today", "questions", "my_scores", "track_record", "compare", "arena"}
QUERIES = {"question": {"slug": "quay"}, "articles": {"article": "1"}}
# Tables that grow with every update: a page that scanned one would slow down every day.
# Tables of questions grow more slowly, and some pages have to scan them.
LONG = frozenset({"forecast", "citation", "entry", "score", "resolver_run"})


def more(engine: Engine, first: int = 0) -> None:
    """Make every list on the pages longer: questions, forecasters, updates, evidence, articles."""
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        for number in range(first, first + 4):
            who = member_or_new(ledger, f"forecaster {number}", now=day(0))
            quay, value = registry.find(ledger, "quay"), Value(probability=0.5 + number / 100)
            reasons = {"rationale": "Because", "evidence": [CitedEvidence(note=f"note {number}")]}
            updates.update(ledger, quay, value, member=who, now=day(4), **reasons)
            for slug in (f"open-{number}", f"mine-{number}", f"over-{number}", f"said-{number}"):
                asked = ask(ledger, who, slug=slug, title=f"{slug}?")
                if not slug.startswith("open"):
                    value = Value(probability=0.3)
                    updates.update(ledger, asked, value, member=alice, now=day(2))
                say = {"over": confirmation.confirm, "said": proposals.propose}.get(slug[:4])
                if say is not None:
                    say(ledger, asked, "yes", known_at=day(3), note="Seen.", now=day(4), member=who)
            text = f"The quay opens, says {number}."
            article = CapturedArticle(f"Harbour news {number}", None, None, None, None, text)
            library.store(ledger, [article], member=who, captured_at=day(4))
        matches.catch_up(ledger, now=day(4))


@contextmanager
def asked() -> Iterator[list[tuple[str, Any]]]:
    """Yield the statements sent to any database, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, said: str, parameters: Any, *_: object) -> None:
        if not said.startswith(("BEGIN", "PRAGMA")):
            statements.append((said, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


def lengthen(engine: Engine) -> None:
    """Make the ledger so long, half of it resolved, that a full table scan is expensive."""
    many, each = range(1_000, 1_400), 20
    forecasts = [
        {"id": at, "question_id": 1_000 + at // each % 400, "member_id": 1_000 + at * 7 % 400}
        for at in range(20_000, 20_000 + len(many) * each)
    ]
    with database.writing(engine) as ledger:

        def fill(name: str, rows: list[dict[str, Any]], **alike: object) -> None:
            ledger.execute(
                insert(SQLModel.metadata.tables[name]), [{**alike, **row} for row in rows]
            )

        wording = SQLModel.metadata.tables["question_revision"]
        said = dict(ledger.execute(select(wording).limit(1)).mappings().one())
        then, later = {"recorded_at": day(0)}, {"made_at": day(1), "recorded_at": day(1)}
        fill(
            "member", [{"id": n, "handle": f"m{n}"} for n in many], kind="human", created_at=day(0)
        )
        fill("question", [{"id": n, "slug": f"q{n}", "member_id": n} for n in many], **then)
        fill("question_revision", [{**said, "id": n, "question_id": n, "number": 1} for n in many])
        fill("forecast", forecasts, **later, probability=0.5, withdrawn=False)
        fill("evidence", [{"id": n, "key": f"e{n}"} for n in many], kind="news", **then)
        fill(
            "citation",
            [{"forecast_id": one["id"], "evidence_id": one["question_id"]} for one in forecasts],
            stance="supports",
        )
        halves = [{"id": n, "question_id": n} for n in many if n % 2]
        fill("resolution", halves, state="confirmed", outcome="yes", known_at=day(2), **then)
        fill(
            "score",
            [
                {"resolution_id": one["id"], "member_id": 1_000 + (one["id"] + n) % 400}
                for one in halves
                for n in range(each)
            ],
            protocol="brier",
            engine_version="1",
            score=0.25,
            coverage=1.0,
            updates=1,
        )
        looks = [{"id": n, "question_id": n} for n in many]
        fill("resolver", looks, kind="deadline", settings={}, beside=False, **then)
        runs = [{"resolver_id": n} for n in many for _ in range(each)]
        fill("resolver_run", runs, started_at=day(1), state="not_yet", message="")
        matches.catch_up(ledger, now=day(4))
        ledger.execute(text("ANALYZE"))


def asked_by_pages(app: AppTest) -> dict[str, list[tuple[str, Any]]]:
    """Return each page's statements, once the caches of the process are warm."""
    found = {}
    for page in MOST:
        if page in CACHED:
            visit(app, page)
        with asked() as found[page]:
            visit(app, page, **QUERIES.get(page, {}))
        assert not app.exception
        assert found[page]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_pages_query_as_often_with_much_as_with_little_and_read_growing_tables_by_an_index(
    kind: str, furnished: AppTest, engine: Engine
) -> None:
    more(engine)
    little = asked_by_pages(furnished) if kind == KINDS[0] else None
    more(engine, 4)
    lengthen(engine)
    much = asked_by_pages(furnished)
    if little is not None:
        counts = {page: (len(said), len(much[page])) for page, said in little.items()}
        assert {page: found for page, found in counts.items() if found[0] != found[1]} == {}
    assert {page: len(said) for page, said in much.items() if len(said) > MOST[page]} == {}
    with engine.connect() as connection:
        read_through = {
            f"{page}, {table}: {said}"
            for page, statements in much.items()
            for said, parameters in statements
            if said.lstrip("( ").startswith(("SELECT", "WITH"))
            for table in scanned(connection, said, parameters) & LONG
        }
    assert not read_through, "\n\n".join(read_through)


def scanned(connection: Connection, said: str, parameters: Any) -> set[str]:
    """Return the tables that the statement scans in full."""
    if connection.dialect.name == "sqlite":
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", parameters).all()
        lines = [str(row[3]).split() for row in plan]
        names = aliases(said)
        return {names.get(line[1], line[1]) for line in lines if line[0] == "SCAN"}
    # A server scans 8,000 rows where it would use an index on a million. With other plans made
    # expensive, it scans a table only if no index fits.
    for way in ("seqscan", "hashjoin", "mergejoin"):
        connection.execute(text(f"SET LOCAL enable_{way} = off"))
    [(plan,)] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {said}", parameters).all()
    tree = json.loads(plan) if isinstance(plan, str) else plan
    return set(unconditional(tree[0]["Plan"]))


def aliases(said: str) -> dict[str, str]:
    """Return the tables by their aliases in the statement."""
    words = said.replace(",", " ").replace("(", " ").replace(")", " ").split()
    return {
        alias: table
        for table, as_, alias in zip(words, words[1:], words[2:], strict=False)
        if as_ == "AS"
    }


def unconditional(node: dict[str, Any]) -> Iterator[str]:
    """Yield the tables that a server scans without an indexed condition."""
    below = node.get("Plans", [])
    if node["Node Type"] == "Limit" and below[0]["Node Type"].startswith("Index"):
        return  # the index's first column
    conditions = [node, *(below if node["Node Type"] == "Bitmap Heap Scan" else [])]
    if "Relation Name" in node and not any("Index Cond" in one for one in conditions):
        yield node["Relation Name"]
    for one in below:
        yield from unconditional(one)
