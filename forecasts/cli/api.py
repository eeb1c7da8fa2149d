"""The command that serves the API by itself: api."""

from __future__ import annotations

import logging
from typing import Annotated

from typer import Option

from forecasts.access.oidc_settings import is_loopback
from forecasts.cli.console import now, print_note
from forecasts.cli.options import OnLedger
from forecasts.cli.root import app
from forecasts.cli.serve import require_free
from forecasts.cli.session import ledger, settings
from forecasts.common.errors import BadInput
from forecasts.common.extras import missing

_LOOPBACK = "127.0.0.1"


@app.command(cls=OnLedger)
def api(
    port: Annotated[int, Option("--port", min=1, max=65535, help="The port to listen on.")] = 8000,
    host: Annotated[
        str, Option(help="The address to listen on. Any other than this machine's needs --name.")
    ] = _LOOPBACK,
    name: Annotated[
        list[str] | None,
        Option(metavar="HOST", help="A name under which other machines reach it; repeat for more."),
    ] = None,
) -> None:
    """Serve the HTTP API to bots and scripts, each with its token.

    See docs/api.md. The app serves it too, under its own address.
    """
    if not is_loopback(host) and not name:
        raise BadInput(
            f"The API does not listen on the address {host} without a name: requests to other "
            "names are refused.",
            remedy="Add the name under which others reach it: --name forecasts.example.org",
        )
    try:
        import uvicorn

        from forecasts.api.server import build
    except ImportError:
        raise missing("The API", "api") from None
    # Before the MCP library sets up a log of its own, which draws a box around each error.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    require_free(port, host)
    chosen = settings()
    served = build(ledger(chosen, begin=True), clock=now, settings=chosen, hosts=name or ())
    at = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    print_note(f"The API is at {at}/api/v1, its documents at {at}/api/v1/docs (Ctrl+C stops it)")
    # No access log: an operator's proxy has one, and a busy bot would fill it.
    uvicorn.run(
        served, host=host, port=port, log_level="warning", access_log=False, server_header=False
    )
