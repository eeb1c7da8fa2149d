"""Arguments below zero: without this, ``-5%`` would be read as an option."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from forecasts.cli.options import AsMember

_BELOW_ZERO = re.compile(r"-([\d.,]|inf)")


class TakesNegativeValues(AsMember):
    """A command whose arguments may begin with a minus and a digit.

    All arguments are moved behind ``--``, in their order.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left after parsing into ``ctx.params``."""
        after: list[str] = []
        if "--" in args:
            place = args.index("--")
            args, after = args[:place], args[place + 1 :]
        takes_value = {
            name
            for parameter in self.get_params(ctx)
            if parameter.param_type_name == "option" and not getattr(parameter, "is_flag", False)
            for name in (*parameter.opts, *parameter.secondary_opts)
        }
        options: list[str] = []
        arguments: list[str] = []
        rest = iter(args)
        for arg in rest:
            if arg in takes_value:
                options += [arg, *islice(rest, 1)]
            elif arg.startswith("-") and arg != "-" and not _BELOW_ZERO.match(arg):
                options.append(arg)
            else:
                arguments.append(arg)
        return super().parse_args(ctx, [*options, "--", *arguments, *after])
