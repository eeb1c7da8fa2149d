"""Secrets are found in addresses however these are written, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from forecasts.common.secret_addresses import holds_secrets, keys_in, without_secrets


@pytest.mark.parametrize(
    "text",
    [
        "See https://x.org/?access_token=pw.",
        "[map](https://kate:pw@x.org/a) and more",
        "[map](https://x.org/a?id=3&token=pw)",
        "<https://kate:p%40pw@x.org>",
        "HTTPS://kate:pw@x.org",
        "postgresql://kate:pw@db/ledger",
        "https://x.org/a#id=1&access%5Ftoken=pw",
        "https://x.org/?a=1&amp;API_KEY=pw",
        "https://x.org/?auth[token]=pw",
        'https://x.org/?token="pw"',
        "https://x.org/?X-Amz-Security-Token=pw",
        "https://x.org/?X-Amz-Signature=pw",
        "https://x.org/?pwd=pw&jwt=pw",
        "https://x.org/?sv=1&sig=pw",
        "www.x.org/map?token=pw",
        "x.org?key=pw",
    ],
)
def test_a_secret_is_found_however_its_address_is_written(text: str) -> None:
    shown = without_secrets(text)
    assert "pw" not in shown.replace("pwd=", "")
    assert "x.org" in shown.lower() or "//db/ledger" in shown
    assert holds_secrets(text)
    assert not holds_secrets(shown)


@pytest.mark.parametrize(
    "text",
    [
        "https://x.org/?q=token&keyword=z&monkey=3&turkey=2",
        "https://x.org/nft?tokenId=12&token_count=3&clobTokenIds=4",
        "https://x.org/models?max_tokens=5&tokenizer=bpe",
        "https://x.org/cabinet?secretary=Rubio&compass=n",
        "https://medium.com/@kate/x?author=kate&authuser=0",
        "https://x.org:8080/ and kate@x.org",
        "P(rain)=0.4; key=3, e.g. a;key=b",
        "Is token=5 the secret? No.",
    ],
)
def test_harmless_words_stay(text: str) -> None:
    assert without_secrets(text) == text
    assert keys_in(text) == []
