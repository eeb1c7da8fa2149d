"""The commands that set something going: app, demo."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli.console import (
    Database,
    ledger,
    messages,
    now,
    out,
    plain,
    settings,
)
from forecasts.cli.root import app
from forecasts.common.errors import BadInput

if TYPE_CHECKING:
    from forecasts.access.oidc_settings import SignIn
    from forecasts.common.settings import Settings

Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="The port on this machine.")]
_LOOPBACK = "127.0.0.1"


@app.command("app")
def app_(
    database: Database = None,
    port: Port = 8501,
    address: Annotated[
        str,
        typer.Option(
            "--address",
            help="Where to listen; any other address than this machine's own needs sign-in.",
        ),
    ] = _LOOPBACK,
) -> None:
    """Serve the app: to you alone, or to a team that signs in (see docs/operating.md)."""
    from forecasts.access import oidc_settings

    signs_in = oidc_settings.chosen()
    oidc_settings.require_safe(address, signs_in)
    require_free(port, address)
    chosen = settings(database)
    ledger(chosen, begin=True)
    raise typer.Exit(serve(chosen, port, address, signs_in))


def require_free(port: int, address: str = _LOOPBACK) -> None:
    """Raise BadInput where something listens on the port already, or where it may not be used."""
    try:
        family, *_, bound = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise BadInput(
            f"The app cannot be served on the address {address}: {error.strerror}.",
            remedy=f"Name an address of this machine, such as {_LOOPBACK} or 0.0.0.0.",
        ) from None
    with socket.socket(family) as probe:
        # As the server does: what a stopped one leaves behind for a minute is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(bound)
        except OSError as error:
            raise BadInput(
                f"The app cannot be served on port {port}: {error.strerror}.",
                remedy=f"Stop what uses it, or take another: --port {_near(port)}.",
            ) from None


def _near(port: int) -> int:
    return port + 1 if 1024 <= port < 65535 else 8502


def serve(
    chosen: Settings, port: int, address: str = _LOOPBACK, sign_in: SignIn | None = None
) -> int:
    """Return the exit code of the app's server, which runs until it is interrupted.

    Without ``sign_in`` nobody is asked to sign in, whatever the environment says.
    """
    from forecasts.access.oidc_settings import PREFIX

    at = f"http://{_LOOPBACK}:{port}" if sign_in is None else sign_in.base
    messages().print(f"Forecast Ledger is at {at} (Ctrl+C stops it)")
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(_app_script())),
        *("--server.address", address, "--server.port", str(port)),
        *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
        *("--server.enableCORS", "true", "--server.enableXsrfProtection", "true"),
        *("--server.fileWatcherType", "none", "--client.toolbarMode", "minimal"),
        *("--client.showErrorDetails", "none", "--server.maxUploadSize", "10"),
        *("--logger.hideWelcomeMessage", "true"),
    ]
    environment = os.environ | {
        "FORECASTS_DATABASE_URL": chosen.database_url,
        "FORECASTS_MEMBER": chosen.member,
    }
    if sign_in is None:
        environment = {n: value for n, value in environment.items() if not n.startswith(PREFIX)}
    else:  # else Streamlit asks the network which hosts are this machine
        command += ["--browser.serverAddress", sign_in.host]
    return _run(command, environment)


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Return the exit code of ``command``; Ctrl+C, and being told to end, end it in order.

    It runs in a session of its own, so that Ctrl+C reaches this process alone and nothing is
    printed about it; whatever would end this process is passed on.
    """
    with subprocess.Popen(command, env=environment, start_new_session=True) as server:  # noqa: S603
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: server.terminate())
        try:
            code = server.wait()
        except KeyboardInterrupt:
            server.terminate()
            code = server.wait()
            messages().print("Stopped.")
        return 0 if code == -signal.SIGTERM else code


def _app_script() -> Path:
    import importlib.util

    spec = importlib.util.find_spec("app")
    if spec is None or not spec.submodule_search_locations:
        raise BadInput("The app is not installed.", remedy="Install forecast-ledger again.")
    return Path(next(iter(spec.submodule_search_locations))) / "streamlit_app.py"


@app.command()
def demo(
    serve_: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the app on it afterwards.")
    ] = True,
    port: Port = 8501,
) -> None:
    """Build a demonstration ledger through the whole journey, print what happened, serve it."""
    from forecasts.exchange.samples import demonstration

    def say(line: str) -> None:
        out().print(plain(line), soft_wrap=True)

    if serve_:
        require_free(port)
    url = demonstration.build(now=now(), say=say)
    say(
        f"The demonstration is the ledger {demonstration.ledger_path()}: any command reads it with "
        "--database. Begin your own with: forecasts ask or forecasts app"
    )
    if serve_:
        raise typer.Exit(serve(settings(url), port))
