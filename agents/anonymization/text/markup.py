"""XML as a small tree: no document type, so no entities, nothing external; bounded. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from agents.anonymization.outcome import Refusal

_DEPTH = 64
_NODES = 100_000
_BYTES = 16 * 1024 * 1024


class Node:
    """An element as it is written: names with their prefixes, `parts` are texts and elements in order."""

    __slots__ = ("attributes", "name", "parts")

    def __init__(self, name: str, attributes: dict[str, str], parts: list[Node | str] | None = None) -> None:
        self.name = name
        self.attributes = attributes
        self.parts: list[Node | str] = parts or []

    @property
    def prefix(self) -> str:
        """The prefix of its name; empty: none."""
        return self.name.rpartition(":")[0]

    @property
    def local(self) -> str:
        """Its name without the prefix."""
        return self.name.rpartition(":")[2]

    def children(self) -> Iterator[Node]:
        """Yield the elements directly below."""
        return (part for part in self.parts if isinstance(part, Node))

    def child(self, local: str) -> Node | None:
        """Give the first element of that name directly below."""
        return next((child for child in self.children() if child.local == local), None)

    def texts(self) -> Iterator[str]:
        """Yield every text and attribute value, its own and those below, in order."""
        yield from self.attributes.values()
        for part in self.parts:
            if isinstance(part, Node):
                yield from part.texts()
            else:
                yield part


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._left = _NODES

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._left -= 1 + len(attributes)
        if self._left < 0 or len(self._open) >= _DEPTH:
            raise Refusal(
                "encapsulated-document", "The document has more elements, or deeper ones, than can be judged."
            )
        node = Node(name, attributes)
        if self._open:
            self._open[-1].parts.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _name: str) -> None:
        node = self._open.pop()
        runs = itertools.groupby(node.parts, key=lambda part: isinstance(part, str))
        node.parts = [part for is_text, run in runs for part in ([_joined(run)] if is_text else run)]

    def text(self, text: str) -> None:
        self._open[-1].parts.append(text)

    def refuse(self, *_: object) -> None:
        raise Refusal("encapsulated-document", "The document declares a type, which can hide anything.")


def _joined(run: Iterable[Node | str]) -> str:
    return "".join(part for part in run if isinstance(part, str))


def read_xml(content: bytes) -> Node:
    """Read a document; comments and processing instructions are left out.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it is no XML, too large, or declares a document type.
    """
    if len(content) > _BYTES:
        raise Refusal("encapsulated-document", "The document is larger than can be judged.")
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Refusal("encapsulated-document", "The document is no XML that can be read.") from error
    if builder.root is None:
        raise Refusal("encapsulated-document", "The document is empty.")
    return builder.root


def write_xml(root: Node) -> bytes:
    """Write a document in UTF-8."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_written(root)).encode() + b"\n"


def _written(node: Node) -> Iterator[str]:
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in node.attributes.items())
    if not any(isinstance(part, Node) or part for part in node.parts):
        yield f"<{node.name}{attributes}/>"
        return
    yield f"<{node.name}{attributes}>"
    for part in node.parts:
        if isinstance(part, Node):
            yield from _written(part)
        else:
            yield escape(part)
    yield f"</{node.name}>"
