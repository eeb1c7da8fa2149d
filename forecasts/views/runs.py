"""Runs, resolvers, verifications and health checks, as their commands print them in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from forecasts.common.text import count
from forecasts.ledger.receipts import Receipt
from forecasts.ledger.verification import Broken
from forecasts.resolution.progress import Check, Done, Due, Parked
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.scoreboard import ResolverRecord
from forecasts.scores.shares import FEW
from forecasts.scores.stored_scores import Compared
from forecasts.views.view import View


class Looked(View):
    """A question's result in a run."""

    event: Literal["looked"] = "looked"
    question: str
    state: str
    message: str


class Claimed(View):
    """A question claimed by another run, or left claimed by a killed one."""

    event: Literal["claimed"] = "claimed"
    question: str
    until: datetime


class RunSummary(View):
    """The end of a run: how many questions were due, and how many had each result."""

    event: Literal["summary"] = "summary"
    due: int
    confirmed: int
    proposed: int
    not_yet: int
    failed: int
    parked: int
    waiting: int | None = Field(description="those that need a person; null after an error")
    left_to_others: dict[str, int] = Field(
        description="number of resolvers that this process cannot ask, by the reason"
    )
    dry_run: bool


class FailedRun(RunSummary):
    """The end of a run that an error stopped."""

    error: str


class OpenProposal(View):
    """An outcome that awaits a decision."""

    slug: str
    outcome: str
    since: datetime


class OpenDispute(View):
    """A disputed outcome."""

    slug: str
    reason: str
    since: datetime


class RunStatus(View):
    """The questions that runs watch, and those that need a person."""

    watched: int
    done: list[Done]
    checked: list[Check]
    parked: list[Parked]
    next: list[Due]
    proposed: list[OpenProposal]
    disputed: list[OpenDispute]
    disagreements: dict[str, str] = Field(
        description="for a question's ID, the outcomes that its resolvers propose, if they differ"
    )
    notices_unsure: int
    last_run: datetime | None
    next_run: datetime | None = Field(description="null unless the last two runs show an interval")
    run_every_minutes: int | None = Field(description="null if `next_run` is")


class ResolverSetting(View):
    """A setting of a kind of resolver."""

    name: str
    description: str
    required: bool
    default: Any


class ResolverKind(View):
    """A kind of resolver."""

    kind: str
    description: str
    only_proposes: bool
    is_model: bool = Field(description="counts in a quorum only, all models as one, beside another")
    settings: list[ResolverSetting]


class ResolverRecordView(View):
    """The record of a kind of resolver on a type of question, over resolved questions."""

    kind: str
    type: str
    questions: int = Field(description="questions on which it found an outcome")
    families: int = Field(description="families of those that a person decided")
    agreed: float | None = Field(
        description="share of these families whose outcome was its first finding"
    )
    agreed_interval: list[float] | None = Field(description="95%, Wilson, of `families`")
    unreviewed: int = Field(description="questions confirmed by a run, and by no person")
    cancelled: int = Field(description="annulled or ambiguous questions")
    abstained: int = Field(description="those on which it gave no other outcome")
    too_early: int = Field(description="findings from before the outcome was known")
    not_yet: int = Field(description="lookups without an outcome so far")
    reversed: int = Field(description="questions on which it changed its outcome")
    found_again: int = Field(description="those on which its last outcome is the final one")


def record_line(one: ResolverRecord) -> str:
    """Return a resolver kind's record in words, for the command and the page."""
    if one.agreed is None or one.agreed_interval is None:
        said = ["no finding that a person has checked"]
    else:
        low, high = one.agreed_interval
        rate = f"right in {one.agreed:.0%} of {count(one.families, 'family', 'families')}"
        said = [f"{rate} (95%: {low:.0%} to {high:.0%})"]
        if one.families < FEW:
            said[0] += ", too few to judge"
    parts = (
        (one.unreviewed, "confirmed by a run and never checked"),
        (one.reversed, f"changed after a correction, {one.found_again} rightly"),
        (one.cancelled, f"cancelled, with no outcome given on {one.abstained}"),
        (one.too_early, "found too early"),
        (one.not_yet, "lookups without an outcome so far"),
    )
    return "; ".join([*said, *(f"{many:,} {words}" for many, words in parts if many)])


class SeenDocument(View):
    """A document that a resolver read."""

    address: str
    size: int = Field(description="bytes")
    sha256: str


class ResolverAnswer(View):
    """The answer of a resolver."""

    kind: str
    message: str = Field(description="the reason, if there is no outcome")
    outcome: str | None
    known_at: datetime | None
    source: str
    note: str
    seen: list[SeenDocument]


def resolver_answer(kind: str, found: Finding | None, message: str) -> ResolverAnswer:
    """Return a resolver's answer, with or without an outcome."""
    if found is None:
        blank = {"outcome": None, "known_at": None, "source": "", "note": ""}
        return ResolverAnswer(kind=kind, message=message, **blank, seen=[])
    seen = [SeenDocument.of(one, size=len(one.content)) for one in found.seen]
    return ResolverAnswer.of(found, kind=kind, message=message, seen=seen)


class KeptDocument(SeenDocument):
    """A document behind a resolver's finding."""

    at: datetime
    kept: bool = Field(description="false if it is too large to keep")


class KeptEvidence(View):
    """The evidence behind the findings on a question, and the files that it was saved to."""

    evidence: list[KeptDocument]
    files: list[str]


class CheckedReceipt(View):
    """A receipt, and the finding of its check."""

    finding: str = Field(
        description="proved, altered_receipt, other_ledger, later or altered_ledger; with "
        "`--proofs` proved, altered_receipt, other_ledger, altered_folder or missing"
    )
    said: str
    receipt: Receipt


class CheckedReceipts(View):
    """The receipts of `--receipt`."""

    receipts: list[CheckedReceipt]


class CheckedStamp(View):
    """A stamp in the ledger's folder of proofs."""

    digest: str
    at: datetime | None
    authority: str
    fault: str = Field(description="why it proves nothing, or blank")


class Verification(CheckedReceipts):
    """The result of a verification."""

    whole: bool = Field(
        description="history and its protection are intact, and what follows from it as stored"
    )
    digest: str
    entries: int
    rows: Mapping[str, int]
    questions: int
    forgotten: int
    against: int | None
    broken: Broken | None = Field(description="the first fault in history")
    more: tuple[Broken, ...] = Field(description="further faults")
    weakened: tuple[str, ...] = Field(
        description="differences from the ledger's schema that weaken its protection"
    )
    added: tuple[str, ...] = Field(description="other objects than the ledger's, which do no harm")
    derived: tuple[str, ...] = Field(description="rows for lists that history does not give")
    scores: Compared | None = Field(
        description="`altered` has a clause for each score that differs; `of` counts the "
        "resolutions with scores"
    )
    stamps: list[CheckedStamp]


class HealthCheck(View):
    """A check of the ledger."""

    check: str
    passed: bool
    result: str
    remedy: str = Field(description="blank if it passed")
