"""The questions as files: one JSON document each, as ``forecasts show --format json`` prints it.

Unlike the formats of ``outgoing`` it is read from the ledger, with earlier wordings, corrected
resolutions and later reasons, which frames do not have.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, func, select

from forecasts.access.roles import member_rights
from forecasts.access.visibility import question_visible, reading_everything
from forecasts.common.json_text import json_text
from forecasts.common.text import count, file_stems
from forecasts.folder.drafts import drafted
from forecasts.ledger.models import Article, Member, Resolver, Team
from forecasts.platforms.written import Written
from forecasts.questions.standing import listing
from forecasts.resolution.assignments import NONE
from forecasts.views.questions import whole_question

FORMAT, TITLE, FILES = "json", "Questions as JSON", "a folder with a JSON file for each question"


def write_question_files(
    session: Session, folder: Path, *, member: Member | None, now: datetime, overwrite: bool = False
) -> Written:
    """Return the files of the questions that the member may see, which are written to the folder.

    An admin and the owner of a personal ledger see everything, as in ``export.exported``. Refused
    if the folder is not empty, unless ``overwrite``.
    """
    everything = member_rights(session, member, now=now).unrestricted
    with (
        reading_everything(session) if everything else nullcontext(),
        drafted(folder, overwrite=overwrite) as draft,
    ):
        states = listing(session, now=now)
        names = [f"{stem}.json" for stem in file_stems([state.slug for state in states])]
        for state, name in zip(states, names, strict=True):
            text = json_text(whole_question(session, state), indent=1)
            (draft / name).write_text(text, encoding="utf-8", newline="\n")
        left_out = _left_out(session)
    return Written([folder / name for name in names], left_out)


def _left_out(session: Session) -> list[str]:
    resolvers = question_visible(session, Resolver.question_id), col(Resolver.kind) != NONE
    counts = {
        "article": session.exec(select(func.count(col(Article.id)))).one(),
        "team": session.exec(select(func.count(col(Team.id)))).one(),
        "resolver": session.exec(select(func.count(col(Resolver.id))).where(*resolvers)).one(),
    }
    return [count(many, noun) for noun, many in counts.items() if many]
