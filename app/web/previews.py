"""The head of each page as the server sends it: the name, the icons, and a link's preview.

A chat or a search engine that follows a link does not sign in and runs no script. It learns the
product's name alone, unless FORECASTS_PUBLIC_PREVIEWS declares that the questions which everyone
may see are public. Then it learns what a stranger may see of them: never a hidden crowd, and
nothing of a restricted question, not even that it exists.
"""

from __future__ import annotations

import asyncio
import gzip
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from html import escape
from urllib.parse import parse_qs, quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.routes import engine_of
from forecasts.access import visibility
from forecasts.access.oidc_settings import SignIn
from forecasts.common.errors import LedgerError
from forecasts.common.settings import current_settings
from forecasts.ledger import database
from forecasts.ledger.clock import ledger_clock
from forecasts.questions import registry, standing, trends
from forecasts.questions.standing import Status
from forecasts.values.value import format_probability

NAME = "Forecast Ledger"
PATIENCE = 2.0  # seconds that a slow ledger has to answer about a question
_readers = ThreadPoolExecutor(4)  # separate threads: an outage keeps no other request waiting
_STREAMLIT = b"<title>Streamlit</title>"
_ICONS = (
    '<link rel="manifest" href="/app.webmanifest">',
    '<link rel="apple-touch-icon" href="/app-icon.png">',
)


class Heads:
    """The middleware that gives each page its head."""

    def __init__(self, app: ASGIApp, sign_in: SignIn | None) -> None:
        self._app, self._sign_in = app, sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; a page comes back with its head."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        page, started = bytearray(), list[Message]()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                started.append(message)
            elif not started:
                await send(message)
            else:
                page.extend(message.get("body", b""))
                if not message.get("more_body"):
                    head = await self._head(Request(scope))
                    headers = MutableHeaders(scope=started[0])
                    is_zipped = headers.get("content-encoding") == "gzip"
                    body = gzip.decompress(page) if is_zipped else bytes(page)
                    body = body.replace(_STREAMLIT, head.encode(), 1)
                    for name in ("content-encoding", "etag", "last-modified"):  # of the file
                        del headers[name]
                    headers["content-length"] = str(len(body))
                    await send(started[0])
                    await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, answer)

    async def _head(self, request: Request) -> str:
        title, metas = NAME, {"og:title": NAME, "og:type": "website", "og:site_name": NAME}
        slug = parse_qs(request.url.query).get("slug", [""])[0]
        if slug and request.url.path == "/question" and current_settings().public_previews:
            base = request.base_url if self._sign_in is None else f"{self._sign_in.base}/"
            with suppress(LedgerError, TimeoutError):
                reading = asyncio.get_running_loop().run_in_executor(_readers, preview, slug)
                question, described = await asyncio.wait_for(reading, PATIENCE)
                title = f"{question} · {NAME}"
                metas |= {"og:title": question, "og:description": described}
                metas |= {"og:url": f"{base}question?slug={quote(slug, safe='')}"}
                metas |= {"description": described}
        return "\n".join(
            [
                f"<title>{escape(title)}</title>",
                *(
                    f'<meta {"property" if ":" in name else "name"}="{name}" '
                    f'content="{escape(value)}">'
                    for name, value in metas.items()
                ),
                *_ICONS,
            ]
        )


def preview(slug: str) -> tuple[str, str]:
    """Return a question's title and state, with the crowd if a stranger may see it.

    NotFound for a question that not everyone may see.
    """
    engine = engine_of(current_settings().database_url)
    now = ledger_clock(engine, lambda: datetime.now(UTC))()
    with database.reading(engine) as ledger, visibility.reading_publicly(ledger, now=now):
        state = standing.current_state(ledger, registry.find(ledger, slug), now=now)
        trend = trends.trends(ledger, [state], now=now, points=1).get(state.id)
    text = state.text
    if state.resolution is not None and state.status is Status.resolved:
        said = [f"Resolved: {state.resolution.outcome}."]
    elif state.accepts_forecasts(now):
        said = [f"Open until {text.close_time:%-d %B %Y}."]
    else:
        said = [f"{str(state.status).capitalize()}."]
    if trend is not None and trend.forecasters > 1 and (last := trend.points[-1]) is not None:
        said.append(f"Crowd of {trend.forecasters:,}: {format_probability(last)}.")
    return text.title, " ".join(said)


def _is_page(message: Message) -> bool:
    kind = MutableHeaders(scope=message).get("content-type", "")
    return message["status"] == 200 and kind.startswith("text/html")
