"""The API against its own document: schemathesis with all its checks, also in sequences.

``make test`` tries a few examples of each operation, ``make test-long`` many.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from sqlalchemy import create_engine

from forecasts.access import tokens
from forecasts.access.members import member_or_new
from forecasts.api.caller import Ground
from forecasts.api.server import build
from forecasts.common.settings import Settings, sqlite_url
from forecasts.ledger import database
from tests.api.conftest import Clock, asked
from tests.conftest import day
from tests.examples import examples

pytestmark = pytest.mark.slow

# A body may fit its schema and break a rule of the ledger that no schema states, or be too late.
_ANSWERS = ["2xx", "304", "401", "403", "404", "409", "412", "422"]
CONFIG = {
    "generation": {"deterministic": True},
    "checks": {"positive_data_acceptance": {"expected-statuses": _ANSWERS}},
}


APP = build(create_engine("sqlite://"), clock=Clock(), hosts=["testserver"])
SCHEMA = schemathesis.openapi.from_asgi(
    "/api/v1/openapi.json", APP, config=SchemathesisConfig.from_dict(CONFIG)
)
PATIENCE = 120  # seconds, of a busy machine
HEALTH = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture(scope="module", autouse=True)
def token(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bot's token for a ledger in a file, with a question of each type."""
    folder = tmp_path_factory.mktemp("schema")
    url = sqlite_url(Path(shutil.copy(empty_ledger, folder / "ledger.sqlite3")))
    engine = database.open_engine(url)
    asked(engine, slug="rain")
    options = {"type": "multiple_choice", "options": ["a", "b"]}
    asked(engine, slug="which", title="Which?", **options)
    bounds = {"type": "numeric", "lower_bound": "0", "upper_bound": "10"}
    asked(engine, slug="depth", title="How deep?", **bounds)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        issued = tokens.create(session, "bot", member=None, owner=alice, now=day(0))
    chosen = Settings(api_requests_per_minute=10**9)
    APP.state.ground = Ground(engine, Clock(), chosen)
    yield issued.secret
    engine.dispose()


OPERATIONS = [one.ok() for one in SCHEMA.get_all_operations()]


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_every_operation_keeps_to_the_document(
    operation: Any, mode: GenerationMode, token: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"}

    @settings(max_examples=examples(20), suppress_health_check=HEALTH, deadline=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def keeps(case: Any) -> None:
        case.call_and_validate(headers=headers, timeout=PATIENCE)

    keeps()


def test_sequences_of_requests_keep_to_the_document(token: str) -> None:
    class Machine(SCHEMA.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Bearer {token}"}, "timeout": PATIENCE}

    steps = settings(max_examples=examples(20), stateful_step_count=8, deadline=None)
    run_state_machine_as_test(Machine, settings=settings(steps, suppress_health_check=HEALTH))
