"""People who read and update at the same time, each over a connection like a browser's.

Everyone opens a question, reads, enters a probability and a reason, saves, and reads again. They
send the messages of a browser (a request for the page, then each click over a socket, with the
contents of the fields), wait for the end of the run it starts, and find fields and buttons by their
labels. So 25 of them load the server and hardly anything else.

Rejected: a Chromium tab each. On two processors 25 tabs use everything: a click took 41 s instead
of 1.0 s, whatever the server did.
"""

from __future__ import annotations

import asyncio
import random
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any
from uuid import uuid4

import httpx
from sqlmodel import select
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState, ContextInfo
from streamlit.proto.Common_pb2 import FileUploaderState, FileURLsRequest, UploadedFileInfo
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from forecasts.ledger import database
from forecasts.ledger.models import Forecast

OF_ONE_SESSION = 2.0
SESSIONS, SECONDS = 25, 120
LOOKS_S = (4.0, 12.0)  # seconds that a person reads before the next click
PATIENCE_S = 60  # seconds after which an interaction counts as broken
XSRF = "_streamlit_xsrf"
SAVES = re.compile("^(Save|Forecast|Update)")


class Broke(Exception):
    """A failure that a person would see."""


@dataclass
class Tab:
    """An open page: its content, and the values entered in its fields.

    ``query`` is the address after the question mark; the server says which page it shows.
    """

    socket: ClientConnection
    query: str
    page: str = ""
    session: str = ""
    shown: dict[tuple[int, ...], Delta] = field(default_factory=dict)
    entered: dict[str, str] = field(default_factory=dict)
    uploaded: dict[str, FileUploaderState] = field(default_factory=dict)
    confirmed: list[str] = field(default_factory=list)
    # Large messages are cached for some runs, so that the server need not send them again.
    kept: dict[str, tuple[int, ForwardMsg]] = field(default_factory=dict)
    kept_for: int = 0
    runs: int = 0

    async def run(self, *, name: str = "", fragment: str = "", pressed: str = "") -> None:
        """Request a run and receive its content to the end; raises Broke if it fails.

        ``name`` is the page's, before the server has confirmed it. ``fragment`` limits the run to
        one part. ``pressed`` is the button.
        """
        states = [WidgetState(id=at, string_value=value) for at, value in self.entered.items()]
        states += [
            WidgetState(id=at, file_uploader_state_value=state)
            for at, state in self.uploaded.items()
        ]
        if pressed:
            states.append(WidgetState(id=pressed, trigger_value=True))
        asks = ClientState(
            query_string=self.query,
            widget_states=WidgetStates(widgets=states),
            page_script_hash=self.page,
            page_name=name,
            fragment_id=fragment,
            cached_message_hashes=list(self.kept),
            context_info=ContextInfo(timezone="Etc/UTC", locale="en-GB"),
        )
        self.confirmed.clear()
        await self.socket.send(BackMsg(rerun_script=asks).SerializeToString())
        while not self._ends(self._whole(ForwardMsg.FromString(await self.socket.recv()))):
            pass

    def _whole(self, message: ForwardMsg) -> ForwardMsg:
        """Return the message, or the cached one that it refers to, at its new place."""
        if message.WhichOneof("type") == "ref_hash":
            whole = ForwardMsg()
            whole.CopyFrom(self.kept[message.ref_hash][1])
            whole.metadata.CopyFrom(message.metadata)
            return whole
        if message.metadata.cacheable:
            self.kept.setdefault(message.hash, (self.runs, message))
        return message

    def _ends(self, message: ForwardMsg) -> bool:
        """Process a message; return whether it ends the run."""
        what = message.WhichOneof("type")
        if what == "new_session":
            self.session = message.new_session.initialize.session_id
            self.page = message.new_session.page_script_hash
            self.kept_for = message.new_session.config.max_cached_message_age
            self._clear(set(message.metadata.run.fragment_ids))
        elif what == "navigation":
            self.page = message.navigation.page_script_hash
        elif what == "delta":
            self._show(tuple(message.metadata.delta_path), message.delta)
        elif what in ("page_not_found", "session_event"):
            raise Broke(str(message))
        elif what == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                raise Broke("The script did not compile.")
            if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                self._forget()
                return True
        return False

    def _clear(self, fragments: set[str]) -> None:
        """Remove the content that the run replaces: all of it, or those fragments."""
        self.shown = {
            at: delta
            for at, delta in self.shown.items()
            if fragments and delta.fragment_id not in fragments
        }

    def _show(self, at: tuple[int, ...], delta: Delta) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        what = element.WhichOneof("type")
        if what == "exception":
            raise Broke(f"{element.exception.type}: {element.exception.message}")
        if what == "alert" and element.alert.format == Alert.ERROR:
            raise Broke(element.alert.body)
        if what == "markdown" and element.markdown.body.startswith("Saved"):
            self.confirmed.append(element.markdown.body)
        self.shown[at] = delta

    def _forget(self) -> None:
        """Drop the messages that a browser drops after a run."""
        self.runs += 1
        self.kept = {
            name: (since, message)
            for name, (since, message) in self.kept.items()
            if self.runs - since <= self.kept_for
        }
        ids = {inner.id for _, inner, _ in self._labelled()}
        self.entered = {at: value for at, value in self.entered.items() if at in ids}

    def _labelled(self) -> Iterator[tuple[str, Any, str]]:
        """Yield the labelled widgets: kind, element, fragment."""
        for _, delta in sorted(self.shown.items()):
            kind = delta.new_element.WhichOneof("type")
            inner = None if kind is None else getattr(delta.new_element, kind)
            if kind and hasattr(inner, "label") and hasattr(inner, "id"):
                yield kind, inner, delta.fragment_id

    def _find(self, kinds: Sequence[str], label: re.Pattern[str]) -> tuple[Any, str]:
        for kind, inner, fragment in self._labelled():
            if kind in kinds and label.search(inner.label):
                return inner, fragment
        raise Broke(f"No {' or '.join(kinds)} has the label {label.pattern!r}.")

    async def enter(self, label: str, value: str) -> None:
        """Enter text into a field; outside a form this starts a run."""
        inner, fragment = self._find(("text_input", "text_area"), re.compile(f"^{label}$"))
        self.entered[inner.id] = value
        if not inner.form_id:
            await self.run(fragment=fragment)

    async def upload(self, client: httpx.AsyncClient, name: str, content: bytes) -> None:
        """Put a file into the page's uploader, as a browser does."""
        inner, _ = self._find(("file_uploader",), re.compile(""))
        asked = FileURLsRequest(request_id=name, file_names=[name], session_id=self.session)
        await self.socket.send(BackMsg(file_urls_request=asked).SerializeToString())
        while True:
            message = ForwardMsg.FromString(await self.socket.recv())
            if message.WhichOneof("type") == "file_urls_response":
                break
        [urls] = message.file_urls_response.file_urls
        token = client.cookies.get(XSRF) or ""
        sent = await client.put(
            urls.upload_url, files={"file": (name, content)}, headers={"X-Xsrftoken": token}
        )
        sent.raise_for_status()
        file = UploadedFileInfo(name=name, size=len(content), file_id=urls.file_id, file_urls=urls)
        self.uploaded[inner.id] = FileUploaderState(uploaded_file_info=[file])

    async def press(self, label: re.Pattern[str]) -> None:
        """Press a button."""
        inner, fragment = self._find(("button",), label)
        await self.run(fragment=fragment, pressed=inner.id)


@asynccontextmanager
async def connected(client: httpx.AsyncClient, page: str, query: str) -> AsyncIterator[Tab]:
    """Yield a page, before its first run, once its socket is open."""
    (await client.get(f"/{page}?{query}")).raise_for_status()
    (await client.get("/_stcore/health")).raise_for_status()
    (await client.get("/_stcore/host-config")).raise_for_status()
    token = client.cookies.get(XSRF)
    base = str(client.base_url).rstrip("/")
    async with connect(
        f"{base.replace('http', 'ws', 1)}/_stcore/stream",
        origin=Origin(base),
        subprotocols=[Subprotocol("streamlit"), Subprotocol(token or "PLACEHOLDER_AUTH_TOKEN")],
        additional_headers={"Cookie": f"{XSRF}={token}"} if token else {},
        open_timeout=PATIENCE_S,
        max_size=None,
        proxy=None,
    ) as socket:
        yield Tab(socket, query)


@dataclass
class Session:
    """One person's session: seconds of each interaction, updates stored, failures."""

    opened: list[float] = field(default_factory=list)
    entered: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    broke: list[str] = field(default_factory=list)

    @property
    def taken(self) -> list[float]:
        """The seconds of all interactions."""
        return [*self.opened, *self.entered, *self.saved]


async def timed(action: Awaitable[None], taken: list[float], began: float | None = None) -> None:
    """Record the seconds of an action; raises TimeoutError after ``PATIENCE_S``."""
    began = time.perf_counter() if began is None else began
    async with asyncio.timeout(PATIENCE_S):
        await action
    taken.append(time.perf_counter() - began)


async def person(
    client: httpx.AsyncClient, slugs: list[str], number: int, seconds: float, reason: str
) -> Session:
    """Return the session of a person who reads and updates for that long."""
    random_ = random.Random(number)
    session = Session()
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        try:
            query = f"slug={random_.choice(slugs)}"
            async with connected(client, "question", query) as tab:
                await timed(tab.run(name="question"), session.opened, began)
                await asyncio.sleep(random_.uniform(*LOOKS_S))
                percent = f"{random_.randint(1, 99)}%"
                await timed(tab.enter("Probability", percent), session.entered)
                rationale = f"{reason} {number}.{len(session.stored)}"
                await tab.enter("Reason", rationale)
                await timed(tab.press(SAVES), session.saved)
                if not tab.confirmed:
                    raise Broke(f"{rationale} was not acknowledged.")
                session.stored.append(rationale)
                await asyncio.sleep(random_.uniform(*LOOKS_S))
        except Exception as error:
            session.broke.append(f"{number}: {type(error).__name__}: {error}")
            await asyncio.sleep(random_.uniform(*LOOKS_S))
    return session


async def people(
    base: str, slugs: list[str], many: int, seconds: float, reason: str
) -> tuple[list[Session], float]:
    """Return the sessions of so many people at once, and their share of a processor."""
    busy, began = time.process_time(), time.perf_counter()
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, trust_env=False) as client:
        sessions = await asyncio.gather(
            *(person(client, slugs, number, seconds, reason) for number in range(many))
        )
    return list(sessions), (time.process_time() - busy) / (time.perf_counter() - began)


def run_people(
    base: str, slugs: list[str], many: int, seconds: float, reason: str
) -> tuple[list[Session], float]:
    """Return the result of ``people``; runs in a process of its own."""
    return asyncio.run(people(base, slugs, many, seconds, reason))


def measure_people(base: str, url: str, slugs: list[str], seconds: float) -> bool:
    """Print the time of a click for one person and for 25 at once, and whether all is stored."""
    # Unique, because a ledger that is measured twice has the earlier updates.
    reason = uuid4().hex
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        (alone, _), (at_once, share) = (
            process.submit(run_people, base, slugs, many, seconds, f"{reason} {many}").result()
            for many in (1, SESSIONS)
        )
    broke = [line for session in (*alone, *at_once) for line in session.broke]
    print("\n".join(broke[:10]), file=sys.stderr)
    one, many = (median_and_p95(sessions, "taken") for sessions in (alone, at_once))
    acknowledged = [update for session in (*alone, *at_once) for update in session.stored]
    engine = database.open_engine(url)
    with database.reading(engine) as session:
        kept = set(session.exec(select(Forecast.rationale).where(Forecast.rationale != "")).all())
    engine.dispose()
    lost = [update for update in acknowledged if update not in kept]
    met = many[0] <= OF_ONE_SESSION * one[0] and not lost and not broke
    print(
        f"{SESSIONS} people at once for {seconds:.0f} s, {len(acknowledged)} updates: median click "
        f"{many[0]:.0f} ms, alone {one[0]:.0f} ms: {many[0] / one[0]:.2f} (at most "
        f"{OF_ONE_SESSION:g}); 95th percentile {many[1]:.0f} ms, alone {one[1]:.0f} ms; "
        f"lost {len(lost)}, errors {len(broke)}: {'met' if met else 'missed'}"
    )
    for what in ("opened", "entered", "saved"):
        one, many = (median_and_p95(sessions, what) for sessions in (alone, at_once))
        print(
            f"{what}: median {many[0]:.0f} ms, 95th percentile {many[1]:.0f} ms; "
            f"alone {one[0]:.0f} and {one[1]:.0f} ms"
        )
    print(f"the simulated people took {share:.0%} of a processor")
    return met


def median_and_p95(sessions: list[Session], what: str) -> tuple[float, float]:
    """Return the median and 95th percentile of these interactions, in milliseconds."""
    taken = [1000 * seconds for session in sessions for seconds in getattr(session, what)]
    return statistics.median(taken), statistics.quantiles(taken, n=20, method="inclusive")[-1]
