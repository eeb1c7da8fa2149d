"""The web app manifest: phones and browsers that install the app can share pages with it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
    '<rect width="100" height="100" rx="20" fill="#00629b"/>'
    '<g fill="none" stroke="#fff" stroke-width="8"><circle cx="50" cy="50" r="32"/>'
    '<circle cx="50" cy="50" r="14"/></g></svg>'
)
_MANIFEST = {
    "name": "Forecast Ledger",
    "short_name": "Forecasts",
    "start_url": "/",
    "display": "minimal-ui",
    "background_color": "#ffffff",
    "theme_color": "#00629b",
    "icons": [{"src": "/app-icon.svg", "sizes": "any", "type": "image/svg+xml"}],
    # Articles reads these parameters, from here as from the bookmarklet.
    "share_target": {
        "action": "/articles",
        "method": "GET",
        "params": {"title": "title", "text": "text", "url": "url"},
    },
}


async def manifest(_: Request) -> Response:
    """Return the manifest."""
    return JSONResponse(_MANIFEST, media_type="application/manifest+json")


async def icon(_: Request) -> Response:
    """Return the icon that the manifest names."""
    return Response(_ICON, media_type="image/svg+xml")
