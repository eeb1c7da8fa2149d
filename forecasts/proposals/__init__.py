"""Proposals of a language model: asked for by a person, checked here, decided by a person."""
