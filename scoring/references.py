"""References."""

from __future__ import annotations

REFERENCES: dict[str, object] = {}
