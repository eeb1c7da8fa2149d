"""Write the tables of docs/json.md from the views (``make docs``), so that they cannot differ."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import create_engine

from forecasts.agenda.notifications.channels import ChannelInfo
from forecasts.api.docs_page import fields_of, kind_of
from forecasts.api.server import build
from forecasts.news.feeds import FeedInfo
from forecasts.views.articles import ArticleList, Captured
from forecasts.views.forecasts import NewForecast
from forecasts.views.lint import LintedQuestion
from forecasts.views.members import TeamsAndRoles, Token
from forecasts.views.model_accounts import ModelAccount
from forecasts.views.news import InboxArticle
from forecasts.views.proposals import (
    ModelCall,
    ModelCallText,
    ModelChallenge,
    ModelForecast,
    ModelOutcome,
    ModelSettings,
    Proposal,
    ProposalAboutQuestion,
    Proposals,
)
from forecasts.views.questions import FoundQuestion, SameQuestions, TodaysQuestion, WholeQuestion
from forecasts.views.runs import (
    Claimed,
    FailedRun,
    HealthCheck,
    KeptEvidence,
    Looked,
    ResolverAnswer,
    ResolverKind,
    ResolverRecordView,
    RunStatus,
    RunSummary,
    Verification,
)
from forecasts.views.scores import AttributionRow, CrowdRow, ScoredQuestion, ScoreRow
from forecasts.views.ties import Conditional, Contradictions, QuestionGroup

# The shape that each command prints. Those of reports and comparisons have a JSON Schema.
SHAPES: dict[str, Any] = {
    "today": list[TodaysQuestion],
    "lint-question": list[LintedQuestion],
    "questions": list[FoundQuestion],
    "same": list[SameQuestions],
    "show": WholeQuestion,
    "group show": QuestionGroup,
    "group list": list[QuestionGroup],
    "condition": Conditional,
    "update": NewForecast,
    "withdraw": NewForecast,
    "coherence": Contradictions,
    "inbox": list[InboxArticle],
    "feed list": list[FeedInfo],
    "capture": Captured,
    "articles": ArticleList,
    "articles NUMBER": Captured,
    "draft": Proposals,
    "model show": ModelSettings | None,
    "model forecast": ModelForecast,
    "model reveal": ModelForecast,
    "model outcome": ModelOutcome,
    "model challenge": ModelChallenge,
    "model calls": list[ModelCall],
    "model call": ModelCallText,
    "model accounts": list[ModelAccount],
    "model proposals": list[Proposal | ProposalAboutQuestion],
    "scores": list[ScoredQuestion],
    "score": list[ScoreRow],
    "crowd": list[CrowdRow],
    "attribute": list[AttributionRow],
    "run": Looked | Claimed | RunSummary | FailedRun,
    "run status": RunStatus,
    "resolver kinds": list[ResolverKind],
    "resolver scoreboard": list[ResolverRecordView],
    "resolver try": list[ResolverAnswer],
    "resolver evidence": KeptEvidence,
    "notify list": list[ChannelInfo],
    "team show": TeamsAndRoles,
    "token list": list[Token],
    "verify": Verification,
    "check": list[HealthCheck],
}
MARK = "<!-- made by make docs from forecasts/views -->\n"


def page(written: str) -> str:
    """Return the page with the commands and the fields of their shapes between its marks."""
    adapters = [(name, "serialization", TypeAdapter(shape)) for name, shape in SHAPES.items()]
    of, all_of = TypeAdapter.json_schemas(adapters, ref_template="#/components/schemas/{model}")
    shapes = all_of["$defs"]
    app = build(create_engine("sqlite://"), clock=lambda: datetime.now(UTC))
    explained = app.openapi()["components"]["schemas"]
    for name in shapes.keys() & explained.keys():
        for field, schema in shapes[name].get("properties", {}).items():
            schema.setdefault("description", explained[name]["properties"][field]["description"])
    document = {"components": {"schemas": shapes}}
    names = re.compile(
        rf"\b({'|'.join(name for name in shapes if 'properties' in shapes[name])})\b"
    )

    def linked_to(words: str) -> str:
        return names.sub(lambda found: f"[{found[0]}](#{found[0].lower()})", words)

    commands = "| command | prints |\n|---|---|\n"
    for name in SHAPES:
        said = kind_of(document, of[name, "serialization"])
        commands += f"| `{name}` | {linked_to(said)} |\n"
    listed = ""
    for name, shape in sorted(shapes.items()):
        if "properties" not in shape:
            continue
        about = " ".join(shape.get("description", "").split()).replace("``", "`")
        listed += f"\n### {name}\n\n{about}\n\n| field | type | meaning |\n|---|---|---|\n"
        for field, said, _, meaning in fields_of(document, shape):
            listed += f"| `{field}` | {linked_to(said).replace(' | ', ', ')} | {meaning} |\n"
    before, _, between, _, after = written.split(MARK)
    return MARK.join([before, commands, between, listed, after])


if __name__ == "__main__":
    path = Path(__file__).with_name("json.md")
    path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
