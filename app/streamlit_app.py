"""The app's server: ``streamlit run app/streamlit_app.py``, or ``forecasts app``.

What runs for each visit stands in ``navigation.py``; routes and middleware have their place here.
"""

from __future__ import annotations

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.session import went_wrong


async def elsewhere(_: Request) -> Response:
    """Return the answer to a page that looks for the server below its own address.

    A page that was opened by its address does so before it looks at the root, and any answer but
    a success sends it on. 300, since a browser reports a 404 as though something were broken.
    """
    return Response(status_code=300)


app = st.App(
    "navigation.py",
    routes=[Route(f"/{{page}}/_stcore/{name}", elsewhere) for name in ("health", "host-config")],
    on_script_error=went_wrong,
)
