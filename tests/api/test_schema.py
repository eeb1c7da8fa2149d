"""The API against its own document: schemathesis with all its checks, also in sequences.

``make test`` tries a few examples of each operation, ``make test-long`` many.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import run_state_machine_as_test

from forecasts.access import tokens
from forecasts.access.members import member_or_new
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
TAGS = ("Articles", "Forecasts", "Groups", "Members", "News", "Outcomes", "Questions", "Records")
HEALTH = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def ledger(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The document of the API on a ledger with a question of each type; and how to send a case."""
    import schemathesis  # it loads for seconds, and every worker collects this module
    from schemathesis.config import SchemathesisConfig

    file = tmp_path_factory.mktemp("schema") / "ledger.sqlite3"
    engine = database.open_engine(sqlite_url(Path(shutil.copy(empty_ledger, file))))
    asked(engine, slug="rain")
    options = {"type": "multiple_choice", "options": ["a", "b"]}
    asked(engine, slug="which", title="Which?", **options)
    bounds = {"type": "numeric", "lower_bound": "0", "upper_bound": "10"}
    asked(engine, slug="depth", title="How deep?", **bounds)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        issued = tokens.create(session, "bot", member=None, owner=alice, now=day(0))
    unlimited = Settings(api_requests_per_minute=10**9, api_rows=10**9, api_processor_seconds=10**9)
    app = build(engine, clock=Clock(), hosts=["testserver"], settings=unlimited)
    config = SchemathesisConfig.from_dict(CONFIG)
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, config=config)
    patience = 120  # seconds, of a busy machine
    yield schema, {"headers": {"Authorization": f"Bearer {issued.secret}"}, "timeout": patience}
    engine.dispose()


@pytest.mark.parametrize("tag", TAGS)
def test_every_operation_keeps_to_the_document(ledger: tuple[Any, Any], tag: str) -> None:
    from schemathesis import GenerationMode

    schema, sent = ledger
    operations = [one.ok() for one in schema.get_all_operations()]
    assert {one.definition.raw["tags"][0] for one in operations} == set(TAGS)
    own = [one for one in operations if one.definition.raw["tags"][0] == tag]
    for operation, mode in itertools.product(own, GenerationMode):

        @settings(max_examples=examples(20), suppress_health_check=HEALTH, deadline=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def keeps(case: Any) -> None:
            case.call_and_validate(**sent)

        keeps()


def test_sequences_of_requests_keep_to_the_document(ledger: tuple[Any, Any]) -> None:
    schema, sent = ledger

    class Machine(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return sent

    steps = settings(max_examples=examples(20), stateful_step_count=8, deadline=None)
    run_state_machine_as_test(Machine, settings=settings(steps, suppress_health_check=HEALTH))
