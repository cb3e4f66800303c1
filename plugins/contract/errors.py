"""Failures at the border between the host and a plugin."""

from __future__ import annotations

from streams.errors import Poison, Rejected


class InvalidInput(Rejected):
    """The input folder does not hold what the contract says."""


class InvalidResult(Poison):
    """A plugin's output breaks the contract; its work can't be used."""


class UnknownPlugin(Rejected):
    """No such plugin in the registry."""
