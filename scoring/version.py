"""The release: stored beside every score, since another engine may score otherwise."""

__version__ = "0.1.0"
