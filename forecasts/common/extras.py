"""The command that installs what an optional part of the product needs."""

from __future__ import annotations

import shlex
import sys
from importlib.metadata import PackageNotFoundError, requires

from forecasts.common.errors import BadInput


def missing(what: str, extra: str) -> BadInput:
    """Return the error for a part of the product whose packages are not installed."""
    return BadInput(
        f"{what} needs packages that are not installed.",
        remedy=f"Install them with: {install_command(extra)}",
    )


def install_command(extra: str) -> str:
    """Return the command that installs an extra's packages into the running Python.

    It names the packages and not this one, which is on no index, so it works from a checkout, a
    wheel or an image alike, and can be pasted.
    """
    # Not loaded at the start of every command, for this remedy alone.
    from packaging.requirements import Requirement

    try:
        needs = map(Requirement, requires("forecast-ledger") or [])
    except PackageNotFoundError:  # run from a folder that was never installed
        return f"pip install '.[{extra}]' in the checkout"
    chosen = [
        Requirement(str(one).split(";")[0])
        for one in needs
        if one.marker is not None
        and one.marker.evaluate({"extra": extra})
        and not one.marker.evaluate({"extra": ""})
    ]
    return shlex.join([sys.executable, "-m", "pip", "install", *map(str, chosen)])
