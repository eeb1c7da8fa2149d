"""The app's server: ``streamlit run app/streamlit_app.py``, or ``forecasts app``.

What runs for each visit stands in ``navigation.py``; routes and middleware have their place here,
and whether the app may be served at all.
"""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.session import went_wrong
from app.web.calendar_feed import calendar
from app.web.middleware import Gate
from forecasts.access import oidc_settings
from forecasts.cli.console import complain
from forecasts.common.errors import LedgerError


def _signs_in() -> oidc_settings.SignIn | None:
    """Return how people sign in; end the server where it may not be served like this."""
    try:
        chosen = oidc_settings.chosen()
        oidc_settings.require_safe(st.get_option("server.address"), chosen)
    except LedgerError as error:
        complain(error)
        raise SystemExit(error.exit_code) from None
    return chosen


async def elsewhere(_: Request) -> Response:
    """Return the answer to a page that looks for the server below its own address.

    A page that was opened by its address does so before it looks at the root, and any answer but
    a success sends it on. 300, since a browser reports a 404 as though something were broken.
    """
    return Response(status_code=300)


signs_in = _signs_in()
app = st.App(
    "navigation.py",
    secrets={} if signs_in is None else {"auth": signs_in.for_streamlit()},
    middleware=[Middleware(Gate, sign_in=signs_in)],
    routes=[
        Route("/calendar/{name}", calendar),
        *(Route(f"/{{page}}/_stcore/{name}", elsewhere) for name in ("health", "host-config")),
    ],
    on_script_error=went_wrong,
)
