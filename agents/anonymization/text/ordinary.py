"""Words that name nobody, although somebody may be called so: what descriptors and codes are made of.

`ordinary.json` holds them folded (see `agents.anonymization.text.folding`). A short name is not looked for
when it is an ordinary word; a longer one is not looked for in codes.
"""

from __future__ import annotations

from importlib import resources

import msgspec


class _File(msgspec.Struct, frozen=True):
    nobody: frozenset[str]
    titles: frozenset[str]
    ordinary: frozenset[str]
    places: frozenset[str]


_WORDS = msgspec.json.decode(resources.files(__package__).joinpath("ordinary.json").read_bytes(), type=_File)

NOBODY = _WORDS.nobody
"""What is written where no name is given."""
TITLES = _WORDS.titles
"""Titles, degrees and particles: parts of names that are nobody's own."""
ORDINARY = _WORDS.ordinary
"""Modalities, techniques, anatomy, diseases, makers and the words between them."""
PLACES = _WORDS.places
"""What institutions, departments and addresses are called apart from their own names."""
