"""The commands that serve the app, the API and a language model: app, demo, api, mcp."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine
from typer.core import TyperCommand

from forecasts.access import oidc_settings, tokens
from forecasts.access.members import kind_of, member_or_new
from forecasts.access.oidc_settings import PREFIX, SignIn
from forecasts.api.door import Here
from forecasts.cli.console import now
from forecasts.cli.options import CHOSEN, OnLedger, flag, option
from forecasts.cli.printing import out, print_note
from forecasts.cli.root import app
from forecasts.cli.runs import running_meanwhile, set_by_signals
from forecasts.cli.session import acting, ledger, reading_as, settings
from forecasts.common.errors import BadInput, Refused, command
from forecasts.common.extras import missing
from forecasts.common.ip_addresses import is_loopback
from forecasts.common.settings import Settings
from forecasts.common.text import printable
from forecasts.ledger.append import written
from forecasts.ledger.models import BotOwner, MemberKind
from forecasts.ledger.urls import read_url
from forecasts.operations.schedules import DEFAULT_EVERY, OWN_EVERY, RUNS_STARTED, read_every

Port = Annotated[int, option("", "The port to listen on.", "--port", min=1, max=65535)]
Open = Annotated[bool, flag("--open/--no-open", "Open the app in the browser, or not.")]
Runs = Annotated[
    bool | None,
    flag(
        "--runs/--no-runs",
        "Start runs every 15 minutes, or leave them to another scheduler. [default: --runs, unless "
        "you alone open a ledger on a server]",
    ),
]
_LOOPBACK = "127.0.0.1"
PATIENCE = 60.0  # seconds until the server answers, or the browser is not opened


@app.command("app")
def app_(
    port: Port = 8501,
    address: Annotated[
        str,
        option("", "The address to listen on. Any other than this machine's own needs sign-in."),
    ] = _LOOPBACK,
    open_: Open = True,
    runs: Runs = None,
) -> None:
    """Serve the app, to you alone or to a team that signs in.

    It also checks due questions and notifies members, as forecasts run does. See docs/operating.md.
    """
    sign_in = oidc_settings.configured_sign_in()
    oidc_settings.require_safe_address(address, sign_in)
    require_free(port, address)
    chosen = _with_runs(settings(), runs, for_others=sign_in is not None)
    with running_meanwhile(ledger(chosen, begin=True), chosen):
        code = serve(chosen, port, address, sign_in, open_=open_)
    raise typer.Exit(code)


def _with_runs(chosen: Settings, runs: bool | None, *, for_others: bool = False) -> Settings:
    """Return the settings with the interval of the runs, if any; BadInput for an odd interval.

    A team's ledger on a server gets its runs from the process that serves the team (``for_others``)
    or from the operator's scheduler. Those have the operator's folders, network and digest; each
    member's own machine would take the place of such a run without them.
    """
    if runs is None:
        in_a_file = read_url(chosen.database_url).get_backend_name() == "sqlite"
        runs = in_a_file or for_others or chosen.run_every is not None
    every = chosen.run_every or DEFAULT_EVERY
    read_every(every, OWN_EVERY)
    return chosen.model_copy(update={"run_every": every if runs else None})


def require_free(port: int, address: str = _LOOPBACK) -> None:
    """Raise BadInput if the port is in use or not allowed."""
    try:
        family, *_, bound = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise BadInput(
            f"The app cannot be served on the address {address}: {error.strerror}.",
            remedy=f"Name an address of this machine, such as {_LOOPBACK} or 0.0.0.0.",
        ) from None
    with socket.socket(family) as probe:
        # Like the server: a port stays reserved for a minute after a server has stopped.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(bound)
        except OSError as error:
            other = port + 1 if 1024 <= port < 65535 else 8502
            raise BadInput(
                f"The app cannot be served on port {port}: {error.strerror}.",
                remedy=f"Stop the program that uses it, or choose another port: --port {other}.",
            ) from None


def serve(
    chosen: Settings,
    port: int,
    address: str = _LOOPBACK,
    sign_in: SignIn | None = None,
    *,
    open_: bool = False,
) -> int:
    """Return the exit code of the app's server, which runs until it is interrupted.

    Without ``sign_in`` nobody signs in, whatever the environment says. ``open_``: open the browser
    if someone sits in front of this machine, and nobody signs in. The server is another process, so
    no page waits for the runs in this one.
    """
    at = f"http://{_LOOPBACK}:{port}" if sign_in is None else sign_in.base
    print_note(f"Forecast Ledger is at {at} (Ctrl+C stops it)")
    words = [
        *(sys.executable, _app_file("server.py"), "run", _app_file("streamlit_app.py")),
        *("--server.address", address, "--server.port", str(port)),
        *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
        *("--server.enableCORS", "true", "--server.enableXsrfProtection", "true"),
        *("--server.fileWatcherType", "none", "--client.toolbarMode", "minimal"),
        *("--client.showErrorDetails", "none", "--server.maxUploadSize", "10"),
        *("--logger.hideWelcomeMessage", "true"),
    ]
    environment = os.environ | {  # empty counts as not set
        "FORECASTS_DATABASE_URL": chosen.database_url,
        "FORECASTS_MEMBER": chosen.member,
        "FORECASTS_MODEL_URL": chosen.model_url or "",
        "FORECASTS_MODEL": chosen.model or "",
        # For the page Settings.
        RUNS_STARTED: chosen.run_every or "",
    }
    if sign_in is None:
        environment = {n: value for n, value in environment.items() if not n.startswith(PREFIX)}
    else:  # otherwise Streamlit looks up this machine's addresses on the network
        words += ["--browser.serverAddress", sign_in.host]
    if open_ and sign_in is None and has_screen():
        threading.Thread(target=open_browser, args=(at, port), daemon=True).start()
    return run_until_ended(words, environment)


def has_screen() -> bool:
    """Return whether a person started this in a terminal of a machine with a screen."""
    if not sys.stderr.isatty():
        return False
    return sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def open_browser(url: str, port: int) -> None:
    """Open ``url`` in the browser once the server accepts connections."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection((_LOOPBACK, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            webbrowser.open(url)
            return


_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


def _ends(number: int) -> bool:
    """Return whether a signal is not ignored, as a shell ignores Ctrl+C in the background."""
    return signal.getsignal(number) is not signal.SIG_IGN


def run_until_ended(command: list[str], environment: dict[str, str]) -> int:
    """Return the exit code of ``command``; Ctrl+C and SIGTERM stop it cleanly.

    The command runs in a session of its own, so that Ctrl+C reaches only this process and nothing
    is printed about it. Signals that would end this process are passed on.
    """
    servers: list[subprocess.Popen[bytes]] = []
    received: list[int] = []

    def end(number: int, _frame: object) -> None:
        received.append(number)
        for one in servers:
            one.terminate()

    # Set before the start: a signal that comes while the server starts must end it too.
    ending = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in ending if _ends(number)}
    try:
        with subprocess.Popen(command, env=environment, start_new_session=True) as server:  # noqa: S603
            servers.append(server)
            if received:
                server.terminate()
            code = server.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if signal.SIGINT in received:
        print_note("Stopped.")
    return 0 if code == -signal.SIGTERM else code


def _app_file(name: str) -> str:
    spec = importlib.util.find_spec("app")
    if spec is None or not spec.submodule_search_locations:
        raise BadInput("The app is not installed.", remedy="Install forecast-ledger again.")
    return str(Path(next(iter(spec.submodule_search_locations))) / name)


@app.command(cls=TyperCommand)
def demo(
    serve_: Annotated[
        bool, flag("--serve/--no-serve", "Open the app on it afterwards, or not.")
    ] = True,
    port: Port = 8501,
    open_: Open = True,
) -> None:
    """Build the sample ledger, of simulated people, and serve it."""
    from forecasts.samples import canned_model, demonstration  # which load pandas

    def echo(line: str) -> None:
        out().print(printable(line), soft_wrap=True)

    if serve_:
        require_free(port)
    url = demonstration.build(now=now(), echo=echo)
    path = str(demonstration.ledger_path())
    echo(f"The demonstration is the ledger {path}. Your own ledger is not changed.")
    echo(f"Next: {command('questions', database=path)}")
    echo("To start your own ledger: forecasts ask, or forecasts app")
    if serve_:
        with canned_model.running() as model_url:
            own = (
                {} if settings().model_url else {"model_url": model_url, "model": canned_model.NAME}
            )
            reader = {"database_url": url, "member": demonstration.READER}
            chosen = _with_runs(settings(**reader, **own), False)
            raise typer.Exit(serve(chosen, port, open_=open_))


@app.command(cls=OnLedger)
def api(
    port: Port = 8000,
    host: Annotated[
        str, option("", "The address to listen on. Any other than this machine's needs --name.")
    ] = _LOOPBACK,
    name: Annotated[
        list[str] | None,
        option("HOST", "A name under which other machines reach it; repeat for more."),
    ] = None,
    runs: Runs = None,
) -> None:
    """Serve the HTTP API to bots and scripts, each with its token.

    It also checks due questions and notifies members, as forecasts run does. See docs/api.md. The
    app serves it too, under its own address.
    """
    if not is_loopback(host) and not name:
        raise BadInput(
            f"The API does not listen on the address {host} without a name: requests to other "
            "names are refused.",
            remedy="Add the name under which others reach it: --name forecasts.example.org",
        )
    try:
        from forecasts.api.server import build
        from forecasts.common.guarded_server import serve as guarded
    except ImportError:
        raise missing("The API", "api") from None
    # Before the MCP library sets up a log of its own, which draws a box around each error.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    require_free(port, host)
    chosen = _with_runs(settings(), runs, for_others=bool(name))
    engine = ledger(chosen, begin=True)
    served = build(engine, clock=now, settings=chosen, hosts=name or ())
    at = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    print_note(f"The API is at {at}/api/v1, its documents at {at}/api/v1/docs (Ctrl+C stops it)")
    # No access log: an operator's proxy has one, and a busy bot would fill it.
    # When it has ended, uvicorn raises the signal again that ended it.
    with running_meanwhile(engine, chosen) as stopping, set_by_signals(stopping):
        guarded(
            served, host=host, port=port, log_level="warning", access_log=False, server_header=False
        )


Model = Annotated[
    str | None,
    option("NAME", "Act as this bot; a new name becomes your bot. [default: yourself]", "--as"),
]


@app.command(cls=OnLedger)
def mcp(member: Model = None) -> None:
    """Serve the ledger to a language model on this machine.

    An MCP client starts this command itself; docs/mcp.md has the lines for its configuration.
    """
    try:
        from forecasts.api.mcp.server import build
    except ImportError:
        raise missing("The MCP server", "api") from None
    CHOSEN["member"] = None if member is None else member.strip()
    chosen = settings()
    door = _Own(ledger(chosen, begin=True), chosen.allow_private_addresses)
    print_note(_ready(door))
    build(lambda: door).run("stdio")


@dataclass(frozen=True)
class _Own:
    """The way to the ledger for the member who started the command."""

    engine: Engine
    allow_private: bool

    @contextmanager
    def reading(self) -> Iterator[Here]:
        with reading_as(engine=self.engine) as here:
            yield Here(*here)

    @contextmanager
    def acting(self) -> Iterator[Here]:
        with acting(engine=self.engine) as here:
            yield Here(*here)


def _ready(door: _Own) -> str:
    """Return a sentence on the acting member. A new name becomes the user's bot: it is written.

    Errors that every tool would have are raised here: Forbidden as in ``acting``, Refused for a
    person other than the user, since a model does not forecast in another member's name.
    """
    chosen, user = settings(), settings(member=None).member
    with reading_as(engine=door.engine) as (session, found, now):
        name = tokens.acting_handle(session, chosen, now=now)
        kind = None if found is None else kind_of(session, found)
    if name == user:
        if kind not in (None, MemberKind.human):
            return f"The model acts as {name}, a bot."
        return (
            f"The model acts as you, {name}: its forecasts count as yours. To keep the records "
            "apart, name the model with --as."
        )
    if found is None:
        with acting(engine=door.engine, chosen=settings(member=None)) as (session, owner, now):
            found = member_or_new(session, name, now=now, kind=MemberKind.bot)
            written(session, BotOwner(bot_id=found.id, owner_id=owner.id, recorded_at=now))
        return f"The model acts as {name}, a new bot of {user}."
    if kind == MemberKind.human:
        raise Refused(
            f"{name!r} is a person, and a model does not forecast in another member's name.",
            remedy="Choose a new name for the model: it becomes your bot. If this one is already "
            f"a model's, adopt it: {command('member adopt', name)}",
        )
    return f"The model acts as {name}, a bot."
