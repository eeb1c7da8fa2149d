"""Verifications and health checks, as their commands print them in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from forecasts.ledger.receipts import Receipt
from forecasts.ledger.verification import Broken
from forecasts.scores.stored_scores import Compared
from forecasts.views.view import View


class CheckedReceipt(View):
    """A receipt, and what the ledger says of it."""

    finding: str = Field(
        description="proved, altered_receipt, other_ledger, later or altered_ledger; of a ledger "
        "folder proved, altered_receipt, altered_folder or missing"
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
        description="history is intact, the recomputed scores are as stored, and nothing was added"
    )
    digest: str
    entries: int
    rows: Mapping[str, int]
    questions: int
    forgotten: int
    against: int | None
    broken: Broken | None = Field(description="the first fault in history")
    more: tuple[Broken, ...] = Field(description="further faults")
    added: tuple[str, ...] = Field(description="objects that are not of the ledger's schema")
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
