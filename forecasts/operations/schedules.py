"""Schedule runs: units for cron, systemd and Kubernetes, and a loop for the app and containers.

With systemd, the app and the API are units too.

``--every`` divides an hour or a day, such as 15m or 6h, so that the runs of each day are at the
same times: cron, systemd and Kubernetes can all express that.
"""

from __future__ import annotations

import json
import re
import shlex
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forecasts.common.errors import BadInput
from forecasts.resolution.progress import divides_hour_or_day, interval_in_words

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_SIZES = {"s": timedelta(seconds=1), "m": _MINUTE, "h": _HOUR, "d": _DAY}
DEFAULT_EVERY = "15m"
OWN_EVERY = "FORECASTS_RUN_EVERY"  # sets the interval of the runs of the app and the API
# Set by forecasts app for its pages: the interval of the runs that it has started.
RUNS_STARTED = "FORECASTS_RUNS_STARTED"
STATE = "/var/lib/forecasts"  # the data folder of a unit whose user is not the one who prints it
LONGEST_RUN = 6 * _HOUR  # a unit ends a longer run, since no other can start meanwhile
_LONGEST_WAIT = 60.0  # seconds, to notice a changed clock or a machine that slept
_HARDENED = (
    "# It can only write to these folders and its own /tmp, and reach the network.",
    *("ProtectSystem=strict", "ProtectHome=read-only", "PrivateTmp=yes", "PrivateDevices=yes"),
    *("NoNewPrivileges=yes", "CapabilityBoundingSet=", "RestrictSUIDSGID=yes", "UMask=0077"),
    *(f"Protect{part}=yes" for part in ("KernelTunables", "KernelModules", "KernelLogs")),
    *(f"Protect{part}=yes" for part in ("ControlGroups", "Clock", "Hostname")),
    *(f"Restrict{part}=yes" for part in ("Namespaces", "Realtime")),
    *("LockPersonality=yes", "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"),
    *("SystemCallArchitectures=native", "SystemCallFilter=@system-service"),
)


@dataclass(frozen=True)
class Installation:
    """The command, user and environment of a unit.

    ``command``: the words of ``forecasts run``, without options. ``settings``: environment
    variables; None for a secret, which the unit reads from the file ``secrets``. ``given``: the
    options of the command that prints the unit. ``writes``: folders that it writes to; ``state``:
    ``STATE`` is among them, as the data folder, and systemd makes it.
    """

    command: tuple[str, ...]
    user: str
    settings: Mapping[str, str | None]
    secrets: str
    given: str = ""
    writes: tuple[str, ...] = ()
    state: bool = False

    def __post_init__(self) -> None:
        """Refuse, with BadInput, line breaks and other control characters, which add lines."""
        words = {"The command": " ".join(self.command), "The user": self.user}
        words |= {"The file of secrets": self.secrets, "A folder": "".join(self.writes)}
        for name, value in (words | self.public).items():
            if any(unicodedata.category(one) in ("Cc", "Zl", "Zp") for one in value):
                raise BadInput(
                    f"{name} has a line break or another control character: {value!r}.",
                    remedy="Use one without it: a schedule cannot contain it.",
                )

    @property
    def public(self) -> dict[str, str]:
        """The settings that a unit may contain."""
        return {name: value for name, value in self.settings.items() if value is not None}

    @property
    def secret(self) -> list[str]:
        """The names of the settings that are secret."""
        return [name for name, value in self.settings.items() if value is None]


def read_every(words: str, name: str = "--every") -> timedelta:
    """Return the time between two runs; BadInput unless it divides an hour or a day.

    ``name``: of the option or setting. Seconds are read for ``OWN_EVERY`` only, since units have
    none.

    >>> read_every("15m"), read_every("24h") == read_every("1d")
    (datetime.timedelta(seconds=900), True)
    """
    units = "smhd" if name == OWN_EVERY else "mhd"
    found = re.fullmatch(rf"([1-9]\d{{0,3}})([{units}])", words.strip())
    every = int(found[1]) * _SIZES[found[2]] if found else timedelta()
    if divides_hour_or_day(every):
        return every
    raise BadInput(
        f"{name} must divide an hour or a day, got {words!r}.",
        remedy="Use minutes that divide an hour (1m, 5m, 15m, 30m), hours that divide a day "
        "(1h, 2h, 6h, 12h), or 1d.",
    )


def next_time(now: datetime, every: timedelta) -> datetime:
    """Return the next time for a run after ``now``, on a grid from midnight UTC."""
    moment = now.astimezone(UTC)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + ((moment - midnight) // every + 1) * every


def repeat(
    act: Callable[[], None],
    *,
    every: timedelta,
    now: Callable[[], datetime],
    stopped: Callable[[float], bool],
) -> None:
    """Act now and at each time of the grid; a time that passes during an act is skipped.

    ``stopped`` waits for up to the given seconds and returns whether to stop, at once if so.
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
    """Return lines for a user's crontab."""
    words = [f"{name}={shlex.quote(value)}" for name, value in installation.public.items()]
    words += [shlex.quote(word) for word in installation.command]
    before = f"set -a; . {shlex.quote(installation.secrets)}; " if installation.secret else ""
    line = f"{_fields(every)} {before}{' '.join(words)} 2>&1 | logger -t forecasts"
    return _lines(
        f"# To install, as {_comment(installation.user)}: crontab -e, and add these lines.",
        *_secrets_lines(installation),
        "# To check: forecasts run status, and journalctl -t forecasts.",
        f"# {_purpose(every)}:",
        # In a crontab % means the end of the line.
        line.replace("%", "\\%"),
    )


def _purpose(every: timedelta) -> str:
    """Return the purpose and interval of a schedule, for someone who finds it years later."""
    return f"Resolve the due questions of the forecast ledger {interval_in_words(every)}"


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def _fields(every: timedelta) -> str:
    """Return the five time fields of cron, which Kubernetes reads too."""
    if every == _MINUTE:
        return "* * * * *"
    if every <= _HOUR:
        return f"{_each(every // _MINUTE, 60)} * * * *"
    return f"0 {_each(every // _HOUR, 24)} * * *"


def _each(step: int, of: int, first: str = "0", start: str = "*") -> str:
    return first if step == of else f"{start}/{step}"


def systemd_service(installation: Installation) -> str:
    """Return the unit of a single run."""
    return _service(
        installation,
        "service",
        "Resolve the due questions of the forecast ledger",
        "Type=oneshot",
        "# A run that hangs is ended; a later one takes over its questions.",
        f"TimeoutStartSec={int(LONGEST_RUN.total_seconds())}",
        "# 3: the run succeeded, and something needs a person.",
        "SuccessExitStatus=3",
    )


def systemd_server(installation: Installation, name: str, *options: str) -> str:
    """Return the unit that serves the ``app`` or the ``api`` and leaves the runs to the timer."""
    command = (installation.command[0], name, "--no-runs", *options)
    return _service(
        replace(installation, command=command),
        name,
        f"Serve the {'API' if name == 'api' else name} of the forecast ledger",
        "Restart=always",
        "RestartSec=5",
        after=("", "[Install]", "WantedBy=multi-user.target"),
    )


def _service(
    installation: Installation, part: str, purpose: str, *how: str, after: tuple[str, ...] = ()
) -> str:
    environment = [
        f"Environment={_quoted(f'{name}={value}')}" for name, value in installation.public.items()
    ]
    if installation.state:
        environment += [f"StateDirectory={Path(STATE).name}", "Environment=XDG_DATA_HOME=/var/lib"]
    # Without secrets the file need not exist.
    optional = "" if installation.secret else "-"
    environment.append(f"EnvironmentFile={optional}{installation.secrets.replace('%', '%%')}")
    writes = " ".join(_quoted(f"-{folder}") for folder in installation.writes)
    return _lines(
        *_install_lines(installation, part),
        *_secrets_lines(installation),
        "[Unit]",
        f"Description={purpose}",
        "Wants=network-online.target",
        "After=network-online.target postgresql.service",
        "",
        "[Service]",
        f"User={installation.user}",
        *environment,
        f"ExecStart={' '.join(_quoted(w.replace('$', '$$')) for w in installation.command)}",
        *how,
        *_HARDENED,
        *([f"ReadWritePaths={writes}"] if writes else []),
        *after,
    )


def systemd_timer(installation: Installation, every: timedelta) -> str:
    """Return the timer of the runs."""
    if every <= _HOUR:
        when = f"*:{_each(every // _MINUTE, 60, '00', '00')}:00"
    else:
        when = f"{_each(every // _HOUR, 24, '00', '00')}:00:00"
    return _lines(
        *_install_lines(installation, "timer"),
        "# then: sudo systemctl daemon-reload && sudo systemctl enable --now forecasts.timer",
        "# To check: systemctl list-timers forecasts.timer, journalctl -u forecasts, and forecasts "
        "run status.",
        "[Unit]",
        f"Description={_purpose(every)}",
        "",
        "[Timer]",
        f"OnCalendar=*-*-* {when} UTC",
        "# A run missed while the machine was off is made up.",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    )


def file_of(part: str) -> str:
    """Return the name of a unit's file: of the ``service`` or ``timer``, the ``app`` or ``api``."""
    return f"forecasts.{part}" if part in ("service", "timer") else f"forecasts-{part}.service"


def _install_lines(installation: Installation, part: str) -> list[str]:
    unit = f"/etc/systemd/system/{file_of(part)}"
    command = f"forecasts schedule systemd {part}{_comment(installation.given)}"
    return [f"# {unit}", f"# To install: {command} | sudo tee {unit}"]


def kubernetes(
    installation: Installation, every: timedelta, *, image: str, in_a_file: bool = False
) -> str:
    """Return the manifest of a CronJob; ``in_a_file``: the ledger is a file, which a pod lacks."""
    first = []
    if in_a_file:
        settings = {**installation.settings, "FORECASTS_DATABASE_URL": None}
        installation = replace(installation, settings=settings)
        first += [
            "# This ledger is a file, which a pod cannot read: move it to a server first",
            "# (forecasts move --to postgresql://…).",
        ]
    public = installation.public
    if "FORECASTS_DIGEST_TO" not in installation.settings:
        first += [
            "# To send a digest every day (docs/history.md), add a line such as",
            "# FORECASTS_DIGEST_TO=https://… to the Secret forecasts.",
        ]
    if folders := " and ".join(name for name in public if name.endswith(("_FOLDER", "_ROOTS"))):
        first += [
            f"# {folders}: mount a volume at that path",
            "# (volumes, and volumeMounts of the container).",
        ]
    first.append(
        f"# To install: forecasts schedule kubernetes{_comment(installation.given)} | "
        "kubectl apply -f -"
    )
    if installation.secret:
        first += [
            f"# {_are_read(installation)} the Secret forecasts. To create it from a file with",
            "# lines such as",
            "# FORECASTS_DATABASE_URL=postgresql://…: "
            "kubectl create secret generic forecasts --from-env-file=FILE",
        ]
    manifest = _MANIFEST.format(
        purpose=_yaml(_purpose(every)),
        schedule=_yaml(_fields(every)),
        seconds=int(LONGEST_RUN.total_seconds()),
        image=_yaml(image),
    )
    variables = [
        f"                - name: {name}\n                  value: {_yaml(value)}"
        for name, value in public.items()
    ]
    env = ["              env:", *variables] if public else []
    return _lines(*first) + manifest + _lines(*env) + (_ENV_FROM if installation.secret else "")


_MANIFEST = """\
# To check: kubectl get cronjob forecasts, and kubectl logs -l app=forecasts --tail=-1.
apiVersion: batch/v1
kind: CronJob
metadata:
  name: forecasts
  annotations:
    description: {purpose}
spec:
  schedule: {schedule}
  timeZone: "Etc/UTC"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      backoffLimit: 0
      # A run that hangs is ended; a later one takes over its questions.
      activeDeadlineSeconds: {seconds}
      template:
        metadata:
          labels:
            app: forecasts
        spec:
          restartPolicy: Never
          containers:
            - name: run
              image: {image}
              # 3: the run succeeded, and something needs a person.
              command: ["sh", "-c", "forecasts run || test $? -eq 3"]
"""
_ENV_FROM = """\
              envFrom:
                - secretRef:
                    name: forecasts
"""


def _secrets_lines(installation: Installation) -> list[str]:
    if not installation.secret:
        return []
    return [
        f"# {_are_read(installation)} {_comment(installation.secrets)}, a file of mode 0600",
        "# with lines NAME='value'.",
    ]


def _are_read(installation: Installation) -> str:
    names = installation.secret
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} read from"


def _comment(words: str) -> str:
    """Return words on one line, for a comment."""
    return " ".join(words.splitlines())


def _quoted(words: str) -> str:
    """Return one word of a systemd unit: quoted if needed, with % escaped."""
    words = words.replace("%", "%%")
    if re.fullmatch(r"[\w@%+=:,./$-]+", words):
        return words
    escaped = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _yaml(words: str) -> str:
    """Return a quoted YAML string, which may be written as JSON."""
    return json.dumps(words, ensure_ascii=False)
