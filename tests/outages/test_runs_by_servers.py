"""Apps and an API side by side on one ledger: what falls due is done once, and told once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import Resolution
from forecasts.questions import registry
from forecasts.resolution import assignments
from forecasts.resolution.progress import run_times
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.agenda.notifications.conftest import Service, service, tell
from tests.app.browsing import answering, free_port
from tests.conftest import KINDS

pytestmark = pytest.mark.slow

__all__ = ["service"]  # a fixture
FORECASTS = [sys.executable, "-c", "from forecasts.cli.main import main; main()"]
PATIENCE = 120  # seconds: the machine may be busy
HEALTH = {"app": "/_stcore/health", "api": "/api/v1/docs"}


def wait_until(true: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, [one.read_text() for one in log.glob("*.log")]
        time.sleep(0.05)


@contextmanager
def served(folder: Path, engine: Engine, *names: str, **environment: str) -> Iterator[None]:
    """Serve the ledger by these commands, each with a log named after it, until the block ends."""
    given = {
        "FORECASTS_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "FORECASTS_MEMBER": "alice",
        "FORECASTS_ALLOW_PRIVATE_ADDRESSES": "true",
        "FORECASTS_RUN_EVERY": "1s",
    }
    with ExitStack() as stack:
        for number, name in enumerate(names):
            port = free_port()
            stack.enter_context(
                answering(
                    [*FORECASTS, name, "--port", str(port)],
                    f"http://127.0.0.1:{port}{HEALTH[name]}",
                    folder / f"{name}-{number}.log",
                    **given | environment,
                )
            )
        yield


def ask_until(engine: Engine, slug: str, close: datetime) -> None:
    """Ask a question with a forecast of alice's, that is no unless something happens until then."""
    now = datetime.now(UTC)
    with database.writing(engine, lambda: now) as session:
        alice = member_or_new(session, "alice", now=now)
        text = registry.question_text(
            title=f"Will the {slug} open?",
            open_time=now,
            scheduled_close_time=close,
            resolution_criteria="As the gazette says.",
        )
        by = {"member": alice, "now": now}
        question = registry.register(session, text, slug=slug, **by)  # type: ignore[arg-type]
        updates.update(session, question, Value(probability=0.3), **by)  # type: ignore[arg-type]
        assignments.attach(session, question, "deadline", {}, **by)  # type: ignore[arg-type]


def outcomes(engine: Engine) -> list[str]:
    with database.reading(engine) as session:
        return [str(one.outcome) for one in session.exec(select(Resolution))]


def last_run(engine: Engine) -> datetime:
    with database.reading(engine) as session:
        times = run_times(session)
    return datetime.min.replace(tzinfo=UTC) if times is None else times.last


@pytest.mark.parametrize(
    ("kind", "names"), [(KINDS[0], ("app",)), *((kind, ("app", "app", "api")) for kind in KINDS)]
)
def test_what_falls_due_is_resolved_and_told_once(
    engine: Engine, service: Service, tmp_path: Path, names: tuple[str, ...]
) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=datetime.now(UTC))
        tell(session, alice, service.address(), events=["resolved"], now=datetime.now(UTC))
    with served(tmp_path, engine, *names):
        ask_until(engine, "quay", datetime.now(UTC) + timedelta(seconds=2))
        wait_until(lambda: bool(service.got), tmp_path)
        told = datetime.now(UTC)
        wait_until(lambda: last_run(engine) > told + timedelta(seconds=3), tmp_path)
    assert outcomes(engine) == ["no"]
    assert ["quay" in one for one in service.bodies] == [True]
    lines = [line for log in tmp_path.glob("*.log") for line in log.read_text().splitlines()]
    said = [line for line in lines if "(Ctrl+C stops it)" not in line]
    assert len(lines) - len(said) == len(names)
    # No library prints anything, nor does a run that found nothing.
    [sent, resolved] = sorted(said)
    assert sent == "1 message sent"
    assert resolved.startswith("confirmed: quay: no")
