"""What can be set from outside: environment variables ``FORECASTS_*``, all optional."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL

from forecasts.common.text import no_text


def data_folder() -> Path:
    """Return the user's data folder for this product (not created here)."""
    return Path(platformdirs.user_data_dir("forecasts", appauthor=False))


def default_ledger() -> Path:
    """Return the file that is the ledger where nobody names one (not created here)."""
    return data_folder() / "ledger.sqlite3"


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without an entry in passwd
        return "me"


class Settings(BaseSettings):
    """The settings of one process, read once from the environment and never changed.

    Without any, the ledger is one SQLite file in the user's data folder and belongs to one
    local member, named after the user of the machine.
    """

    model_config = SettingsConfigDict(
        env_prefix="FORECASTS_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    database_url: str = Field(
        default_factory=lambda: sqlite_url(default_ledger()),
        description="SQLAlchemy URL of the ledger, or the path of an SQLite file",
    )
    member: str = Field(default_factory=_user_name, description="handle of the local member")
    token: SecretStr | None = Field(default=None, description="what a script shows to act")
    allow_private_addresses: bool = Field(
        default=False, description="let captures fetch from loopback and private networks"
    )
    lowest_probability: float = Field(
        default=0.001, ge=0, le=0.5, description="the app offers no probability below this"
    )
    commands_folder: Path | None = Field(
        default=None, description="the folder of programs that resolvers may run; none without it"
    )

    files_folder: Path | None = Field(
        default=None,
        description="the folder whose files resolvers may read in a shared ledger; none without it",
    )

    @field_validator("database_url")
    @classmethod
    def _a_path_is_an_sqlite_file(cls, value: str) -> str:
        return value if "://" in value else sqlite_url(Path(value))

    @field_validator("member", "database_url")
    @classmethod
    def _can_be_stored(cls, value: str) -> str:
        if sign := no_text(value):
            raise ValueError(f"it has {sign} in it")
        return value

    @property
    def names_a_ledger(self) -> bool:
        """Whether somebody named the ledger, so that it is expected to be there."""
        return "database_url" in self.model_fields_set

    @property
    def names_a_member(self) -> bool:
        """Whether somebody said who acts, so that it is not just the user of the machine."""
        return "member" in self.model_fields_set

    @property
    def highest_probability(self) -> float:
        """The mirror image of ``lowest_probability``."""
        return 1 - self.lowest_probability


def sqlite_url(path: Path) -> str:
    """Return the SQLAlchemy URL of an SQLite file; signs that mean something in one are quoted."""
    return URL.create(
        "sqlite", database=str(Path(os.path.expanduser(path)).absolute())
    ).render_as_string()
