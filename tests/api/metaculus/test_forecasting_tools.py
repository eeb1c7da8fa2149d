"""The real client of Metaculus bots, unmodified, on a served ledger; it takes minutes to install.

``FORECASTING_TOOLS_PYTHON`` names the interpreter of an environment that has it already.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from forecasts.access import roles, tokens
from forecasts.access.members import find_member, member_or_new
from forecasts.api.door import Here
from forecasts.api.mcp import tools
from forecasts.api.server import build
from forecasts.ledger import database
from forecasts.ledger.models import GroupKind, MemberKind, Question, QuestionText
from forecasts.ledger.verification import verify
from forecasts.questions import registry
from forecasts.questions.conditions import register_conditional
from forecasts.questions.groups import NewPlace, register_group
from forecasts.updates.comments import by_forecast, remarks
from forecasts.updates.model_uses import models_of
from forecasts.updates.updates import history
from tests.api.conftest import served
from tests.api.metaculus.conftest import TYPES
from tests.conftest import on_both

RELEASE = "forecasting-tools==0.3.5"
PROGRAM = Path(__file__).with_name("real_client.py")
pytestmark = [pytest.mark.nightly]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment with the client."""
    if given := os.environ.get("FORECASTING_TOOLS_PYTHON"):
        return given
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    own = str(folder / "bin" / "python")
    subprocess.run([own, "-m", "pip", "install", "--quiet", RELEASE], check=True)
    return own


@pytest.fixture
def address(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the façade, served on a free port of this machine.

    Its clock goes on by ten seconds whenever it is read, since the client sends whole seconds.
    """
    monkeypatch.setattr("forecasts.ledger.clock.is_embedded", lambda _: True)
    begun, readings = datetime.now(UTC), itertools.count()
    with served(build(engine, clock=lambda: begun + timedelta(seconds=10 * next(readings)))) as at:
        yield f"{at}/api"


def wording(now: datetime, **fields: Any) -> QuestionText:
    text = {
        "resolution_criteria": "As the gazette says.",
        "open_time": now - timedelta(days=1),
        "scheduled_close_time": now + timedelta(days=30),
    }
    return registry.question_text(**text | fields)


def ask(session: Any, alice: Any, now: datetime, **fields: Any) -> Question:
    return registry.register(session, wording(now, **fields), member=alice, now=now)


@on_both
def test_client_and_template_bot_work_unmodified(engine: Engine, address: str, python: str) -> None:
    now = datetime.now(UTC) - timedelta(seconds=5)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=now, kind=MemberKind.service)
        roles.ensure_admin(session, alice, now=now)
        for sort, fields in TYPES.items():
            ask(session, alice, now, title=f"A {sort} one?", tags=["minibench"], **fields)
        months = [
            NewPlace(name, wording(now, title=f"Rain by {name}?", tags=["family"]))
            for name in ("May", "June")
        ]
        register_group(session, "Rain?", months, kind=GroupKind.nested, member=alice, now=now)
        summit = ask(session, alice, now, title="Will the summit happen?")
        fall = wording(now, title="Will tariffs fall?", tags=["conditional"])
        register_conditional(session, summit, fall, member=alice, now=now)
        bot = tokens.create(session, "bot", member=alice, now=now)
        owner = tokens.create(session, "alice", member=alice, now=now)
    environment = os.environ | {
        "METACULUS_API_BASE_URL": address,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    done = subprocess.run(
        [python, PROGRAM, owner.secret, bot.secret, "bot"],
        env=environment, capture_output=True, text=True, timeout=540, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.rpartition("FOUND ")[2])

    assert found["base_url"] == address
    assert set(found["listed"]) == set(TYPES)
    for values in found["forecast"].values():
        assert values["read"] == pytest.approx(values["sent"], abs=2e-10)
    assert found["accounts"]["me"] == bot.member.id
    assert found["accounts"]["bots"] == ["another-bot", "bot"]
    assert found["accounts"]["tokens_differ"]
    assert found["as_bot"] == {"already": 5, "history": [0.63, 0.71]}
    for outcome, (state, resolution, scores) in found["asked"].items():
        assert (state, len(scores)) == ("resolved", 2), outcome
        assert resolution == {"yes": "True", "4": "4.0"}.get(outcome, outcome)
    assert found["filters"] == {
        "binary": 6, "resolved": 5, "mine": 5, "later": 0, "soon": 5, "crowd": 2, "benchmark": 0,
    }  # fmt: skip
    assert found["group"] == {
        "labels": ["May", "June"], "ids": True, "criteria": ["As the gazette says."] * 2,
        "read": [pytest.approx([0.6, 0.4]), pytest.approx([0.3, 0.7])], "excluded": 2,
    }  # fmt: skip
    assert found["conditional"] == {
        "type": "conditional",
        "texts": ["Will tariffs fall?", "Will tariffs fall?", "Will the summit happen?"],
        "child": True, "kinds": ["parent", "child", "yes", "no"],
        "read": [0.8, 0.15], "already": [False, True],
    }  # fmt: skip
    assert found["links"]["read"] == found["links"]["sent"]
    assert found["links"] == found["links"] | {"ids": True, "ends": True, "again": True, "left": 0}
    assert found["template"]["failed"] == []
    assert set(found["template"]["forecasts"]) == set(TYPES)
    with database.reading(engine) as session:
        for sort in TYPES:
            question = registry.find(session, f"a-{sort}-one".replace("_", "-"))
            explained = by_forecast(remarks(session, question))
            made = [one.id for one, _ in history(session, question) if not one.withdrawn]
            assert made == sorted(explained)
            alice = find_member(session, "alice")
            read = tools.read_question(Here(session, alice, datetime.now(UTC)), question.slug)
            assert read.count(" because `") == len(made)
        for slug in ("rain-by-may", "rain-by-june"):
            named = models_of(session, registry.find(session, slug)).values()
            assert [(one.name, one.version) for one in named] == [("oracle", "2")]
        assert verify(session).broken is None
