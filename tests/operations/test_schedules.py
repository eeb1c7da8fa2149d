"""When the scheduled run runs: the units that are printed, and the loop."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from forecasts.common.errors import BadInput
from forecasts.operations import schedules
from tests.conftest import day

PARTS = [f"{n}m" for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)]
PARTS += [f"{n}h" for n in (1, 2, 3, 4, 6, 8, 12, 24)] + ["1d"]
NASTY = '/srv/le %dger/it\'s $HOME "x".sqlite3'


def installation(**settings: str | None) -> schedules.Installation:
    return schedules.Installation(
        command=("/opt/fore casts/bin/forecasts", "run"),
        user="forecasts",
        settings=settings or {"FORECASTS_DATABASE_URL": "sqlite:////srv/ledger.sqlite3"},
        secrets="/etc/forecasts/environment",
    )


def test_an_interval_must_divide_an_hour_or_a_day() -> None:
    for words in ("", "15", "0m", "7m", "90m", "5h", "2d", "1w", "-5m", "1.5h"):
        with pytest.raises(BadInput, match="--every must divide an hour"):
            schedules.read_every(words)


def test_only_the_app_and_the_api_may_run_within_seconds() -> None:
    with pytest.raises(BadInput, match="--every must divide an hour"):
        schedules.read_every("5s")
    assert schedules.read_every("5s", schedules.OWN_EVERY) == timedelta(seconds=5)
    with pytest.raises(BadInput, match=r"FORECASTS_RUN_EVERY must divide an hour .* got '7s'"):
        schedules.read_every("7s", schedules.OWN_EVERY)


@given(seconds=st.integers(0, 400 * 86_400), words=st.sampled_from(PARTS))
def test_the_next_time_is_the_first_on_the_grid_of_its_day(seconds: int, words: str) -> None:
    now, every = day(0) + timedelta(seconds=seconds), schedules.read_every(words)
    due = schedules.next_time(now, every)
    assert timedelta() < due - now <= every
    assert (due - day(0)) % every == timedelta()


def cron_times(fields: str) -> list[tuple[int, int]]:
    """Return the (hour, minute)s of a day at which cron starts something, as crontab(5) says."""

    def read(field: str, of: int) -> list[int]:
        first, _, step = field.partition("/")
        return list(range(0, of, int(step or 1))) if first == "*" else [int(field)]

    minute, hour, *rest = fields.split()
    assert rest == ["*", "*", "*"]
    return [(h, m) for h in read(hour, 24) for m in read(minute, 60)]


def test_cron_and_kubernetes_start_it_at_the_times_of_the_grid() -> None:
    for words in PARTS:
        every = schedules.read_every(words)
        expected, moment = [(0, 0)], schedules.next_time(day(0), every)
        while moment < day(1):
            expected.append((moment.hour, moment.minute))
            moment = schedules.next_time(moment, every)
        [*_, line] = schedules.cron(installation(), every).splitlines()
        assert cron_times(" ".join(line.split()[:5])) == expected, words
        manifest = yaml.safe_load(schedules.kubernetes(installation(), every, image="ledger"))
        assert cron_times(manifest["spec"]["schedule"]) == expected, words


def test_the_command_of_the_crontab_is_read_by_a_shell_as_it_was_meant() -> None:
    nasty = installation(FORECASTS_DATABASE_URL=NASTY)
    [*_, line] = schedules.cron(nasty, schedules.read_every("15m")).splitlines()
    assert "%" not in line.replace("\\%", "")
    command = line.split(maxsplit=5)[5].replace("\\%", "%")
    said, _, into = command.partition(" 2>&1 | ")
    program = ["/opt/fore casts/bin/forecasts", "run"]
    assert shlex.split(said) == [f"FORECASTS_DATABASE_URL={NASTY}", *program]
    assert into == "logger -t forecasts"


@pytest.mark.parametrize("end", ["\n", "\r", "\x00", "\x0b", "\x85", "\u2028"])
def test_no_setting_adds_a_line_to_a_schedule(end: str) -> None:
    added = f"/srv/a{end}* * * * * touch /tmp/added"
    with pytest.raises(BadInput, match="FORECASTS_PROOFS_FOLDER has a line break"):
        installation(FORECASTS_PROOFS_FOLDER=added)
    for field, words in (
        ("user", added),
        ("secrets", added),
        ("command", (added,)),
        ("writes", (added,)),
    ):
        with pytest.raises(BadInput, match="control character"):
            replace(installation(), **{field: words})  # type: ignore[arg-type]
    assert "TOKEN" in schedules.cron(installation(TOKEN=None), schedules.read_every("1d"))


def test_secrets_are_read_from_a_file_and_never_printed() -> None:
    secret = installation(FORECASTS_DATABASE_URL=None, FORECASTS_COMMANDS_FOLDER="/srv/commands")
    every = schedules.read_every("15m")
    cron = schedules.cron(secret, every)
    assert "set -a; . /etc/forecasts/environment; FORECASTS_COMMANDS_FOLDER=/srv/comm" in cron
    service = schedules.systemd_service(secret)
    assert "EnvironmentFile=/etc/forecasts/environment\n" in service
    manifest = schedules.kubernetes(secret, every, image="ledger")
    pod = yaml.safe_load(manifest)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "forecasts"}}]
    for printed in (cron, service, manifest):
        assert "FORECASTS_DATABASE_URL" in printed.replace("FORECASTS_DATABASE_URL=", "")
        assert "mode 0600" in printed or "kubectl create secret" in printed


def test_a_schedule_states_its_interval_where_it_is_read_later() -> None:
    for words, interval in (
        ("1m", "every minute"), ("15m", "every 15 minutes"), ("60m", "every hour"),
        ("6h", "every 6 hours"), ("24h", "every day"),
    ):  # fmt: skip
        purpose = f"Resolve the due questions of the forecast ledger {interval}"
        every = schedules.read_every(words)
        [*_, stated, line] = schedules.cron(installation(), every).splitlines()
        assert stated == f"# {purpose}:"
        assert line.endswith("| logger -t forecasts")
        assert f"[Unit]\nDescription={purpose}\n" in schedules.systemd_timer(installation(), every)
        manifest = yaml.safe_load(schedules.kubernetes(installation(), every, image="ledger"))
        assert manifest["metadata"]["annotations"] == {"description": purpose}


def units(**settings: str | None) -> dict[str, configparser.RawConfigParser]:
    read = {}
    for part, text in (
        ("service", schedules.systemd_service(installation(**settings))),
        ("timer", schedules.systemd_timer(installation(), schedules.read_every("6h"))),
    ):
        parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",))
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(text)
        read[part] = parser
    return read


def test_the_systemd_units_name_command_user_and_time() -> None:
    found = units(FORECASTS_DATABASE_URL=NASTY)
    service = found["service"]["Service"]
    assert service["User"] == "forecasts"
    assert service["ExecStart"] == '"/opt/fore casts/bin/forecasts" run'
    assert int(service["TimeoutStartSec"]) == schedules.LONGEST_RUN.total_seconds()
    escaped = NASTY.replace("%", "%%").replace('"', '\\"')
    assert service["Environment"] == f'"FORECASTS_DATABASE_URL={escaped}"'
    assert service["SuccessExitStatus"] == "3"
    assert found["timer"]["Timer"]["OnCalendar"] == "*-*-* 00/6:00:00 UTC"
    assert found["timer"]["Install"]["WantedBy"] == "timers.target"


def test_systemd_itself_accepts_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:  # then what the parser above has read is all that can be said
        return
    program = tmp_path / "fore casts"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    settings = {"FORECASTS_DATABASE_URL": NASTY, "FORECASTS_COMMANDS_FOLDER": None}
    environment = "/etc/forecasts/environment"
    this = schedules.Installation((str(program), "run"), "root", settings, environment)
    files = {
        part: tmp_path / schedules.file_of(part) for part in ("service", "timer", "app", "api")
    }
    timer = files["timer"]
    served = replace(this, state=True, writes=("/srv/a b", "/var/lib/forecasts"))
    files["service"].write_text(schedules.systemd_service(this))
    files["app"].write_text(schedules.systemd_server(this, "app"))
    files["api"].write_text(schedules.systemd_server(served, "api", "--name", "example.org"))
    for words in ("15m", "6h", "1d"):
        timer.write_text(schedules.systemd_timer(this, schedules.read_every(words)))
        command = [analyze, "verify", "--man=no", *map(str, files.values())]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert [line for line in done.stderr.splitlines() if "forecasts" in line] == []
    command = [analyze, "security", "--offline=yes", "--threshold=30", "--no-pager"]
    for part in ("service", "app", "api"):  # of 100, which is no protection
        done = subprocess.run([*command, files[part]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-500:]


def test_a_server_is_a_unit_that_leaves_the_runs_to_the_timer_and_writes_to_its_folders() -> None:
    of = replace(installation(), writes=("/srv/a b", "/var/lib/forecasts"), state=True)
    unit = schedules.systemd_server(of, "api", "--name", "example.org")
    for line in (
        'ExecStart="/opt/fore casts/bin/forecasts" api --no-runs --name example.org',
        'ReadWritePaths="-/srv/a b" -/var/lib/forecasts',
        "StateDirectory=forecasts",
        "Environment=XDG_DATA_HOME=/var/lib",
        "EnvironmentFile=-/etc/forecasts/environment",
        "ProtectSystem=strict",
        "Restart=always",
        "WantedBy=multi-user.target",
    ):
        assert f"{line}\n" in unit
    assert "StateDirectory" not in schedules.systemd_server(installation(), "app")


def test_the_manifest_is_a_cron_job_that_runs_one_at_a_time() -> None:
    url = "postgresql://people@db/ledger?host=%2Frun"
    of, every = installation(FORECASTS_DATABASE_URL=url), schedules.read_every("15m")
    manifest = yaml.safe_load(schedules.kubernetes(of, every, image='ledger:"1" # ü'))
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "CronJob")
    spec = manifest["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("*/15 * * * *", "Etc/UTC")
    assert spec["concurrencyPolicy"] == "Forbid"
    job = spec["jobTemplate"]["spec"]
    assert job["activeDeadlineSeconds"] == schedules.LONGEST_RUN.total_seconds()
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    [container] = pod["containers"]
    assert container == {
        "name": "run",
        "image": 'ledger:"1" # ü',
        "command": ["sh", "-c", "forecasts run || test $? -eq 3"],
        "env": [{"name": "FORECASTS_DATABASE_URL", "value": url}],
    }


class Clock:
    """A clock that moves while somebody waits, and the times at which something was done."""

    def __init__(self, at: datetime, until: datetime) -> None:
        self.at, self.until = at, until
        self.acted: list[datetime] = []

    def now(self) -> datetime:
        return self.at

    def stopped(self, seconds: float) -> bool:
        assert 0 <= seconds <= 60
        self.at += timedelta(seconds=seconds)
        return self.at >= self.until


def keep_on(clock: Clock, takes: timedelta = timedelta()) -> list[datetime]:
    def act() -> None:
        clock.acted.append(clock.at)
        clock.at += takes

    schedules.repeat(act, every=schedules.read_every("15m"), now=clock.now, stopped=clock.stopped)
    return clock.acted


def minutes(*numbers: float) -> list[datetime]:
    return [day(0) + timedelta(minutes=number) for number in numbers]


@pytest.mark.parametrize(
    ("begin", "end", "takes", "at"),
    [(7, 61, 0, (7, 15, 30, 45, 60)), (0, 100, 20, (0, 30, 60, 90))],  # after what took longer
)
def test_it_runs_at_once_and_on_time(begin: int, end: int, takes: int, at: tuple[int, ...]) -> None:
    assert keep_on(Clock(*minutes(begin, end)), timedelta(minutes=takes)) == minutes(*at)


def test_it_does_not_wait_for_longer_when_the_clock_was_set_back() -> None:
    [begin, end] = minutes(600, 640)
    clock = Clock(begin, end)
    set_back = clock.stopped

    def stopped(seconds: float) -> bool:
        if not set_back(seconds) and len(clock.acted) == 1 and clock.at > minutes(610)[0]:
            clock.at -= timedelta(hours=1)
            clock.until -= timedelta(hours=1)
        return set_back(0)

    clock.stopped = stopped  # type: ignore[method-assign]
    assert keep_on(clock) == minutes(600, 555, 570)
