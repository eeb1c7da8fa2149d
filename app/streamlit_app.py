"""The app's server: ``streamlit run app/streamlit_app.py``, or ``forecasts app``.

It holds routes and middleware, and refuses unsafe settings. Each visit runs ``navigation.py``.
"""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.session import keep_out_of_log, settings, went_wrong
from app.web import routes
from app.web.housekeeping import housekeeping
from app.web.middleware import Gate
from app.web.previews import Heads
from forecasts.access import oidc_settings
from forecasts.cli.printing import print_error
from forecasts.common.errors import LedgerError
from forecasts.common.limits import limit_memory
from forecasts.common.web_headers import WebHeaders


def _signs_in() -> oidc_settings.SignIn | None:
    """Return the sign-in settings; exit if serving the app with them is unsafe."""
    try:
        chosen = oidc_settings.configured_sign_in()
        oidc_settings.require_safe_address(st.get_option("server.address"), chosen)
    except LedgerError as error:
        print_error(error)
        raise SystemExit(error.exit_code) from None
    return chosen


async def look_at_root(_: Request) -> Response:
    """Return an answer that sends a page on to the server's root.

    A page opened by its address first looks for the server below that address. Any answer but a
    success makes it try the root; 300, because browsers log a 404 as an error.
    """
    return Response(status_code=300)


if (most := settings().memory_gb) is not None:
    limit_memory(most)
keep_out_of_log()
signs_in = _signs_in()
app = st.App(
    "navigation.py",
    lifespan=housekeeping,
    secrets={} if signs_in is None else {"auth": signs_in.for_streamlit()},
    middleware=[
        Middleware(WebHeaders, headers=routes.page_headers()),
        *(Middleware(one, sign_in=signs_in) for one in (Gate, routes.Api, Heads)),
    ],
    routes=[
        Route("/calendar/{name}", routes.calendar),
        Route("/health", routes.health().answer),
        *(Route(f"/{name}", routes.file) for name in routes.FILES),
        *(Route(f"/{{page}}/_stcore/{name}", look_at_root) for name in ("health", "host-config")),
    ],
    on_script_error=went_wrong,
)
