"""What the fast path does with an element. Numbers, because they are compared for each."""

from __future__ import annotations

SKIP, SKIP_LONG, DROP, UNKNOWN, MAKE, SEQUENCE, CHARSET, OVERLAY = range(8)
NAMED_DROP, NAMED_MAKE, PIXELS, SAFE, END, SURPRISE, CREATOR, PRIVATE = range(8, 16)
"""What to do with an element:

- SKIP, SKIP_LONG: nothing comes out, and nobody asks for its value: it is private, or bulk data; in explicit
  VR its length has 16 or 32 bits
- DROP: nothing comes out
- UNKNOWN: nothing comes out; without a declared length it is a sequence in implicit VR (PS3.5, 6.2.2)
- MAKE: its value is made anew, or kept once it was looked at
- SEQUENCE: go into its items
- CHARSET, OVERLAY: nothing comes out, but its value is looked at
- NAMED_DROP, NAMED_MAKE: as DROP and MAKE, and it names somebody
- PIXELS: it comes out as it is, wherever it lies
- SAFE: as MAKE, of a private element
- END: of an item
- SURPRISE: the object is for the careful way
- CREATOR: it reserves a private block, and comes out if something of the block does
- PRIVATE: look it up again, by who reserved its block
"""
