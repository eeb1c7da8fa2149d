"""The accounts of models, as data and in words."""

from __future__ import annotations

from pydantic import Field

from forecasts.common.text import amount, count
from forecasts.proposals.accounts import Account
from forecasts.scores.shares import FEW, Share
from forecasts.views.view import View


class ModelAccount(View):
    """The account of a model for one kind of proposal."""

    model: str
    kind: str = Field(description="of the proposals wanted")
    calls: int
    answered: int
    unusable: int = Field(description="calls with an answer in another form")
    failed: int = Field(description="calls without an answer that can be read")
    cut_off: int = Field(description="calls that ended before their answer was written")
    tokens: int = Field(description="sent and answered, without those of calls cut off")
    cost: float
    misquoted: int = Field(description="proposals dropped: their quotation is not there")
    dropped: int = Field(description="proposals dropped for another reason")
    proposals: int
    accepted: int = Field(description="as they were")
    changed: int = Field(description="accepted after a change")
    dismissed: int
    open: int
    shown: int = Field(description="forecasts shown, and recorded for the bot if they could be")
    not_shown: int = Field(description="forecasts that are not shown yet")
    no_outcome: int = Field(description="answers without an outcome, such as not_yet")
    annulled: int = Field(description="accepted questions that were annulled or are ambiguous")
    reworded: int = Field(description="accepted questions that were reworded later")
    sources: int = Field(description="articles or questions with a decided proposal")
    taken: float | None = Field(description="share accepted or changed: the mean of `sources`")
    taken_interval: list[float] | None = Field(description="95%, Wilson, of `sources`")
    resolved: int = Field(description="questions with a proposed and a final outcome")
    agreed: float | None = Field(
        description="share of proposed outcomes that are the final one: the mean of `resolved`"
    )
    agreed_interval: list[float] | None = Field(description="95%, Wilson, of `resolved`")
    cost_per_accepted: float | None = Field(
        description="of all its calls, for each accepted or changed proposal"
    )


def model_account(one: Account) -> ModelAccount:
    """Return an account for a document."""
    return ModelAccount.of(
        one,
        sources=one.taken.groups,
        taken=one.taken.mean,
        taken_interval=_interval(one.taken),
        resolved=one.agreed.groups,
        agreed=one.agreed.mean,
        agreed_interval=_interval(one.agreed),
    )


def _interval(of: Share) -> list[float] | None:
    return None if of.interval is None else list(of.interval)


def account_lines(one: ModelAccount) -> list[str]:
    """Return an account in words: its calls, its proposals, and its accepted questions."""
    ends = (
        (one.failed, "failed"),
        (one.unusable, "answered in another form"),
        (one.cut_off, "cut off"),
    )
    used = f"{one.tokens:,} tokens, cost {amount(one.cost)}"
    if one.cost_per_accepted:
        used += f" ({amount(one.cost_per_accepted)} for each accepted proposal)"
    lines = ["; ".join([f"{count(one.calls, 'call')}, {used}", *_said(ends)])]
    decided = (
        (one.accepted, "accepted"),
        (one.changed, "changed"),
        (one.dismissed, "dismissed"),
        (one.open, "open"),
        (one.shown, "shown"),
        (one.not_shown, "not shown yet"),
        (one.no_outcome, "without an outcome"),
    )
    dropped = (
        (one.misquoted, "dropped with a wrong quotation"),
        (one.dropped, "dropped as not usable"),
    )
    made = f"{count(one.proposals, 'proposal')}: {', '.join(_said(decided))}".removesuffix(": ")
    lines.append("; ".join([made, *_said(dropped)]))
    sources = count(one.sources, "article or question", "articles and questions")
    if taken := _share(one.taken, one.taken_interval, one.sources, sources):
        lines.append(f"accepted {taken}")
    questions = count(one.resolved, "question")
    if agreed := _share(one.agreed, one.agreed_interval, one.resolved, questions):
        lines.append(f"agreed with the final outcome {agreed}")
    later = (
        (one.annulled, "annulled or ambiguous"),
        (one.reworded, "reworded later"),
    )
    if said := _said(later):
        lines.append(f"of the accepted questions: {', '.join(said)}")
    return lines


def _share(mean: float | None, interval: list[float] | None, groups: int, of: str) -> str:
    """Return a share in words with its interval and its groups; '' without any."""
    if mean is None or interval is None:
        return ""
    low, high = interval
    few = ", too few to judge" if groups < FEW else ""
    return f"{mean:.0%} (95%: {low:.0%} to {high:.0%}, {of}{few})"


def _said(parts: tuple[tuple[int, str], ...]) -> list[str]:
    return [f"{many:,} {words}" for many, words in parts if many]
