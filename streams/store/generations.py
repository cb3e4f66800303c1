"""The generations of a view: which one pages read, and which one a rebuild fills. Pure."""

from __future__ import annotations

import msgspec

from streams.errors import Rejected


class Generations(msgspec.Struct, frozen=True):
    """State of a view. `building` is 0 when there is no rebuild; `last` is the highest number ever given."""

    active: int = 1
    building: int = 0
    last: int = 1

    @property
    def filling(self) -> list[int]:
        """The generations that projections write."""
        return [self.active, self.building] if self.building else [self.active]

    def without(self, generation: int) -> Generations:
        """Give the state after a generation is dropped.

        Raises
        ------
        Rejected
            When pages read it.
        """
        if generation == self.active:
            raise Rejected(f"Generation {generation} is what pages read: activate another one first")
        return Generations(self.active, 0 if generation == self.building else self.building, self.last)


def begun(state: Generations) -> tuple[Generations, list[int]]:
    """Give the state in which a new generation is built, and the unfinished ones to drop."""
    number = state.last + 1
    return Generations(state.active, number, number), [state.building] if state.building else []


def activated(state: Generations, generation: int) -> tuple[Generations, list[int]]:
    """Give the state in which pages read `generation`, and the others to drop.

    Raises
    ------
    Rejected
        When it is neither active nor being built: it was dropped, or never begun.
    """
    if generation not in state.filling:
        raise Rejected(f"Generation {generation} is not being built: begin a rebuild first")
    return Generations(generation, 0, state.last), [
        number for number in state.filling if number != generation
    ]
