"""Write docs/commands.md, and the tables of docs/teams.md and docs/history.md (``make docs``).

They are generated, so that they cannot differ from ``--help``, the rules and the chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import inspect

from forecasts.access.roles import AUTHOR_ACTIONS, Action
from forecasts.cli.root import loaded
from forecasts.ledger.chain import OUTSIDE, SEALED, STATES, WORDS
from forecasts.ledger.models import Ledger, Role

HEAD = """\
# Commands

For anyone at a terminal. `make docs` generates this page from the commands.

Commands read the ledger named by `--database` or `FORECASTS_DATABASE_URL`, by default the file
in your data folder. Results go to standard output, messages and progress to standard error.

Exit codes: 0: done; 2: the arguments or the input are invalid (the message names place, value and
rule, and nothing was changed); 3: a scheduled run needs a person; 1: any other error.
"""


def page() -> str:
    """Return the text of docs/commands.md."""
    return HEAD + "".join(_sections("", loaded()))


def _sections(before: str, commands: Mapping[str, Any]) -> Iterator[str]:
    """Yield the section of each command, with the full names of a group's commands."""
    for name, command in commands.items():
        if hasattr(command, "commands"):
            if command.invoke_without_command:
                yield _section(before + name, command)
            yield from _sections(f"{before}{name} ", command.commands)
        else:
            yield _section(before + name, command)


def _section(name: str, command: Any) -> str:
    parameters = [p for p in command.params if not getattr(p, "hidden", False)]
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    usage = " ".join(
        (metavar if p.required else f"[{metavar}]")
        for p in arguments
        for metavar in [p.metavar or p.name.upper()]
    )
    lines = [f"\n## forecasts {name}\n", f"\n`forecasts {name} {usage}".rstrip() + "`\n"]
    lines.append(f"\n{' '.join((command.help or '').split())}\n")
    rows = [_row(p) for p in parameters]
    if rows:
        lines += ["\n| argument | meaning |\n|---|---|\n", *rows]
    return "".join(lines)


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
    else:
        name = ", ".join([*parameter.opts, *parameter.secondary_opts])
        if parameter.metavar:
            name += f" {parameter.metavar}"
    meaning = (parameter.help or "").replace("|", "\\|")
    return f"| `{name.replace('|', chr(92) + '|')}` | {meaning} |\n"


MARK = "<!-- made by make docs from forecasts/access/roles.py -->\n"


def roles(page: str) -> str:
    """Return ``page`` with the table of the roles' permissions between its two marks."""
    lines = ["| may | viewer | forecaster | resolver | admin |\n", "|---|---|---|---|---|\n"]
    for action in Action:
        marks = " | ".join("yes" if role.rank >= action.role.rank else "" for role in Role)
        own = " (an author: forecaster)" if action in AUTHOR_ACTIONS else ""
        lines.append(f"| {action}{own} | {marks} |\n")
    before, _, after = page.split(MARK)
    return before + MARK + "".join(lines) + MARK + after


CHAIN_MARK = "<!-- made by make docs from forecasts/ledger/chain.py -->\n"


def covered(page: str) -> str:
    """Return ``page`` with the list of tables and their part in the chain between its two marks."""
    lines = ["| table | a row of it | in the chain | personal texts |\n", "|---|---|---|---|\n"]
    mapped = [mapper.class_ for mapper in inspect(Ledger).registry.mappers]
    models = {one.__tablename__: one for one in mapped if one.__module__ == Ledger.__module__}
    tables = (*SEALED, *STATES, *sorted(models.keys() - {*SEALED, *STATES}))
    how = dict.fromkeys(SEALED, "each row") | dict.fromkeys(STATES, "each state of a row")
    how |= OUTSIDE
    for name in tables:
        row = (models[name].__doc__ or "").splitlines()[0].replace("``", "`")
        words = ", ".join(f"`{word}`" for word in WORDS.get(name, ()))
        lines.append(f"| `{name}` | {row} | {how[name]} | {words} |\n")
    before, _, after = page.split(CHAIN_MARK)
    return before + CHAIN_MARK + "".join(lines) + CHAIN_MARK + after


if __name__ == "__main__":
    history = Path(__file__).with_name("history.md")
    history.write_text(covered(history.read_text(encoding="utf-8")), encoding="utf-8")
    teams = Path(__file__).with_name("teams.md")
    teams.write_text(roles(teams.read_text(encoding="utf-8")), encoding="utf-8")
    Path(__file__).with_name("commands.md").write_text(page(), encoding="utf-8")
