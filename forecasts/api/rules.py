"""The rules that values of a request break, in our words: Pydantic finds them, we tell them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forecasts.common.errors import BadInput, Problem
from forecasts.common.text import cut

# By the type of Pydantic's error, with the fields of its context.
_MUST = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be below {lt}",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a text",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "none_required": "must be left out",
    "too_short": "must have at least {min_length} items, not {actual_length}",
    "too_long": "must have at most {max_length} items, not {actual_length}",
    "string_too_long": "must have at most {max_length} characters",
}
LONGEST = 2_000  # characters of a sentence, which may repeat a name that was sent
_A_TIME = "must be a time such as 2027-03-31T12:00:00Z"
# A value of several types has an error for each, with the type as the last part of its place.
_TYPES = ("float", "int", "str", "dict[str,any]")


def must(fault: Any) -> str:
    """Return the rule of one of Pydantic's errors, such as "must be at least 1"."""
    kind, context = str(fault["type"]), fault.get("ctx", {})
    if kind in _MUST:
        return _MUST[kind].format(**{name: _figure(value) for name, value in context.items()})
    if kind.startswith(("datetime_", "timezone_")):
        return _A_TIME
    return str(fault["msg"]).replace("Input should ", "must ")


def _figure(value: object) -> object:
    """Return a number with separators, and without decimals if it is whole."""
    if not isinstance(value, int | float):
        return value
    return f"{int(value) if value == int(value) else value:,}"


def problems(faults: Sequence[Any]) -> list[Problem]:
    """Return Pydantic's errors as problems, each place once."""
    broken: dict[tuple[Any, ...], list[Any]] = {}
    for fault in faults:
        place = tuple(fault["loc"])
        # The name of an unknown field, such as "strategy", may begin like that of a type.
        is_type = str(place[-1]).startswith((*_TYPES, "function-"))
        if is_type and len(place) > 1 and fault["type"] != "extra_forbidden":
            place = place[:-1]
        broken.setdefault(place, []).append(fault)
    return [
        Problem(".".join(map(str, place)), shown(some[0].get("input")), _sentence(place, some))
        for place, some in broken.items()
    ]


def _sentence(place: tuple[Any, ...], faults: Sequence[Any]) -> str:
    """Return the rules that the value at one place breaks, in a sentence."""
    kind, value = faults[0]["type"], faults[0].get("input")
    last = place[-2:] if isinstance(place[-1], int) else place[-1:]
    name = "The body" if last == ("body",) else ".".join(map(str, last))
    if kind == "missing":
        return f"{name} is missing."
    if kind == "extra_forbidden":
        return f"There is no field {name} here."
    if kind == "value_error":
        return str(faults[0]["msg"]).removeprefix("Value error, ")
    first, *others = dict.fromkeys(must(fault) for fault in faults)
    rule = " or ".join([first, *(other.removeprefix("must be ") for other in others)])
    if kind in ("none_required", "too_short", "too_long", "string_too_long"):
        return f"{name} {rule}."
    return f"{name} {rule}; {shown(repr(value))} is not."


def shown(value: Any, most: int = 200) -> str:
    """Return a value of a request as its problem repeats it, cut if it is long."""
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("utf-8", "replace").decode()  # JSON can send half of a character
    return cut(text, most)


def web_address(given: str) -> str:
    """Return the address of a page without spaces around it; BadInput for another text."""
    address = given.strip()
    if not address.lower().startswith(("https://", "http://")):
        raise BadInput(f"{shown(given)!r} is not a web address.", remedy="Begin it with https://.")
    return address
