"""The image and the services of compose.yaml: linted always, built and run with an engine.

The second takes minutes: ``pytest -m nightly tests/operations/test_containers.py``. Where the base
image cannot be pulled, LEDGER_TESTS_BASE names another one.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from forecasts.access.oidc_settings import SignIn
from forecasts.cli.root import loaded
from forecasts.common.settings import Settings
from tests.docs.test_docs import ROOT, blocks

COMPOSE = (ROOT / "compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
OURS = ("migrate", "app", "api", "runs")
SERVERS = ("app", "api", "runs")


def test_the_dockerfile_has_no_fault_that_hadolint_knows() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        pytest.skip("hadolint is not installed here: make test installs it")
    # The base names no version of binutils, and moves to a new one by itself.
    command = [linter, "--ignore", "DL3008", ROOT / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_is_built_from_named_files_alone_and_runs_as_a_user_without_rights() -> None:
    first, *more = (ROOT / ".dockerignore").read_text().splitlines()[1:]
    assert first == "*"
    let_in = {line[1:] for line in more if line.startswith("!")}
    assert all((ROOT / name).exists() for name in let_in)
    assert let_in >= {"app", "data", "forecasts", "scoring", "requirements.lock"}
    final = (ROOT / "Dockerfile").read_text().split("\nFROM ")[-1]
    for line in ("USER 1000:1000", "HEALTHCHECK", 'CMD ["forecasts", "app"'):
        assert f"\n{line}" in final
    assert "pip" not in final


def test_no_service_is_open_to_others_or_may_do_more_than_it_needs() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name
        if name in OURS:
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
        if name != "migrate":
            assert service["restart"] == "unless-stopped"
    for name in SERVERS:
        assert service_waits_for(name) == {"migrate": "service_completed_successfully"}
    assert service_waits_for("migrate") == {"db": "service_healthy"}
    assert "postgresql://people@" in SERVICES["app"]["environment"]["FORECASTS_DATABASE_URL"]


def test_each_health_check_asks_whether_the_ledger_can_be_read() -> None:
    assert "8501/health'" in (ROOT / "Dockerfile").read_text()
    assert "8000/health'" in SERVICES["api"]["healthcheck"]["test"]


def service_waits_for(name: str) -> dict[str, str]:
    return {one: how["condition"] for one, how in SERVICES[name]["depends_on"].items()}


def test_no_secret_is_in_the_file_and_the_page_sets_each_that_it_needs() -> None:
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if "PASSWORD" in name or "SECRET" in name:
                assert re.fullmatch(r"\$\{\w+(:\?.*)?\}", value), name
    required = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
    [page] = [block for block in blocks(ROOT / "docs" / "operating.md", "sh") if " .env" in block]
    assert required <= set(re.findall(r"^(\w+)=", page, re.MULTILINE))


def test_every_setting_and_command_of_a_service_exists() -> None:
    known = {f"FORECASTS_{name.upper()}" for name in Settings.model_fields}
    known |= {f"FORECASTS_OIDC_{name.upper()}" for name in SignIn.model_fields}
    for name in OURS:
        names = set(SERVICES[name]["environment"])
        assert names - known <= {"PGPASSWORD"}
        _, command, *words = shlex.split(SERVICES[name]["command"])
        loaded()[command].make_context("forecasts", words)


def no_engine() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return True
    return subprocess.run([docker, "info"], capture_output=True, check=False).returncode != 0


OLDER = """
import os
from alembic import command
from forecasts.ledger import database, schema
config = schema.alembic_config()
with database.open_engine(os.environ["FORECASTS_DATABASE_URL"], begin=True).connect() as connection:
    config.attributes["connection"] = connection
    command.upgrade(config, "0012")
    connection.commit()
"""
RESTORE = """
dropdb --force forecasts && createdb forecasts &&
pg_restore --exit-on-error --dbname=forecasts "$(ls /backups/*.dump | tail -1)"
"""


@pytest.mark.nightly
def test_it_is_built_started_upgraded_restarted_backed_up_and_restored(tmp_path: Path) -> None:
    if no_engine():
        pytest.skip("there is no container engine on this machine")

    def docker(*words: str) -> str:
        done = subprocess.run(
            ["docker", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def compose(*words: str) -> str:
        return docker("compose", "--project-name", "ledger-tests", *words)

    def forecasts(*words: str) -> str:
        return compose("exec", "-T", "-e", "FORECASTS_MEMBER=alice", "app", "forecasts", *words)

    def become_healthy() -> None:
        for _ in range(600):
            states = compose("ps", "--format", "{{.Service}} {{.Health}}").split()
            if states[1::2] == ["healthy"] * 5:
                return
            time.sleep(1)  # these are other machines, so to speak
        raise AssertionError(compose("ps") + compose("logs"))

    base = os.environ.get("LEDGER_TESTS_BASE", "python:3.13-slim")
    image = ("--build-arg", f"BASE={base}", "--tag", "forecast-ledger")
    docker("build", "--network", "host", *image, str(ROOT))
    size = docker("image", "inspect", "--format", "{{.Size}}", "forecast-ledger")
    assert int(size) < 700_000_000
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    [page] = [block for block in blocks(ROOT / "docs" / "operating.md", "sh") if " .env" in block]
    subprocess.run(["bash", "-c", page.split("\ndocker ")[0]], cwd=tmp_path, check=True)
    secrets = re.findall("(?:PASSWORD|SECRET)=(.*)", (tmp_path / ".env").read_text())
    assert len(secrets) == 4
    try:
        compose("up", "--detach", "--wait", "db")
        compose("run", "--rm", "-T", "migrate", "python", "-c", OLDER)
        compose("up", "--detach")
        become_healthy()
        assert "from schema 0012 to" in compose("logs", "migrate")
        forecasts("ask", "Will it rain?", "40%", "--closes", "in 30 days", "--slug", "rain")
        compose("restart")
        become_healthy()
        compose("restart", "backup")
        become_healthy()
        forecasts("update", "rain", "55%")
        compose("stop", "app", "api", "runs")
        compose("exec", "-T", "backup", "sh", "-c", RESTORE)
        compose("start", "app", "api", "runs")
        become_healthy()
        assert "40%" in forecasts("questions")
        assert "History is intact" in forecasts("verify")
        told = compose("logs") + docker("history", "--no-trunc", "forecast-ledger")
        assert [secret for secret in secrets if secret in told] == []
    finally:
        compose("down", "--volumes")
