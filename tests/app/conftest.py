"""A small ledger at a fixed time, and the app on it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import pandas as pd
import pytest
import streamlit as st
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, app_test, local_script_runner

from app import session as app_session
from benchmarks import daily_acts
from forecasts.access import teams
from forecasts.access.members import member_or_new
from forecasts.access.memberships import join, team_or_new
from forecasts.articles import library
from forecasts.common.settings import sqlite_url
from forecasts.ledger import clock as ledger_clock
from forecasts.ledger import database, schema
from forecasts.ledger.models import Forecast, Question, Resolution, Role, Stance
from forecasts.questions import passages, registry, standing
from forecasts.reading.article import CapturedArticle
from forecasts.reading.text_quotes import TextQuote
from forecasts.resolution import confirmation, proposals
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.app.browsing import PATIENCE, Server, Watch, profiled, serving, tab
from tests.conftest import KINDS, ask, day
from tests.resolution.conftest import no_child  # noqa: F401 - a fixture for every test here

NAVIGATION = Path(app_session.__file__).parent / "navigation.py"
ARTICLE = CapturedArticle(
    title="Harbour works fall behind",
    publisher="The Port Gazette",
    author=None,
    published_at=day(-1),
    url="https://example.org/harbour",
    text=(
        "The new quay has cost more than the council had set aside.\n\n"
        "The harbour master will open the quay by 20 January 2026. Nobody objected."
    ),
)


UNSEEN: dict[int, str | None] = {**dict.fromkeys(map(ord, "\\`\u2060")), 0xA0: " "}
Opened = TypeVar("Opened")


class _Shared:
    """What a worker's tests in a browser share; it is closed after the last of them."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._opened: dict[str, object] = {}

    def once(self, name: str, make: Callable[[], AbstractContextManager[Opened]]) -> Opened:
        if name not in self._opened:
            self._opened[name] = self._stack.enter_context(make())
        return cast(Opened, self._opened[name])

    def close(self) -> None:
        self._opened.clear()
        self._stack.close()


_shared = _Shared()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """Close the browser before other tests: its loop runs, and theirs could not.

    Other folders' tests in a browser start their own.
    """
    try:
        return (yield)
    finally:
        if (
            nextitem is None
            or nextitem.get_closest_marker("browser") is None
            or not nextitem.path.is_relative_to(Path(__file__).parent)
        ):
            _shared.close()


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory) -> BrowserContext:
    """A browser that knows the app's scripts, the same one for all tests."""
    expect.set_options(timeout=PATIENCE)
    return _shared.once("browser", lambda: profiled(tmp_path_factory.mktemp("profile")))


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The app on a ledger in daily use, the same one for all tests; they add to it."""
    return _shared.once(
        "server", lambda: in_daily_use(tmp_path_factory.mktemp("served"), _add_what_bob_wrote)
    )


def ask_now(ledger: Session, slug: str, by: str, days: float = 400) -> Question:
    """Register a question of today that is open for so many days."""
    now = datetime.now(UTC)
    text = registry.question_text(
        title=f"Will the {slug} open?",
        open_time=now,
        scheduled_close_time=now + timedelta(days=days),
    )
    member = member_or_new(ledger, by, now=now)
    return registry.register(ledger, text, member=member, now=now, slug=slug)


def write_question(url: str, slug: str, by: str = "bob (simulated)") -> None:
    """Write a question of today into a ledger, which is made if need be."""
    engine = database.open_engine(url)
    schema.migrate(engine)
    with database.writing(engine) as ledger:
        ask_now(ledger, slug, by)
    engine.dispose()


@contextmanager
def in_daily_use(folder: Path, add: Callable[[Session], object]) -> Iterator[Server]:
    """Yield the app, used by alice, on a ledger in daily use with what ``add`` writes into it."""
    ledger = folder / "ledger.sqlite3"
    daily_acts.furnish(sqlite_url(ledger), datetime.now(UTC))
    engine = database.open_engine(sqlite_url(ledger))
    with database.writing(engine) as session:
        add(session)
    engine.dispose()
    with serving(folder, ledger, FORECASTS_MEMBER="alice") as base:
        yield Server(base, ledger)


def _add_what_bob_wrote(session: Session) -> None:
    bob = member_or_new(session, "bob (simulated)", now=(now := datetime.now(UTC)))
    library.store(session, [ARTICLE], member=bob, captured_at=now)
    for slug, days in (("quay", 60), ("ferry", 400)):
        question = ask_now(session, slug, bob.handle, days)
        now = question.recorded_at
        updates.update(session, question, Value(probability=0.2), member=bob, now=now)


@pytest.fixture
def watch(server: Server) -> Iterator[Watch]:
    """Fails a test with errors in the console, or with requests to other hosts."""
    watch = Watch(server.base)
    yield watch
    assert watch.red == []
    assert watch.outside == []


@pytest.fixture
def page(browser: BrowserContext, watch: Watch) -> Iterator[Page]:
    """A page of 1280 px on that app."""
    with tab(browser) as page:
        watch.over(page)
        yield page


class Clock:
    """The pages' clock; tests move it forward."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def kind() -> str:
    """Pages call verbs, which are tested on both databases; here one is enough."""
    return KINDS[0]


@pytest.fixture(scope="session", autouse=True)
def _packages_are_looked_through_once() -> Iterator[None]:
    """Streamlit searches every package for components for each app, half of a test's time."""
    with pytest.MonkeyPatch.context() as patch:
        once = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_usage_is_counted() -> None:
    """As in the app's own configuration; to count it takes a part of every run."""
    st.config.set_option("browser.gatherUsageStats", False)


@pytest.fixture(scope="session", autouse=True)
def _pages_are_compiled_once() -> Iterator[None]:
    """A running app compiles its pages once; a tested app would do so in every run."""
    compiled = ScriptCache()
    with pytest.MonkeyPatch.context() as patch:
        for module in (local_script_runner, app_test):
            patch.setattr(module, "ScriptCache", lambda: compiled)
        yield


@pytest.fixture(scope="session", autouse=True)
def _runs_are_awaited() -> Iterator[None]:
    """Wait for a run's end; a tested app looks for it every millisecond, which slows the run."""
    look = local_script_runner.require_widgets_deltas

    def wait(runner: local_script_runner.LocalScriptRunner, timeout: float) -> None:
        runner._script_thread.join(timeout)
        look(runner, timeout if runner.script_stopped() else 0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_script_runner, "require_widgets_deltas", wait)
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(day(5))
    # Not ``now`` itself: modules that were imported earlier hold that under its name.
    monkeypatch.setattr(app_session, "machine_time", clock)
    monkeypatch.setattr(ledger_clock, "server_time", lambda: f"timestamptz '{clock().isoformat()}'")
    return clock


@pytest.fixture(scope="session")
def ledger_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of every test's ledger, which is copied there."""
    return tmp_path_factory.mktemp("app") / "ledger.sqlite3"


@pytest.fixture(scope="session")
def engine_there(ledger_place: Path) -> Engine:
    """The engine of that path for all tests and their apps; it keeps its compiled statements."""
    engine = database.open_engine(sqlite_url(ledger_place))
    engine.dispose()  # a connection would hold the file that the first test replaces
    return engine


@pytest.fixture
def engine(ledger_url: str, ledger_place: Path, engine_there: Engine) -> Iterator[Engine]:
    there = ledger_url == sqlite_url(ledger_place)
    engine = engine_there if there else database.open_engine(ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture
def _environment(
    ledger_url: str,
    ledger_place: Path,
    engine_there: Engine,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
) -> Iterator[None]:
    opened: list[Engine] = []
    open_engine = database.open_engine

    def remember(url: str, **how: Any) -> Engine:
        there = url == sqlite_url(ledger_place)
        opened.append(engine_there if there else open_engine(url, **how))
        return opened[-1]

    monkeypatch.setattr(database, "open_engine", remember)
    monkeypatch.setenv("FORECASTS_DATABASE_URL", ledger_url)
    monkeypatch.setenv("FORECASTS_MEMBER", "alice")
    yield
    st.cache_resource.clear()
    st.cache_data.clear()
    for engine in opened:
        engine.dispose()


@pytest.fixture
def app(_environment: None) -> AppTest:
    """The app on an empty ledger, on day 5 of 2026, used by alice."""
    return AppTest.from_file(str(NAVIGATION), default_timeout=30)


@pytest.fixture(scope="session")
def furnished_ledger(empty_ledger: Path) -> Path:
    """A furnished SQLite file to copy; writing one per test would take half of the test."""
    path = Path(shutil.copy(empty_ledger, empty_ledger.with_name("furnished.sqlite3")))
    engine = database.open_engine(sqlite_url(path))
    _furnish(engine)
    engine.dispose()
    return path


@pytest.fixture
def ledger_file(request: pytest.FixtureRequest, ledger_place: Path) -> Path:
    of = "furnished_ledger" if "furnished" in request.fixturenames else "empty_ledger"
    for earlier in ledger_place.parent.iterdir():
        earlier.unlink()
    return Path(shutil.copy(request.getfixturevalue(of), ledger_place))


@pytest.fixture
def furnished(kind: str, engine: Engine, app: AppTest) -> AppTest:
    """The app on a ledger with a question in every state."""
    if kind != "sqlite":
        _furnish(engine)
    return app


def _furnish(engine: Engine) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        bob = member_or_new(ledger, "bob (simulated)", now=day(0))
        join(ledger, team_or_new(ledger, "Harbour watchers", now=day(0)), alice)
        [(article, _)] = library.store(ledger, [ARTICLE], member=alice, captured_at=day(0))
        source = passages.find_passage(
            ledger,
            article.id or 0,
            TextQuote("The harbour master will open the quay by 20 January 2026."),
        )
        rain = ask(ledger, alice, slug="rain", tags=["weather"], resolution_criteria="Yes if wet.")
        opening = registry.question_text(
            title="Will the quay open?",
            open_time=day(0),
            scheduled_close_time=day(20),
            family="harbour",
        )
        quay = registry.register(
            ledger, opening, member=bob, now=day(0), slug="quay", sources=[source]
        )
        options = {"type": "multiple_choice", "options": ["Busan", "Ulsan", "Other"]}
        port = ask(ledger, bob, slug="port", title="Which port comes first?", **options)
        metres = {"type": "numeric", "lower_bound": "0", "upper_bound": "30", "unit": "m"}
        ask(ledger, bob, slug="depth", title="How deep will it be?", **metres)
        ask(ledger, bob, slug="ended", title="Has it ended?", scheduled_close_time=day(4))
        snow = ask(ledger, bob, slug="snow", title="Will it snow?", scheduled_close_time=day(4))
        clouds = {
            "rationale": "Clouds *are* gathering",
            "evidence": [CitedEvidence(url=ARTICLE.url, stance=Stance.supports)],
        }
        for question, value, member, at, reasons in (
            (rain, Value(probability=0.7), alice, 1, clouds),
            (rain, Value(probability=0.4), bob, 2, {}),
            (quay, Value(probability=0.2), bob, 2, {}),
            (port, Value(probabilities=(0.5, 0.3, 0.2)), bob, 2, {}),
            (snow, Value(probability=0.8), alice, 0, {}),
            (snow, Value(probability=0.4), alice, 2, {}),
        ):
            updates.update(ledger, question, value, member=member, now=day(at), **reasons)
        confirmation.confirm(
            ledger, snow, "no", known_at=day(4), now=day(4.5), member=bob, note="No flake fell."
        )
        proposals.propose(
            ledger, rain, "yes", known_at=day(3), now=day(4), member=bob, note="It poured."
        )


def register(engine: Engine, slug: str, *, by: str = "alice", **fields: Any) -> None:
    """Ask a question elsewhere than on the page, as ``ask`` does."""
    with database.writing(engine) as ledger:
        ask(ledger, member_or_new(ledger, by, now=day(0)), slug=slug, **fields)


def share(engine: Engine, role: Role) -> None:
    """Share the ledger between bob, who becomes its admin, and alice, who gets that role."""
    with database.writing(engine) as ledger:
        alice, bob = (member_or_new(ledger, name, now=day(0)) for name in ("alice", "bob"))
        teams.appoint(ledger, alice, role, member=bob, now=day(0))


def say(
    engine: Engine,
    slug: str,
    value: Value | float,
    *,
    at: float = 3,
    by: str = "alice",
    **more: Any,
) -> None:
    """Forecast on a question elsewhere than on the page."""
    with database.writing(engine) as ledger:
        member, question = member_or_new(ledger, by, now=day(0)), registry.find(ledger, slug)
        value = value if isinstance(value, Value) else Value(probability=value)
        updates.update(ledger, question, value, member=member, now=day(at), **more)


def settle(
    engine: Engine,
    slug: str,
    outcome: str,
    *,
    known: float | None = 4,
    at: float = 5,
    by: str = "bob (simulated)",
    **more: Any,
) -> Resolution:
    """Resolve a question elsewhere than on the page; ``known`` None: as before, or now."""
    with database.writing(engine) as ledger:
        member, question = member_or_new(ledger, by, now=day(0)), registry.find(ledger, slug)
        known_at = None if known is None else day(known)
        given = {"known_at": known_at, "now": day(at), "member": member}
        return confirmation.confirm(ledger, question, outcome, **given, **more).resolution


def state(engine: Engine, slug: str) -> standing.QuestionState:
    """Return a question with its wording, status and resolution on day 5."""
    with database.reading(engine) as ledger:
        return standing.current_state(ledger, registry.find(ledger, slug), now=day(5))


def forecasts(engine: Engine, slug: str, by: str | None = None) -> list[Forecast]:
    """Return the forecasts on the question, or those of one member, oldest first."""
    with database.reading(engine) as ledger:
        rows = updates.history(ledger, registry.find(ledger, slug))
    return [row for row, handle in rows if by in (None, handle)]


def confirmed(app: AppTest) -> list[str]:
    """Return the message of the last act, in a list, as a reader sees it."""
    said = [one.value for place in _parts(app, "said") for one in place.get("markdown")]
    seen = {code: shown for code, shown in UNSEEN.items() if code != ord("\\")}
    # Words that were escaped twice keep a backslash, which the reader sees.
    return [re.sub(r"\\(.)", r"\1", one).translate(seen) for one in said if one]


def page_links(app: AppTest) -> list[Any]:
    """Return the page's links, without those of the bar of places."""
    first = sum(len(bar.get("page_link")) for bar in _parts(app, "bar"))
    return list(app.get("page_link")[first:])


def _parts(app: AppTest, key: str) -> list[Any]:
    return [one for one in app.main.children.values() if getattr(one, "key", "") == key]


def errors(app: AppTest) -> str:
    """Return the page's errors as a reader sees them."""
    return "\n".join(error.value for error in app.error).translate(UNSEEN)


def press(app: AppTest, label: str) -> AppTest:
    """Press the one button with that label."""
    [button] = [one for one in app.button if one.label == label]
    button.click().run()
    assert not app.exception
    return app


def fill(app: AppTest, form: str, /, **fields: Any) -> AppTest:
    """Enter values into fields of the form with that key, by the fields' own names."""
    shown = (
        *(app.text_input, app.text_area, app.number_input, app.selectbox, app.multiselect),
        *(app.radio, app.checkbox, app.date_input, app.segmented_control),
    )
    by_key: dict[str | None, Any] = {one.key: one for several in shown for one in several}
    for name, value in fields.items():
        by_key[f"{form}-{name}"].set_value(value)
    return app


def submit(app: AppTest, form: str, button: str, /, **fields: Any) -> AppTest:
    """Enter values as ``fill`` does, and press the form's button of that name."""
    fill(app, form, **fields).button(key=f"{form}-{button}").click().run()
    return app


def keys(app: AppTest) -> list[str]:
    """Return the keys of the page's fields and buttons."""
    return [str(one.key) for one in (*app.text_area, *app.text_input, *app.button)]


def focused(app: AppTest) -> str:
    """Return the key of the element that the next run focuses."""
    return str(app.session_state["memory"].states["Focus"].place)


def tables(app: AppTest) -> list[pd.DataFrame]:
    """Return the page's tables as a reader sees them."""
    shown = lambda cell: str(cell).translate(UNSEEN)  # noqa: E731
    return [one.value.map(shown).rename(columns=shown) for one in app.table]


def columns(app: AppTest, heading: str) -> pd.DataFrame:
    """Return the one table with that heading."""
    [found] = [one for one in tables(app) if heading in one]
    return found


def visit(app: AppTest, page: str, /, **query: Any) -> AppTest:
    """Open a page with a query."""
    app.switch_page(f"app_pages/{page}.py")
    app.query_params = query
    return app.run()


def words(app: AppTest) -> str:
    """Return all Markdown, headings and messages of the page, without escapes."""
    kinds = ("title", "header", "markdown", "caption", "info", "error", "warning", "success")
    said = [element.value for kind in kinds for element in app.get(kind)]
    said += [element.proto.label for element in page_links(app)]
    return "\n".join(said).translate(UNSEEN)
