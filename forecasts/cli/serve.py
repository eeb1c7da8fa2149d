"""The commands that set something going: app, demo, migrate."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli import app
from forecasts.cli.console import Database, ledger, messages, now, out, plain, settings
from forecasts.errors import BadInput

if TYPE_CHECKING:
    from forecasts.settings import Settings

Port = Annotated[int, typer.Option("--port", help="The port on this machine.")]


@app.command("app")
def app_(database: Database = None, port: Port = 8501) -> None:
    """Serve the app on this machine."""
    chosen = settings(database)
    ledger(chosen)
    raise typer.Exit(serve(chosen, port))


def serve(chosen: Settings, port: int) -> int:
    """Return the exit code of the app's server, which runs until it is interrupted.

    The server listens on the loopback address only: the embedded ledger has no sign-in.
    """
    messages().print(f"Forecast Ledger is at http://127.0.0.1:{port} (Ctrl+C stops it)")
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(_app_script())),
        *("--server.address", "127.0.0.1", "--server.port", str(port)),
        *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
        *("--server.fileWatcherType", "none", "--client.toolbarMode", "minimal"),
        *("--client.showErrorDetails", "none", "--server.maxUploadSize", "10"),
    ]
    environment = os.environ | {
        "FORECASTS_DATABASE_URL": chosen.database_url,
        "FORECASTS_MEMBER": chosen.member,
    }
    try:
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603
    except KeyboardInterrupt:
        return 0


def _app_script() -> Path:
    import importlib.util

    spec = importlib.util.find_spec("app")
    if spec is None or not spec.submodule_search_locations:
        raise BadInput("The app is not installed.", remedy="Install forecast-ledger again.")
    return Path(next(iter(spec.submodule_search_locations))) / "streamlit_app.py"


@app.command()
def migrate(database: Database = None) -> None:
    """Bring the ledger's schema up to date (the app and every command do so by themselves)."""
    from forecasts.database import schema_revision

    engine = ledger(settings(database))
    out().print(f"The ledger {engine.url!r} has schema {schema_revision(engine)}, the newest.")


@app.command()
def demo(
    serve_: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the app on it afterwards.")
    ] = True,
    port: Port = 8501,
) -> None:
    """Build a demonstration ledger through the whole journey, print what happened, serve it."""
    from forecasts import demonstration

    def say(line: str) -> None:
        out().print(plain(line), soft_wrap=True)

    url = demonstration.build(now=now(), say=say)
    if serve_:
        raise typer.Exit(serve(settings(url), port))
