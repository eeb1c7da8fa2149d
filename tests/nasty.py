"""One vocabulary of words that would act, if anything that shows them read them as more than text.

Every renderer and every page is shown all of it; a new way to act is added here, once.
"""

from __future__ import annotations

# What a browser, Markdown, LaTeX, Streamlit, a template, typst, Vega or rich would act upon.
MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</title></svg><svg onload=alert(1)>",
    "&lt;b&gt; &#60;i&#62;",
    "]]><!--",
    "**bold** _slanted_ ~~gone~~ `code`",
    "$x^2$ and $$y$$",
    "a|b|c",
    "# a heading",
    "- an item",
    ":material/home: :smile:",
    ":red[red] :blue-background[x]",
    "[a](javascript:alert(1))",
    "![a](https://example.org/pixel.png)",
    "[a]: https://example.org",
    "{{ 7 * 7 }} {% raw %} ${x}",
    '#let x = panic("y")',
    '#import "/etc/passwd": *',
    "[bold]bold[/bold] [link=https://example.org]x[/link]",
    "datum['a'].b[0] a.b[c]",
    "\"quoted\" 'single' \\ back",
    "%s %(x)s {0} {x}",
    "../../etc/passwd",
]
# What a spreadsheet would take for a formula, also behind blanks or in full width.
FORMULAS = [
    '=HYPERLINK("https://example.org","x")',
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "  =1+1",
    "\u00a0=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    "x;=1+1",
    "'=1+1",
]
# What would command a terminal, or turn or hide the words around it.
CONTROLS = [
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://example.org\x07link\x1b]8;;\x07",
    "\x9b2Jgone",
    "a\x08\x08\x08b",
    "safe\u202eexe.txt",
    "a\u2066b\u2069c\u200e",
    "zero\u200bwidth\ufeff",
    "two\nlines\r\nthree\x0b\x0c\x85\u2028\u2029end",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
]
# What does nothing, and has to come through.
HARMLESS = ["שלום עולם", "مرحبا", "予測者", "👩‍👩‍👧‍👦 🎯", "Ünïcödé", "o" * 10_000]
# What no text is: no ledger stores it, and no renderer may fall over it.
UNSTORABLE = ["nul\x00sign", "lone\ud800surrogate"]

WORDS = [*MARKUP, *FORMULAS, *CONTROLS, *HARMLESS]
# What a handle can be: on one line and printable, with nothing blank around it, and not that long.
HANDLES = [
    word for word in WORDS if word.isprintable() and word == word.strip() and len(word) < 500
]
