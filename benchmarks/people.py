"""People who read and update at once, each over a connection such as a browser has to the server.

Everybody opens a question, looks, enters a probability and a reason, saves them, and looks. They
send what a browser sends (the page is asked for, then each click over a socket, with what stands in
the fields), wait until the run that it started is over, and find fields and buttons by what is
written on them. So 25 of them keep the server busy and hardly anything else.

Rejected: a tab of Chromium each. On two processors 25 tabs take all there is: a click took 41 s
instead of 1.0 s, whatever the server did.
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
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from forecasts.ledger import database
from forecasts.ledger.models import Forecast

OF_ONE_SESSION = 2.0
SESSIONS, SECONDS = 25, 120
LOOKS_S = (4.0, 12.0)  # how long a person reads before the next click
PATIENCE_S = 60  # that an interaction may take before it counts as broken
XSRF = "_streamlit_xsrf"
SAVES = re.compile("^(Save|Forecast|Update)")


class Broke(Exception):
    """Something that a person would have seen go wrong."""


@dataclass
class Tab:
    """A page that is open: what it shows, and what has been entered in its fields.

    ``query``: the address after its question mark; the server says which page it shows.
    """

    socket: ClientConnection
    query: str
    page: str = ""
    shown: dict[tuple[int, ...], Delta] = field(default_factory=dict)
    entered: dict[str, str] = field(default_factory=dict)
    toasts: list[str] = field(default_factory=list)
    # What is large is kept for some runs, so that the server need not send it again.
    kept: dict[str, tuple[int, ForwardMsg]] = field(default_factory=dict)
    kept_for: int = 0
    runs: int = 0

    async def run(self, *, name: str = "", fragment: str = "", pressed: str = "") -> None:
        """Ask for a run and take in what it shows, to its end; Broke where it fails.

        ``name``: of the page, before the server has said which it is. ``fragment``: the part that
        runs, else all. ``pressed``: the button.
        """
        states = [WidgetState(id=at, string_value=said) for at, said in self.entered.items()]
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
        self.toasts.clear()
        await self.socket.send(BackMsg(rerun_script=asks).SerializeToString())
        while not self._ends(self._whole(ForwardMsg.FromString(await self.socket.recv()))):
            pass

    def _whole(self, message: ForwardMsg) -> ForwardMsg:
        """Return the message, or the one from before that it refers to, at its new place."""
        if message.WhichOneof("type") == "ref_hash":
            whole = ForwardMsg()
            whole.CopyFrom(self.kept[message.ref_hash][1])
            whole.metadata.CopyFrom(message.metadata)
            return whole
        if message.metadata.cacheable:
            self.kept.setdefault(message.hash, (self.runs, message))
        return message

    def _ends(self, message: ForwardMsg) -> bool:
        """Take in a message; return whether the run is over with it."""
        what = message.WhichOneof("type")
        if what == "new_session":
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
        """Take away what the run that begins shows anew: all, or those parts of it."""
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
        if what == "toast":
            self.toasts.append(element.toast.body)
        self.shown[at] = delta

    def _forget(self) -> None:
        """Let go of what a browser lets go of after a run."""
        self.runs += 1
        self.kept = {
            name: (since, message)
            for name, (since, message) in self.kept.items()
            if self.runs - since <= self.kept_for
        }
        ids = {inner.id for _, inner, _ in self._labelled()}
        self.entered = {at: said for at, said in self.entered.items() if at in ids}

    def _labelled(self) -> Iterator[tuple[str, Any, str]]:
        """Yield what is shown that has a label and can be used: its kind, itself, what it runs."""
        for _, delta in sorted(self.shown.items()):
            kind = delta.new_element.WhichOneof("type")
            inner = None if kind is None else getattr(delta.new_element, kind)
            if kind and hasattr(inner, "label") and hasattr(inner, "id"):
                yield kind, inner, delta.fragment_id

    def _find(self, kinds: Sequence[str], label: re.Pattern[str]) -> tuple[Any, str]:
        for kind, inner, fragment in self._labelled():
            if kind in kinds and label.search(inner.label):
                return inner, fragment
        raise Broke(f"No {' or '.join(kinds)} is shown that is labelled {label.pattern!r}.")

    async def enter(self, label: str, said: str) -> None:
        """Put words into a field; what is not part of a form is run by that."""
        inner, fragment = self._find(("text_input", "text_area"), re.compile(f"^{label}$"))
        self.entered[inner.id] = said
        if not inner.form_id:
            await self.run(fragment=fragment)

    async def press(self, label: re.Pattern[str]) -> None:
        """Press a button."""
        inner, fragment = self._find(("button",), label)
        await self.run(fragment=fragment, pressed=inner.id)


@asynccontextmanager
async def connected(client: httpx.AsyncClient, page: str, query: str) -> AsyncIterator[Tab]:
    """Yield a page that is about to be run, as soon as its socket is open."""
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
class Sat:
    """What one person at a screen saw: how long each click took, what was stored, what broke."""

    opened: list[float] = field(default_factory=list)
    entered: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    broke: list[str] = field(default_factory=list)

    @property
    def taken(self) -> list[float]:
        """Return the seconds of every interaction."""
        return [*self.opened, *self.entered, *self.saved]


async def timed(doing: Awaitable[None], taken: list[float], began: float | None = None) -> None:
    """Note how many seconds that takes; TimeoutError where it is more than a person would wait."""
    began = time.perf_counter() if began is None else began
    async with asyncio.timeout(PATIENCE_S):
        await doing
    taken.append(time.perf_counter() - began)


async def person(
    client: httpx.AsyncClient, slugs: list[str], number: int, seconds: float, reason: str
) -> Sat:
    """Return what a person saw who read and updated for so long: a look, a click, a look."""
    random_ = random.Random(number)
    sat = Sat()
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        try:
            query = f"slug={random_.choice(slugs)}"
            async with connected(client, "question", query) as tab:
                await timed(tab.run(name="question"), sat.opened, began)
                await asyncio.sleep(random_.uniform(*LOOKS_S))
                percent = f"{random_.randint(1, 99)}%"
                await timed(tab.enter("Probability", percent), sat.entered)
                said = f"{reason} {number}.{len(sat.stored)}"
                await tab.enter("Reason", said)
                await timed(tab.press(SAVES), sat.saved)
                if not tab.toasts:
                    raise Broke(f"Nothing was acknowledged of {said}.")
                sat.stored.append(said)
                await asyncio.sleep(random_.uniform(*LOOKS_S))
        except Exception as error:
            sat.broke.append(f"{number}: {type(error).__name__}: {error}")
            await asyncio.sleep(random_.uniform(*LOOKS_S))
    return sat


async def people(
    base: str, slugs: list[str], many: int, seconds: float, reason: str
) -> tuple[list[Sat], float]:
    """Return what so many people saw who sat there at once, and their share of a processor."""
    busy, began = time.process_time(), time.perf_counter()
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, trust_env=False) as client:
        sat = await asyncio.gather(
            *(person(client, slugs, number, seconds, reason) for number in range(many))
        )
    return list(sat), (time.process_time() - busy) / (time.perf_counter() - began)


def sitting(
    base: str, slugs: list[str], many: int, seconds: float, reason: str
) -> tuple[list[Sat], float]:
    """Return what ``people`` returns; to be called in a process of its own."""
    return asyncio.run(people(base, slugs, many, seconds, reason))


def measure_people(base: str, url: str, slugs: list[str], seconds: float) -> bool:
    """Print how long a click takes for one person and for 25 at once, and whether all is stored."""
    # A ledger that is measured again has what was said before.
    reason = uuid4().hex
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        (alone, _), (at_once, share) = (
            process.submit(sitting, base, slugs, many, seconds, f"{reason} {many}").result()
            for many in (1, SESSIONS)
        )
    broke = [line for sat in (*alone, *at_once) for line in sat.broke]
    print("\n".join(broke[:10]), file=sys.stderr)
    one, many = (_middle_and_slow(sats, "taken") for sats in (alone, at_once))
    told = [said for sat in (*alone, *at_once) for said in sat.stored]
    engine = database.open_engine(url)
    with database.reading(engine) as session:
        kept = set(session.exec(select(Forecast.rationale).where(Forecast.rationale != "")).all())
    engine.dispose()
    lost = [said for said in told if said not in kept]
    met = many[0] <= OF_ONE_SESSION * one[0] and not lost and not broke
    print(
        f"{SESSIONS} people at once for {seconds:.0f} s, {len(told)} updates: median click "
        f"{many[0]:.0f} ms, of one alone {one[0]:.0f} ms: {many[0] / one[0]:.2f} (at most "
        f"{OF_ONE_SESSION:g}); 95th percentile {many[1]:.0f} ms, of one alone {one[1]:.0f} ms; "
        f"lost {len(lost)}, errors {len(broke)}: {'met' if met else 'missed'}"
    )
    for what in ("opened", "entered", "saved"):
        one, many = (_middle_and_slow(sats, what) for sats in (alone, at_once))
        print(
            f"{what}: median {many[0]:.0f} ms, 95th percentile {many[1]:.0f} ms; "
            f"alone {one[0]:.0f} and {one[1]:.0f} ms"
        )
    print(f"the people themselves took {share:.0%} of a processor")
    return met


def _middle_and_slow(sats: list[Sat], what: str) -> tuple[float, float]:
    """Return the median of such interactions, and their 95th percentile, in milliseconds."""
    taken = [1000 * seconds for sat in sats for seconds in getattr(sat, what)]
    return statistics.median(taken), statistics.quantiles(taken, n=20, method="inclusive")[-1]
