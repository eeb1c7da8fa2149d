"""The settings: environment variables ``FORECASTS_*``, all optional."""

from __future__ import annotations

import getpass
import os
from contextlib import suppress
from datetime import date
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import platformdirs
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from forecasts.common.text import unstorable_character


def data_folder() -> Path:
    """Return the user's data folder for this product; it may not exist yet."""
    return Path(platformdirs.user_data_dir("forecasts", appauthor=False))


def default_ledger() -> Path:
    """Return the path of the ledger that is used by default; it may not exist yet."""
    return data_folder() / "ledger.sqlite3"


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # in a container, the user may have no entry in passwd
        return "me"


class Settings(BaseSettings):
    """The settings of a process, read once from the environment.

    By default the ledger is an SQLite file in the user's data folder, and the local member has
    the machine user's name.
    """

    model_config = SettingsConfigDict(
        env_prefix="FORECASTS_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    database_url: str = Field(
        default_factory=lambda: sqlite_url(default_ledger()),
        description="SQLAlchemy URL of the ledger, or the path of an SQLite file",
    )
    member: str = Field(default_factory=_user_name, description="handle of the local member")
    token: SecretStr | None = Field(default=None, description="token with which a script acts")
    metaculus_token: SecretStr | None = Field(
        default=None, description="token of your account, for forecasts pull metaculus"
    )
    fatebook_token: SecretStr | None = Field(
        default=None, description="API key of your account, for forecasts pull fatebook"
    )
    manifold_token: SecretStr | None = Field(
        default=None, description="API key of your account, for forecasts pull manifold"
    )
    allow_private_addresses: bool = Field(
        default=False, description="let captures fetch from loopback and private networks"
    )
    lowest_probability: float = Field(
        default=0.001, ge=0, le=0.5, description="lowest probability that the app offers"
    )
    run_every: str | None = Field(
        default=None, description="interval of the runs that the app and the API start (15m)"
    )
    public_previews: bool = Field(
        default=False, description="links to questions that everyone may see have public previews"
    )
    digest_to: SecretStr | None = Field(
        default=None,
        description="where runs send the digest: a file, an https URL or a mailto address",
    )
    stamp_url: str | None = Field(
        default=None, description="RFC 3161 server that stamps digests with the time"
    )
    stamp_roots: Path | None = Field(
        default=None,
        description="PEM file of the roots for checking stamps (default: those of the web)",
    )
    proofs_folder: Path | None = Field(
        default=None,
        description="folder of the stamps (default: beside the ledger's file, or in your data "
        "folder)",
    )
    api_requests_per_minute: int = Field(
        default=1_000, ge=1, description="requests that the API takes of a token in a minute"
    )
    api_rows: int = Field(
        default=20_000,
        ge=1,
        description="rows that a member may write over the API in 10 minutes",
    )
    api_processor_seconds: int = Field(
        default=60,
        ge=10,
        description="seconds of a processor that a member's requests to the API may use in 10 "
        "minutes",
    )
    daily_forecasts: int = Field(
        default=200,
        ge=1,
        description="forecasts that a member may make on a question within 24 hours",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="key that encrypts the addresses of channels, a long random text (default: a "
        "file in your data folder)",
    )
    memory_gb: float | None = Field(
        default=None, gt=0, description="most memory that a command or the app may take, in GB"
    )
    commands_folder: Path | None = Field(
        default=None, description="folder of the programs that resolvers may run (default: none)"
    )
    files_folder: Path | None = Field(
        default=None,
        description="folder of the files that resolvers and feeds may read in a shared ledger "
        "(default: none)",
    )

    model_url: str | None = Field(
        default=None,
        description="address of a language model's API of the OpenAI form, such as "
        "http://localhost:11434/v1 (default: none, and nothing is sent)",
    )
    model: str | None = Field(default=None, description="name of the model there")
    model_key: SecretStr | None = Field(default=None, description="key of that API, if it has one")
    model_tokens: int = Field(
        default=200_000, ge=0, description="tokens that the model may use in a day (UTC)"
    )
    model_cost: float | None = Field(
        default=None, ge=0, description="money that the model may cost in a day (default: any)"
    )
    model_price_in: float = Field(
        default=0, ge=0, description="price of a million tokens sent to the model"
    )
    model_price_out: float = Field(
        default=0, ge=0, description="price of a million tokens of its answers"
    )
    model_timeout: float = Field(
        default=60, gt=0, le=600, description="seconds to wait for the model's answer"
    )
    model_trained: date | None = Field(
        default=None, description="day of the model's last training data, for forecasts model try"
    )
    model_callers: str | None = Field(
        default=None,
        description="handles of the members who may ask the model, separated by commas, or a role "
        "(default: every member who may ask questions)",
    )

    @field_validator("database_url")
    @classmethod
    def _a_path_is_an_sqlite_file(cls, value: str) -> str:
        return value if "://" in value else sqlite_url(Path(value))

    @field_validator("member", "database_url")
    @classmethod
    def _can_be_stored(cls, value: str) -> str:
        if character := unstorable_character(value):
            raise ValueError(f"it contains {character}")
        return value

    @property
    def names_a_ledger(self) -> bool:
        """Whether the ledger was named explicitly, so that it should exist."""
        return "database_url" in self.model_fields_set

    @property
    def names_a_member(self) -> bool:
        """Whether the member was named explicitly, not taken from the machine's user."""
        return "member" in self.model_fields_set


def current_settings(**chosen: str) -> Settings:
    """Return the settings of the current environment, except for those chosen.

    ValidationError for a value that breaks a rule.
    """
    folder = None
    with suppress(OSError):  # the current folder may have been removed
        folder = os.getcwd()
    return _settings(frozenset(os.environ.items()), folder, frozenset(chosen.items()))


@lru_cache(maxsize=8)
def _settings(
    _environment: object, _folder: object, chosen: frozenset[tuple[str, str]]
) -> Settings:
    # Commands and pages ask often, and building them is as slow as a database query.
    return Settings(**dict(chosen))  # type: ignore[arg-type]


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite file, quoted as SQLAlchemy reads it."""
    return f"sqlite:///{quote(str(Path(os.path.expanduser(path)).absolute()), safe=' +/')}"
