"""Remedies for the command line, in the words of a program's requests or of a model's tools."""

from __future__ import annotations

import re

# A command, and in its place the request and the tool.
_INSTEAD = (
    (
        r"See: forecasts questions\.",
        "GET /api/v1/questions lists the questions.",
        "List the questions with find_questions.",
    ),
    (
        r"See: forecasts articles\.",
        "GET /api/v1/articles lists the articles.",
        "capture_article gives the number of an article.",
    ),
    (
        r"see: forecasts articles (\d+) --text",
        r"see: GET /api/v1/articles/\1",
        "capture_article lists passages to quote",
    ),
    (r"Name them after --between\.", "Name each as between=NAME.", "Give them as names."),
    (r"forecasts propose \S+ OUTCOME", "POST /api/v1/questions/ID/propose", "propose_outcome"),
    (r"forecasts close \S+", "POST /api/v1/questions/ID/close", "a person can, on its page"),
    (
        r"forecasts revise .*",
        "PATCH /api/v1/questions/ID with resolution_criteria",
        "a person can, on its page",
    ),
)


def for_request(remedy: str) -> str:
    """Return the remedy with the request in the place of a command."""
    for command, request, _ in _INSTEAD:
        remedy = re.sub(command, request, remedy)
    return remedy


def for_tool(remedy: str) -> str:
    """Return the remedy with the tool in the place of a command, which a model cannot run."""
    for command, _, tool in _INSTEAD:
        remedy = re.sub(command, tool, remedy)
    return remedy
