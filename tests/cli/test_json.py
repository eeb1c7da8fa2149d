"""Every command that prints data prints it as JSON too, in the shape that docs/json.md says."""

import json
import runpy
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter
from sqlalchemy import Engine

from forecasts.cli.root import loaded
from forecasts.ledger import database
from forecasts.ledger.models import QuestionOrigin
from forecasts.questions.registry import find
from tests.cli.conftest import PAGE, Clock, Run
from tests.conftest import day
from tests.proposals.conftest import FERRY
from tests.proposals.stub import MODEL, running, says
from tests.proposals.test_challenges import CASE
from tests.proposals.test_model_forecasts import REASONED
from tests.proposals.test_model_outcomes import NONE
from tests.reports.small_ledgers import schema

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = runpy.run_path(str(DOCS / "write_json.py"))

# The commands that change something, serve, or write for another program, with its own format.
WITHOUT_DATA = {
    *("app", "api", "mcp", "demo", "migrate", "identify"),
    *("move", "digest", "backup", "restore", "rescore"),
    *("ask", "revise", "close", "discard", "look-again"),
    *("group new", "group change", "group add", "group take-out", "link", "unlink"),
    *("accept", "dismiss", "threshold"),
    *("model preview", "model accept", "model dismiss", "model propose"),
    *("feed add", "feed keep", "feed pause", "feed read", "feed remove", "feed resume"),
    *("propose", "resolve", "reject", "dispute", "uphold", "import", "export", "pull", "publish"),
    *("partition", "simulate"),
    *("run retry", "resolver set", "resolver add", "resolver remove", "resolver policy"),
    *("schedule cron", "schedule systemd", "schedule kubernetes"),
    *("notify add", "notify set", "notify remove", "notify test", "notify send"),
    *("team create", "team add", "team role", "team remove", "team agree", "team appoint"),
    *("token create", "token revoke", "member adopt", "member export", "member remove"),
}
# The rest, each with arguments that make it print something.
WITH_DATA: dict[str, tuple[str, ...]] = {
    "today": (),
    "questions": (),
    "lint-question": ("rain",),
    "same": (),
    "show": ("rain",),
    "group show": ("quays",),
    "group list": (),
    "condition": ("will-the-quays-open-a",),
    "coherence": (),
    "feed list": (),
    "inbox": (),
    "update": ("fog", "30%"),
    "withdraw": ("fog",),
    "capture": ("-", "--dry-run"),
    "articles": (),
    "draft": ("1",),
    "model show": (),
    "model forecast": ("will-the-quays-open-a",),
    "model reveal": ("2",),
    "model outcome": ("will-the-quays-open-a", "--article", "1"),
    "model challenge": ("will-the-quays-open-a",),
    "model try": ("--yes",),
    "model calls": (),
    "model call": ("1",),
    "model accounts": (),
    "model proposals": (),
    "scores": (),
    "score": (),
    "crowd": (),
    "attribute": (),
    "report": ("--cohort", "resolved"),
    "compare": ("--of", "forecasters", "--between=alice", "bob", "--cohort", "resolved"),
    "run": (),
    "run status": (),
    "resolver kinds": ("deadline",),
    "resolver scoreboard": (),
    "resolver try": ("snow",),
    "resolver evidence": ("hail",),
    "notify list": (),
    "team show": (),
    "token list": (),
    "verify": (),
    "check": (),
}


# Documents with a schema of their own.
DOCUMENTS = {"report": "report", "compare": "comparison", "model try": "comparison"}


def commands(found: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name."""
    for name, command in found.items():
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield before + name, command
        if hasattr(command, "commands"):
            yield from commands(command.commands, f"{before}{name} ")


def test_every_command_that_prints_data_has_the_option_and_a_section() -> None:
    found = dict(commands(loaded()))
    assert set(found) == WITHOUT_DATA | set(WITH_DATA)
    for name in WITH_DATA:
        [option] = [one for one in found[name].params if "--format" in one.opts]
        assert "json" in option.metavar.split("|"), name
    assert {"articles NUMBER", *WITH_DATA} == {*DOCUMENTS, *SCRIPT["SHAPES"]}


def test_the_page_has_the_fields_of_the_views() -> None:
    written = (DOCS / "json.md").read_text(encoding="utf-8")
    assert written == SCRIPT["page"](written), "docs/json.md is out of date: make docs"


def documents(text: str) -> list[Any]:
    """Return the JSON documents in the text, one after another."""
    decoder, found = json.JSONDecoder(), []
    while text := text.strip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


def require_shape(command: str, document: Any) -> None:
    """Fail unless the document has the fields of the command's shape, and no others."""
    text = json.dumps(document)
    if kind := DOCUMENTS.get(command):
        jsonschema.validate(document, schema(kind))
        return
    adapter = TypeAdapter(SCRIPT["SHAPES"][command])
    read = adapter.validate_json(text)
    assert json.loads(adapter.dump_json(read)) == document, command


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A model on this machine that proposes one question."""
    with running(monkeypatch) as stub:
        answers = {
            "questions": {"questions": [FERRY]},
            "forecast": REASONED | {"evidence_for": []},
            "trial": REASONED | {"evidence_for": []},
            "outcome": NONE | {"answer": "cannot_tell"},
            "challenge": CASE,
        }

        def answer(request: BaseHTTPRequestHandler) -> None:
            kind = stub.requests[-1]["response_format"]["json_schema"]["name"]
            says(answers[kind])(request)

        stub.answer = answer
        monkeypatch.setenv("FORECASTS_MODEL_URL", f"{stub.url}/v1")
        monkeypatch.setenv("FORECASTS_MODEL", MODEL)
        yield


@pytest.fixture
def ledger(forecasts: Run, clock: Clock, tmp_path: Path, engine: Engine, model: None) -> None:
    """A ledger in which each of the commands has something to print."""
    forecasts("capture", "-", input=PAGE)
    outcomes = tmp_path / "outcomes.csv"
    outcomes.write_text("question,outcome,known_at\nhail,yes,2026-01-07T00:00:00Z\n")
    for slug in ("rain", "snow", "hail", "sleet"):
        forecasts("ask", f"Will there be {slug}?", "--closes", "2026-01-15", "--slug", slug)
        for who, p in (("alice", "40%"), ("bob", "70%")):
            evidence = ("--evidence", "context: note", "--because", "a front")
            forecasts("update", slug, p, "--as", who, *evidence)
    forecasts("ask", "Will there be fog?", "--closes", "2026-02-15", "--slug", "fog")
    forecasts("ask", "Will there be fog here?", "--closes", "2026-02-15", "--slug", "metaculus-7")
    quays = ("group", "new", "Will the quays open?", "A=40%", "B=30%", "--slug", "quays")
    forecasts(*quays, "--kind", "nested", "--closes", "2026-02-15")
    forecasts("condition", "will-the-quays-open-a", "Will it freeze?", "--closes", "2026-02-15")
    with database.writing(engine) as session:
        id_ = find(session, "metaculus-7").id
        origin = {"platform": "metaculus", "platform_id": "7", "recorded_at": day(5)}
        session.add(QuestionOrigin(question_id=id_, **origin))
    for slug in ("snow", "hail"):
        forecasts("resolver", "set", slug, "outcomes_file", "--with", f"path={outcomes}")
    clock("2026-01-16T12:00:00Z")
    forecasts("propose", "sleet", "yes", "--because", "Seen.")
    forecasts("run")
    forecasts("resolve", "rain", "no", "--because", "the sky", "--source", "https://example.org")
    forecasts("team", "create", "Alder")
    forecasts("team", "add", "Alder", "alice", "--since", "2025-12-01")
    forecasts("token", "create", "bot")
    forecasts("notify", "add", "phone", "ntfys://TOPIC")
    (tmp_path / "clippings").mkdir()
    forecasts("feed", "add", str(tmp_path / "clippings"))
    forecasts("digest", "--to", str(tmp_path / "digests"))
    forecasts("backup", str(tmp_path / "backup.sqlite3"))


def test_it_is_alone_on_standard_output_in_the_documented_shape(
    forecasts: Run, ledger: None
) -> None:
    for name, arguments in WITH_DATA.items():
        words = (*name.split(), *arguments, "--format", "json")
        printed = documents(forecasts(*words, input=PAGE).stdout)
        assert all(printed), name
        for document in printed:
            require_shape(name, document)
    [printed] = documents(forecasts("articles", "1", "--format", "json").stdout)
    assert printed["articles"][0]["drafts"]
    require_shape("articles NUMBER", printed)


@pytest.mark.parametrize("words", [("run",), ("run", "status")])
def test_the_option_of_earlier_releases_still_works(forecasts: Run, words: tuple[str, ...]) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-01-15")
    older, newer = (forecasts(*words, *how).stdout for how in (("--json",), ("--format", "json")))
    assert json.loads(older) == json.loads(newer)


def test_another_format_is_refused_with_the_known_ones(forecasts: Run) -> None:
    refused = forecasts("questions", "--format", "xml", exit_code=2)
    assert refused.stderr == "--format 'xml' is not known.\nUse text or json.\n"
    assert refused.stdout == ""
