"""The app's words for the acts of remedies: a page, or a field of the import page."""

from __future__ import annotations

from forecasts.common.errors import Act, Advice, Remedy, as_command, in_words

ITS_PAGE = "its page"  # of the question
_ACTS: dict[str, tuple[Act, ...]] = {
    ITS_PAGE: ("close", "propose", "resolve", "revise", "update"),
    "Articles": ("articles",),
    "Import and export": ("export", "import", "pull"),
    "Questions": ("ask", "questions"),
    "Resolve": ("run retry", "run status"),
    "Settings": ("notify add", "token create", "token list"),
    "Team": ("team add", "team appoint", "team create", "team role"),
}
PAGES = {act: page for page, acts in _ACTS.items() for act in acts}
# The fields of the import page for the command's options.
FIELDS = {
    "format": "Format",
    "timezone": "Time zone",
    "account": "Your name in the file",
    "as": "Record owner",
    "closes": "Closes",
    "aggregates": "Import the platform’s crowd forecasts, as bots",
    "vouch": "I vouch for the forecasts’ times",
}


def said(advice: Advice) -> str:
    """Return advice as text, in which acts are pages, and options of the command are fields.

    >>> choosing = Remedy("Choose one: {};", "", column="made_at=day")
    >>> said((choosing, Remedy("or none: {}", "", column="made_at=")))
    'Choose one: “Made at: day”; or none: “Made at: none”'
    """
    return in_words(advice, _way)


def questions_in(advice: Advice) -> list[str]:
    """Return the slugs of the questions on whose pages the acts are."""
    parts = advice if isinstance(advice, tuple) else (advice,)
    acts = [part for part in parts if isinstance(part, Remedy) and PAGES.get(part.act) == ITS_PAGE]
    return [act.arguments[0] for act in acts if act.arguments]


def names_columns(advice: Advice) -> bool:
    """Return whether the advice names columns of a spreadsheet."""
    parts = advice if isinstance(advice, tuple) else (advice,)
    return any(isinstance(part, Remedy) and "column" in part.options for part in parts)


def _way(remedy: Remedy) -> str:
    page = PAGES.get(remedy.act)
    if page is not None:
        return f"on {page}" if page == ITS_PAGE else f"on the page “{page}”"
    if remedy.act:
        return f"{as_command(remedy)} (on the command line)"
    return ", ".join(_field(name, value) for name, value in remedy.options.items())


def _field(option: str, value: str | bool) -> str:
    if option == "column" and isinstance(value, str):
        ours, _, theirs = value.partition("=")
        if ours in ("forecaster:HANDLE", "option:NAME"):
            return f"“One column a {ours.partition(':')[0]}”"
        label = ours.replace("_", " ").capitalize()
        theirs = f"0 to {theirs}" if ours == "scale" else theirs
        return f"“{label}”" if theirs == "NAME" else f"“{label}: {theirs or 'none'}”"
    if option == "format" and value != "NAME":
        return f"“Format: {'Spreadsheet' if value == 'pairs' else value}”"
    return f"“{FIELDS[option]}”" if option in FIELDS else f"--{option} (on the command line)"
