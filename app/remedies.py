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
_ANY_QUESTION = "QUESTION"  # stands for a question that is not known
PAGES = {act: page for page, acts in _ACTS.items() for act in acts}
# The fields of the import page for the command's options.
FIELDS = {
    "format": "Format",
    "timezone": "Time zone",
    "account": "Your name in the file",
    "as": "Record owner",
    "closes": "Closes",
    "aggregates": "Import the platform’s crowd forecasts, as bots",
    "visible_to": "Visible to",
    "vouch": "I vouch for the forecasts’ times",
}


def said(advice: Advice, here: str = "") -> str:
    """Return advice as text, in which acts are pages, and options of the command are fields.

    A page is named once, and ``here``, the page on which it is read, is "this page".

    >>> choosing = Remedy("Choose one: {};", "", column="made_at=day")
    >>> said((choosing, Remedy("or none: {}", "", column="made_at=")))
    'Choose one: “Made at: day”; or none: “Made at: none”'
    >>> said((Remedy("Ask it: {}", "ask"), Remedy("or: {}", "questions")), "Questions")
    'Ask it: on this page'
    """
    parts = advice if isinstance(advice, tuple) else (advice,)
    pages = ["" if isinstance(one, str) else PAGES.get(one.act, "") for one in parts]
    named = zip(parts, pages, strict=True)
    kept = [one for at, (one, page) in enumerate(named) if not page or page not in pages[:at]]
    return in_words(tuple(kept), lambda remedy: _way(remedy, here))


def questions_in(advice: Advice) -> list[str]:
    """Return the slugs of the questions on whose pages the acts are, if it names any."""
    acts = [one for one in _remedies(advice) if PAGES.get(one.act) == ITS_PAGE and one.arguments]
    return [one.arguments[0] for one in acts if one.arguments[0] != _ANY_QUESTION]


def names_columns(advice: Advice) -> bool:
    """Return whether the advice names columns of a spreadsheet."""
    return any("column" in one.options for one in _remedies(advice))


def _remedies(advice: Advice) -> list[Remedy]:
    parts = advice if isinstance(advice, tuple) else (advice,)
    return [part for part in parts if isinstance(part, Remedy)]


def _way(remedy: Remedy, here: str) -> str:
    page = PAGES.get(remedy.act)
    if page is not None and page == here:
        return "on this page"
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
