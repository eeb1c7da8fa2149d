"""Problems of requests (RFC 9457), and the results of a batch, whose rows may have one."""

from __future__ import annotations

from pydantic import Field

from forecasts.common.errors import Problem
from forecasts.ledger.receipts import Receipt
from forecasts.views.view import View


class ProblemDocument(View):
    """An error (RFC 9457): its kind, the sentence, and the remedy."""

    title: str
    code: str = Field(
        description="for programs: `not_open`, `closed` or `resolved` (the question takes no "
        "forecasts), `no_forecast` (there is none to withdraw), `key_reused` (the Idempotency-Key "
        "came with another request); otherwise the title with `_` for each space"
    )
    status: int
    detail: str
    remedy: str
    problems: list[Problem]


class BatchRow(View):
    """The result of one forecast of a batch: its number and receipt, or its refusal."""

    number: int | None = None
    receipt: Receipt | None = None
    problem: ProblemDocument | None = None


class BatchResult(View):
    """The results of a batch, in its order."""

    accepted: int
    refused: int
    results: list[BatchRow]
