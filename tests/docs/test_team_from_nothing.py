"""The blocks of docs/team-from-nothing.md, run as they stand there: on PostgreSQL, with sign-in.

What a test may not do to its machine is replaced: packages, users and services are not installed,
``sudo -u NAME`` only opens the database as NAME, and /etc and /srv are folders of the test. The
app and the run are started as the written units say.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import make_url
from sqlmodel import col, select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from app.session import machine_time
from forecasts.access import roles, teams
from forecasts.access.members import member_named
from forecasts.common.times import iso
from forecasts.ledger import database
from forecasts.ledger.clock import act_time, ledger_clock
from forecasts.ledger.models import Score
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.app.browsing import answering, free_port
from tests.docs.test_docs import ROOT, blocks
from tests.postgresql import Server

PEOPLE = ("alice", "bob", "carol", "dan", "erin", "frank")
BLOCKS = blocks(ROOT / "docs" / "team-from-nothing.md", "sh")
NOTHING = ("apt-get", "pipx", "useradd", "systemctl")
SUDO = (
    'if [ "$1" = -u ]; then export PGUSER=$2; shift 2; fi; case $1 in --*) shift;; esac; exec "$@"'
)


def test_there_are_fewer_than_15_commands_as_the_page_says() -> None:
    script = re.sub(r"(<<END)\n.*?^END$", r"\1", "".join(BLOCKS), flags=re.MULTILINE | re.DOTALL)
    commands = script.splitlines()
    assert len(commands) < 15
    assert f"{len(commands)} commands" in (ROOT / "docs" / "team-from-nothing.md").read_text()


@pytest.fixture
def machine(postgresql: Server, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a machine with nothing on it but the programs."""
    programs = tmp_path / "programs"
    for folder in ("programs", "etc/systemd/system", "etc/caddy", "srv"):
        (tmp_path / folder).mkdir(parents=True)
    for name, script in (*dict.fromkeys(NOTHING, "exit 0").items(), ("sudo", SUDO)):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    psql = postgresql.client("psql").parent
    path = f"{programs}:{Path(sys.executable).parent}:{psql}:{os.environ['PATH']}"
    host = str(make_url(postgresql.url("postgres")).query["host"])
    kept = {name: value for name, value in os.environ.items() if "FORECASTS" not in name}
    yield kept | {"PATH": path, "PGHOST": host, "PGUSER": "nobody"}
    postgresql.run("DROP DATABASE IF EXISTS forecasts WITH (FORCE)")
    postgresql.run("DROP ROLE IF EXISTS forecasts")


def started(unit: Path, etc: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command of a unit and the environment that it sets, its user's name in PGUSER."""
    lines = [line.partition("=") for line in unit.read_text().splitlines()]
    words = {name: value for name, _, value in lines}
    public = [value for name, _, value in lines if name == "Environment"]
    assert words["EnvironmentFile"] == "-/etc/forecasts/environment"
    secret = (etc / "forecasts" / "environment").read_text().splitlines()
    environment = dict(pair.split("=", 1) for pair in [*public, *secret])
    return shlex.split(words["ExecStart"]), environment | {"PGUSER": words["User"]}


def sign_in(base: str, issuer: str, handle: str, secret: str) -> None:
    """Sign in as a browser does, and open a page. ``secret``: signs the address of the button."""
    until = int(time.time()) + 60
    key = OctKey.import_key(secret)
    button = jwt.encode({"alg": "HS256"}, {"provider": "default", "exp": until}, key)
    claims = {"email": f"{handle}@example.org", "email_verified": True}
    with httpx.Client(base_url=base, follow_redirects=True) as browser:
        assert browser.put(f"{issuer}/users/{handle}", json=claims).is_success
        browser.get("/_stcore/health")
        asked = browser.get("/auth/login", params={"provider": button})
        browser.post(asked.url, data={"sub": handle}).raise_for_status()
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        token = browser.cookies["_streamlit_xsrf"]
    with connect(
        f"{base.replace('http', 'ws')}/_stcore/stream",
        origin=base,  # type: ignore[arg-type]
        subprotocols=["streamlit", token],  # type: ignore[list-item]
        additional_headers={"Cookie": cookies},
        max_size=None,
    ) as page:
        wish = BackMsg()
        wish.rerun_script.query_string = ""
        page.send(wish.SerializeToString())
        said = ForwardMsg()
        while said.WhichOneof("type") != "script_finished":
            said = ForwardMsg.FromString(page.recv(60))  # type: ignore[arg-type]


@pytest.mark.long  # five programs start, and a server
def test_its_blocks_lead_from_nothing_to_six_people_and_a_resolved_question(
    machine: dict[str, str], postgresql: Server, tmp_path: Path
) -> None:
    port, provider = free_port(), free_port()
    base, issuer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{provider}"
    here = {
        "https://login.example.org/realms/team": issuer,
        "https://forecasts.example.org": base,
        **{f" {place}/": f" {tmp_path}{place}/" for place in ("/etc", "/srv")},
        "=/srv/": f"={tmp_path}/srv/",
        " --owner=forecasts": "",  # there is no such user here
    }

    def run(block: str) -> None:
        for there, instead in here.items():
            block = block.replace(there, instead)
        command = ["bash", "-euo", "pipefail", "-c", block]
        done = subprocess.run(command, env=machine, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    ledger, services, resolution = BLOCKS
    run(ledger)
    run(services)
    etc = tmp_path / "etc"
    units = etc / "systemd" / "system"
    command, settings = started(units / "forecasts-app.service", etc)
    served = [sys.executable, "-m", "oidc_provider_mock", "--port", str(provider)]
    app = [*command, "--port", str(port)]
    with (
        answering(served, f"{issuer}/.well-known/openid-configuration", tmp_path / "provider"),
        answering(app, f"{base}/health", tmp_path / "log", **(machine | settings)),
    ):
        for handle in PEOPLE:
            sign_in(base, issuer, handle, settings["FORECASTS_OIDC_COOKIE_SECRET"])
    log = (tmp_path / "log").read_text()
    assert settings["FORECASTS_OIDC_COOKIE_SECRET"] not in log
    assert settings["FORECASTS_OIDC_CLIENT_SECRET"] not in log

    engine = database.open_engine(postgresql.url("forecasts", user="forecasts"))
    with database.writing(engine, machine_time) as session:
        now = act_time(session)
        assert roles.admins(session) == ["alice"]
        people = [member_named(session, handle) for handle in PEOPLE]
        team = teams.create(session, "Alder", member=people[0], now=now)
        for who in people[1:]:
            teams.add(session, team, who, member=people[0], now=now)
    run(resolution)
    with database.writing(engine, machine_time) as session:
        now = act_time(session)
        question = registry.find(session, "quay")
        for handle in PEOPLE:
            who = member_named(session, handle)
            updates.update(session, question, Value(probability=0.7), member=who, now=now)
    outcomes = tmp_path / "srv" / "forecasts" / "outcomes.csv"
    known = iso(ledger_clock(engine, machine_time)())
    outcomes.write_text(f"question,outcome,known_at\nquay,yes,{known}\n")

    assert "OnCalendar=*-*-* 00:00:00 UTC" in (units / "forecasts.timer").read_text()
    command, settings = started(units / "forecasts.service", etc)
    settings["FORECASTS_DIGEST_TO"] = str(tmp_path / "digests")  # /var/lib/forecasts in the unit
    environment = machine | settings
    night = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert night.stdout.startswith("confirmed: quay: yes"), night.stdout + night.stderr
    with database.reading(engine) as session:
        scored = session.exec(select(col(Score.member_id)).distinct()).all()
    assert len(scored) == len(PEOPLE)
    engine.dispose()
