"""List the tests that ``make quick`` leaves out because they take long: tests/slow.txt.

    make test ARGS=--junitxml=/tmp/times.xml && .venv/bin/python tests/write_slow.py /tmp/times.xml

A test is slow if its cases take over a tenth of a second on average. The list only saves time: a
test that is not in it runs in ``make quick``, and every test runs in ``make test``.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from xml.etree import ElementTree

LIST = Path(__file__).with_name("slow.txt")
SLOW = 1 / 10  # seconds


def main(times: str) -> None:
    """Write the list from the durations of a run, as pytest's --junitxml writes them."""
    seconds = defaultdict(list)
    for case in ElementTree.parse(times).iter("testcase"):
        name = f"{case.get('classname')}.{str(case.get('name')).partition('[')[0]}"
        seconds[name].append(float(case.get("time") or 0))
    slow = {name for name, each in seconds.items() if fmean(each) > SLOW}
    LIST.write_text("".join(f"{name}\n" for name in sorted(slow)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
