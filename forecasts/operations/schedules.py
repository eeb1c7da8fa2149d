"""When the scheduled run runs: the units that let it, and the loop where nothing else does.

``--every`` is a part of an hour or of a day, such as 15m or 6h, so that the runs of each day are at
the same times: what cron, systemd and Kubernetes can all say, and what a person can rely on.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from forecasts.common.errors import BadInput

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_SIZES = {"m": _MINUTE, "h": _HOUR, "d": _DAY}
LONGEST_RUN = 6 * _HOUR  # after which a unit ends it: none is started while it goes on
# So that a clock that was put right, or a machine that slept, is noticed.
_LONGEST_WAIT = 60.0  # seconds


@dataclass(frozen=True)
class Installation:
    """What a unit starts, and as whom.

    ``command``: the words of ``forecasts run``, without its options. ``settings``: the environment
    variables that it needs, None where one is secret and is read from ``secrets``, a file of the
    operator's. ``given``: the options with which the unit was asked for.
    """

    command: tuple[str, ...]
    user: str
    settings: Mapping[str, str | None]
    secrets: str
    given: str = ""

    @property
    def shown(self) -> dict[str, str]:
        """The settings that may stand in a unit."""
        return {name: value for name, value in self.settings.items() if value is not None}

    @property
    def secret(self) -> list[str]:
        """The names of the settings that may not."""
        return [name for name, value in self.settings.items() if value is None]

    def without(self, name: str) -> Installation:
        """Return the same where that setting is not shown."""
        return replace(self, settings={**self.settings, name: None})


def read_every(words: str) -> timedelta:
    """Return how long it is from one run to the next; BadInput unless it divides an hour or a day.

    >>> read_every("15m"), read_every("24h") == read_every("1d")
    (datetime.timedelta(seconds=900), True)
    """
    found = re.fullmatch(r"([1-9]\d{0,3})([mhd])", words.strip())
    every = int(found[1]) * _SIZES[found[2]] if found else timedelta()
    if every and (not _HOUR % every or (not _DAY % every and not every % _HOUR)):
        return every
    raise BadInput(
        f"--every {words!r} is no part of an hour or of a day.",
        remedy="Use minutes that divide an hour (1m, 5m, 15m, 30m), hours that divide a day "
        "(1h, 2h, 6h, 12h), or 1d.",
    )


def next_time(now: datetime, every: timedelta) -> datetime:
    """Return the first time after ``now`` at which a run is due: counted from midnight UTC."""
    moment = now.astimezone(UTC)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + ((moment - midnight) // every + 1) * every


def keep_on(
    act: Callable[[], None],
    *,
    every: timedelta,
    now: Callable[[], datetime],
    stopped: Callable[[float], bool],
) -> None:
    """Act now, and again at each time of the grid, one after another; a time that is missed is.

    ``stopped`` waits for so many seconds at most, and returns whether to stop, at once where so.
    """
    while True:
        act()
        due = next_time(now(), every)
        while (left := due - now()) > timedelta():
            if left > every:  # the clock was set back
                due = next_time(now(), every)
            elif stopped(min(left.total_seconds(), _LONGEST_WAIT)):
                return
        if stopped(0):
            return


def cron(installation: Installation, every: timedelta) -> str:
    """Return lines for a person's crontab."""
    words = [f"{name}={shlex.quote(value)}" for name, value in installation.shown.items()]
    words += [shlex.quote(word) for word in installation.command]
    sources = shlex.quote(installation.secrets)
    before = f"set -a; . {sources}; " if installation.secret else ""
    line = f"{_fields(every)} {before}{' '.join(words)} 2>&1 | logger -t forecasts"
    return "".join(
        f"{text}\n"
        for text in [
            f"# To install it, as {_comment(installation.user)}: crontab -e, and add what follows.",
            *_secrets_said(installation),
            "# To see that it works: forecasts run status, and journalctl -t forecasts.",
            # To cron a % is the end of a line.
            line.replace("%", "\\%"),
        ]
    )


def _fields(every: timedelta) -> str:
    """Return the five fields that cron, and Kubernetes as well, reads."""
    if every <= _HOUR:
        minutes = every // _MINUTE
        return "* * * * *" if minutes == 1 else f"{_each(minutes, 60)} * * * *"
    return f"0 {_each(every // _HOUR, 24)} * * *"


def _each(step: int, of: int) -> str:
    return "0" if step == of else f"*/{step}"


def systemd_service(installation: Installation) -> str:
    """Return the unit that runs once."""
    environment = [
        f"Environment={_quoted(f'{name}={value}')}" for name, value in installation.shown.items()
    ]
    if installation.secret:
        environment.append(f"EnvironmentFile={installation.secrets.replace('%', '%%')}")
    command = " ".join(_quoted(word.replace("$", "$$")) for word in installation.command)
    return "".join(
        f"{text}\n"
        for text in [
            *_systemd_said(installation, "service"),
            *_secrets_said(installation),
            "[Unit]",
            "Description=Resolve what is due in the forecast ledger",
            "Wants=network-online.target",
            "After=network-online.target",
            "",
            "[Service]",
            "Type=oneshot",
            "# A run that hangs is ended; what it had in hand is taken up by a later one.",
            f"TimeoutStartSec={int(LONGEST_RUN.total_seconds())}",
            f"User={installation.user}",
            *environment,
            f"ExecStart={command}",
            "# 3: something needs a person, and the run did its work.",
            "SuccessExitStatus=3",
        ]
    )


def systemd_timer(installation: Installation, every: timedelta) -> str:
    """Return the unit that says when."""
    if every <= _HOUR:
        minutes = every // _MINUTE
        when = f"*:{_steps(minutes, 60)}:00"
    else:
        when = f"{_steps(every // _HOUR, 24)}:00:00"
    return "".join(
        f"{text}\n"
        for text in [
            *_systemd_said(installation, "timer"),
            "[Unit]",
            "Description=When the forecast ledger resolves what is due",
            "",
            "[Timer]",
            f"OnCalendar=*-*-* {when} UTC",
            "# A run that was missed while the machine was off is made up for.",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
        ]
    )


def _steps(step: int, of: int) -> str:
    return "00" if step == of else f"00/{step}"


def _systemd_said(installation: Installation, part: str) -> list[str]:
    unit = f"/etc/systemd/system/forecasts.{part}"
    lines = [
        f"# {unit}",
        f"# To install it: forecasts schedule systemd {part}{_comment(installation.given)} | "
        f"sudo tee {unit}",
    ]
    if part == "timer":
        lines += [
            "# and then: sudo systemctl daemon-reload && "
            "sudo systemctl enable --now forecasts.timer",
            "# To see that it works: systemctl list-timers forecasts.timer, "
            "journalctl -u forecasts, and forecasts run status.",
        ]
    return lines


def kubernetes(
    installation: Installation, every: timedelta, *, image: str, in_a_file: bool = False
) -> str:
    """Return the manifest of a CronJob; ``in_a_file``: the ledger is one that no pod has."""
    first = (
        [
            "# This installation's ledger is a file, which a pod does not have: bring it to a "
            "server first",
            "# (forecasts move --to postgresql://…).",
        ]
        if in_a_file
        else []
    )
    folders = [name for name in installation.shown if name.endswith("_FOLDER")]
    if folders:
        first += [
            f"# {' and '.join(folders)}: a pod has such a folder only where you mount a volume",
            "# at that path (volumes, and volumeMounts of the container).",
        ]
    lines = [
        *first,
        "# To install it: forecasts schedule kubernetes"
        f"{_comment(installation.given)} | kubectl apply -f -",
        *(
            [
                f"# {' and '.join(installation.secret)} is read from the Secret forecasts. "
                "To make it of a file with such a line as",
                "# FORECASTS_DATABASE_URL=postgresql://…: "
                "kubectl create secret generic forecasts --from-env-file=FILE",
            ]
            if installation.secret
            else []
        ),
        "# To see that it works: kubectl get cronjob forecasts, and "
        "kubectl logs -l app=forecasts --tail=-1.",
        "apiVersion: batch/v1",
        "kind: CronJob",
        "metadata:",
        "  name: forecasts",
        "spec:",
        f"  schedule: {_yaml(_fields(every))}",
        '  timeZone: "Etc/UTC"',
        "  concurrencyPolicy: Forbid",
        "  jobTemplate:",
        "    spec:",
        "      backoffLimit: 0",
        "      # A run that hangs is ended; what it had in hand is taken up by a later one.",
        f"      activeDeadlineSeconds: {int(LONGEST_RUN.total_seconds())}",
        "      template:",
        "        metadata:",
        "          labels:",
        "            app: forecasts",
        "        spec:",
        "          restartPolicy: Never",
        "          containers:",
        "            - name: run",
        f"              image: {_yaml(image)}",
        "              # 3: something needs a person, and the run did its work.",
        '              command: ["sh", "-c", "forecasts run || test $? -eq 3"]',
    ]
    if installation.shown:
        lines.append("              env:")
        for name, value in installation.shown.items():
            lines += [f"                - name: {name}", f"                  value: {_yaml(value)}"]
    if installation.secret:
        lines += [
            "              envFrom:",
            "                - secretRef:",
            "                    name: forecasts",
        ]
    return "".join(f"{line}\n" for line in lines)


def _secrets_said(installation: Installation) -> list[str]:
    if not installation.secret:
        return []
    return [
        f"# {' and '.join(installation.secret)} is read from {_comment(installation.secrets)}, "
        "a file of mode 0600",
        "# with a line NAME='value'.",
    ]


def _comment(words: str) -> str:
    """Return words that stay on the line of a comment."""
    return " ".join(words.splitlines())


def _quoted(words: str) -> str:
    """Return one word of systemd's: in quotes where it takes them, and no specifier in it."""
    words = words.replace("%", "%%")
    if re.fullmatch(r"[\w@%+=:,./$-]+", words):
        return words
    escaped = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _yaml(words: str) -> str:
    """Return a text of YAML in quotes, which reads what JSON writes."""
    return json.dumps(words, ensure_ascii=False)
