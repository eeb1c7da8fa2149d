"""The objects of a JSON file, read one by one."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts.common.errors import BadInput
from forecasts.platforms.source import Source

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=5,
)
OBJECTS = st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=4)


def in_file(path: Path, text: str, **more: Any) -> list[dict[str, Any]]:
    file = path / "some.json"
    file.write_text(text, encoding="utf-8")
    return [value for _, value in Source("some", {file.name: file}).records(file.name, **more)]


@given(OBJECTS, st.sampled_from([None, 1]), st.booleans())
@settings(max_examples=25)
def test_lists_lines_and_pages_of_objects_are_read(
    tmp_path_factory: pytest.TempPathFactory,
    objects: list[dict[str, Any]],
    indent: int | None,
    ascii_only: bool,
) -> None:
    path = tmp_path_factory.mktemp("records")
    for text in (
        json.dumps(objects, indent=indent, ensure_ascii=ascii_only),
        "\n".join(json.dumps(one, indent=indent, ensure_ascii=ascii_only) for one in objects),
        json.dumps({"rows": objects, "page": 12}, indent=indent, ensure_ascii=ascii_only),
    ):
        assert in_file(path, text, lists=["rows"]) == objects


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[{}, {}", "after record 2: it ends in the middle"),
        ("[{} {}]", "after record 1: it lacks a comma"),
        ('{"rows": [{}], "page"', "after record 0: Expecting"),
        ("[{}] []", "after record 1: it lacks a comma"),
        ('{"a": 1}\n{"a": ', "after record 1"),
        ('[{"a": Infinity}]', "after record 0: Infinity is not a number in JSON"),
        ("[" + '{"a":' * 100_000, "after record 0: it is nested too deeply"),
        ("[" + "1" * 5_000 + "]", "after record 0"),
    ],
)
def test_a_broken_file_is_refused_with_the_last_good_record(
    tmp_path: Path, text: str, fault: str
) -> None:
    with pytest.raises(BadInput) as caught:
        in_file(tmp_path, text, lists=["rows"])
    assert f"some.json cannot be read {fault}" in caught.value.message


def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="at most 5 bytes"):
        in_file(tmp_path, "[{}, {}]", most_bytes=5)
