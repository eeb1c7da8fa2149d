"""The release, stored with every score: another release may score differently."""

__version__ = "0.1.0"
