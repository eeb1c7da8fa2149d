"""Settings of sign-in: complete or absent, from the environment, with no secret in a message."""

from __future__ import annotations

import pytest

from forecasts.access import oidc_settings
from forecasts.common.errors import BadInput, Refused
from forecasts.operations.health import check_sign_in

SECRETS = ("cl1ent-s3cret", "c00kie-s3cret-that-is-long-enough-0123")
WHOLE = {
    "ISSUER": "https://login.example.org/",
    "CLIENT_ID": "ledger",
    "CLIENT_SECRET": SECRETS[0],
    "REDIRECT_URI": "https://ledger.example.org/oauth2callback",
    "COOKIE_SECRET": SECRETS[1],
    "ALLOWED_DOMAINS": "Example.org, @example.com",
}


def set_to(monkeypatch: pytest.MonkeyPatch, **given: str | None) -> None:
    for name, value in (WHOLE | given).items():
        if value is not None:
            monkeypatch.setenv(f"FORECASTS_OIDC_{name}", value)


def refusal(monkeypatch: pytest.MonkeyPatch, **given: str | None) -> str:
    set_to(monkeypatch, **given)
    with pytest.raises(BadInput) as caught:
        oidc_settings.configured_sign_in()
    return "\n".join([str(caught.value), *map(str, caught.value.problems)])


def test_without_any_setting_nobody_signs_in() -> None:
    assert oidc_settings.configured_sign_in() is None
    assert "Sign-in is off" in check_sign_in().result


def test_with_all_settings_a_team_does(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch)
    chosen = oidc_settings.configured_sign_in()
    assert chosen is not None
    assert chosen.allowed_domains == ("example.org", "example.com")
    assert (chosen.base, chosen.host) == ("https://ledger.example.org", "ledger.example.org")
    assert chosen.for_streamlit()["server_metadata_url"] == (
        "https://login.example.org/.well-known/openid-configuration"
    )


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("ISSUER", "http://login.example.org", "must begin with https://"),
        ("ISSUER", "login.example.org", "must begin with https://"),
        ("REDIRECT_URI", "http://10.0.0.5/oauth2callback", "must begin with https://"),
        ("REDIRECT_URI", "https://me:pw@ledger.example.org/oauth2callback", "must begin with"),
        ("REDIRECT_URI", "https://ledger.example.org/", "followed by /oauth2callback"),
        ("COOKIE_SECRET", "sh0rt", "needs at least 32 characters"),
        ("SCOPES", "email profile", "must include openid"),
        ("ALLOWED_DOMAINS", " , ", "one of them must limit access"),
        *((name, None, f"FORECASTS_OIDC_{name}: '' — is not set") for name in WHOLE),
    ],
)
def test_a_missing_or_impossible_value_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, rule: str
) -> None:
    said = refusal(monkeypatch, **{name: value})
    assert f"FORECASTS_OIDC_{name}: " in said
    assert rule in said
    assert not any(secret in said for secret in ("sh0rt", *SECRETS))


@pytest.mark.parametrize("given", [WHOLE, {}])
def test_a_misspelt_rule_is_named(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    """Without it, a whole domain would be admitted in place of one group."""
    monkeypatch.setattr(f"{__name__}.WHOLE", given)
    said = refusal(monkeypatch, REQUIRED_GROUPS="forecasters", ISUER="x")
    assert (
        "FORECASTS_OIDC_REQUIRED_GROUPS: '…' — is not a setting; did you mean "
        "FORECASTS_OIDC_REQUIRED_GROUP?"
    ) in said
    assert "did you mean FORECASTS_OIDC_ISSUER?" in said


def test_the_admitted_people_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch)
    assert oidc_settings.SignIn().admitted == "people of example.org, example.com"
    monkeypatch.setenv("FORECASTS_OIDC_REQUIRED_GROUP", "forecasters")
    both = "people of example.org, example.com in the group forecasters"
    assert oidc_settings.SignIn().admitted == both
    assert f"Admitted: {both}." in check_sign_in().result
    monkeypatch.setenv("FORECASTS_OIDC_ALLOWED_DOMAINS", "*")
    anyone = "all people of the provider in the group forecasters"
    assert oidc_settings.SignIn().admitted == anyone
    # A group will do in place of domains.
    monkeypatch.delenv("FORECASTS_OIDC_ALLOWED_DOMAINS")
    assert oidc_settings.configured_sign_in() is not None


def test_no_secret_is_in_a_representation_or_in_check(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch)
    found = check_sign_in()
    said = f"{oidc_settings.configured_sign_in()!r} {found}"
    assert "ledger.example.org" in found.result
    assert not any(secret in said for secret in SECRETS)
    set_to(monkeypatch, ISSUER="ftp://x")
    assert "FORECASTS_OIDC_ISSUER must begin with" in check_sign_in().result
    assert not check_sign_in().passed


def test_any_address_but_this_machine_needs_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for own in ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"):
        oidc_settings.require_safe_address(own, None)
    others = (None, "", "0.0.0.0", "::", "192.0.2.1", "example.org", "localhost.example.org")
    for address in others:
        with pytest.raises(Refused, match="without sign-in") as caught:
            oidc_settings.require_safe_address(address, None)
        assert "FORECASTS_OIDC_" in caught.value.remedy
    set_to(monkeypatch)
    for address in others:
        oidc_settings.require_safe_address(address, oidc_settings.configured_sign_in())
