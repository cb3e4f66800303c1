"""Narrative of clinical documents, cleaned as it is read: a name may run over several elements. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agents.anonymization.text.cleaning import REMOVED, Cleaner
from agents.anonymization.text.folding import visible
from agents.anonymization.text.markup import Node

_ELEMENTS = frozenset(
    (
        *(
            "text",
            "content",
            "paragraph",
            "list",
            "item",
            "table",
            "thead",
            "tbody",
            "tfoot",
            "tr",
            "th",
            "td",
        ),
        *("col", "colgroup", "caption", "br", "sub", "sup", "footnote", "linkHtml"),
    )
)
_BLOCKS = frozenset(("text", "paragraph", "item", "tr", "caption", "footnote"))
"""What is read as one: a row of a table is, so that a label stands before its value."""
_EMPTY_ALLOWED = frozenset(("br", "td", "th", "col", "colgroup"))
_BETWEEN = {"td": ": ", "th": ": ", "br": "\n", "list": "\n", "table": "\n", "paragraph": "\n"}
_ATTRIBUTES = re.compile(r"colspan|rowspan|align|valign|width|border|cellspacing|cellpadding|listType|span")
_SIMPLE = re.compile(r"[A-Za-z0-9%.]{0,16}")
_ABOUT_PEOPLE = re.compile(
    r"(?i)\b(sur|first|last|family|given)?names?\b|patient|physician|doctor|provider|author|performer|\bid\b|mrn|"
    r"address|phone|contact|birth|date|when|\btime\b|arzt|adresse|geburt|datum|m[ée]decin|fecha|nombre|nom\b|"
    r"hospital|facility|location|organi[sz]ation"
)
"""Head of a column whose cells name people, places or days."""


def clean_narrative(node: Node, cleaner: Cleaner) -> Node | None:
    """Give a section's text without what identifies; None: nothing is left."""
    made = _copied(node)
    if made is None:
        return None
    for table in _below(made, "table"):
        _clear_columns(table)
    for block in [made, *_below(made, *_BLOCKS)]:
        _clean_block(block, cleaner)
    _prune(made)
    return made if _has_text(made, beside=REMOVED) else None


def _copied(node: Node) -> Node | None:
    """Copy what is narrative, with attributes that lay it out."""
    if node.local not in _ELEMENTS:
        return None
    attributes = {
        name: value
        for name, value in node.attributes.items()
        if _ATTRIBUTES.fullmatch(name) and _SIMPLE.fullmatch(value)
    }
    parts: list[Node | str] = []
    for part in node.parts:
        kept = _copied(part) if isinstance(part, Node) else visible(part)
        if kept is not None:
            parts.append(kept)
    return Node(node.name, attributes, parts)


def _below(node: Node, *locals_: str) -> Iterator[Node]:
    waiting = list(node.children())
    while waiting:
        one = waiting.pop()
        if one.local in locals_:
            yield one
        waiting.extend(one.children())


def _clear_columns(table: Node) -> None:
    """Empty the cells below a head that announces people or days; with spanned cells, all of them."""
    rows = [[cell for cell in row.children() if cell.local in ("td", "th")] for row in _below(table, "tr")]
    heads = [row for row in rows if row and all(cell.local == "th" for cell in row)]
    spanned = any(
        "colspan" in cell.attributes or "rowspan" in cell.attributes for row in rows for cell in row
    )
    for head in heads:
        columns = {at for at, cell in enumerate(head) if _ABOUT_PEOPLE.search(_text_of(cell))}
        if not columns:
            continue
        for row in rows:
            for at, cell in enumerate(row):
                if row is not head and (spanned or at in columns):
                    cell.parts = []


def _clean_block(block: Node, cleaner: Cleaner) -> None:
    """Clean the text of a block wherever in its elements it stands; blocks below have their own turn."""
    fragments = list(_fragments(block, whole=block.local == "tr"))
    text = "".join(fragment for _, _, fragment in fragments)
    if not text.strip():
        return
    removed = cleaner.removals(text)
    at = 0
    for holder, index, fragment in fragments:
        if index is not None:
            holder.parts[index] = "" if removed is None else _without(fragment, at, removed)
        at += len(fragment)


def _without(text: str, offset: int, removed: list[tuple[int, int]]) -> str:
    """Give a fragment that begins at `offset` of its block without the spans, a mark where one begins."""
    parts: list[str] = []
    at = 0
    for start, end in removed:
        first, last = max(start - offset, 0), min(end - offset, len(text))
        if first >= last:
            continue
        parts.append(text[at:first])
        if start >= offset:
            parts.append(REMOVED)
        at = last
    parts.append(text[at:])
    return "".join(parts)


def _fragments(node: Node, *, whole: bool) -> Iterator[tuple[Node, int | None, str]]:
    """Yield texts in order with their places, and what stands between cells and lines, which has none.

    `whole`: with the blocks below.
    """
    for index, part in enumerate(node.parts):
        if isinstance(part, str):
            yield node, index, part
        elif whole or part.local not in _BLOCKS:
            yield from _fragments(part, whole=whole)
            if part.local in _BETWEEN:
                yield part, None, _BETWEEN[part.local]


def _prune(node: Node) -> None:
    for child in node.children():
        _prune(child)
    node.parts = [
        part
        for part in node.parts
        if isinstance(part, str) or part.local in _EMPTY_ALLOWED or _has_text(part)
    ]


def _has_text(node: Node, *, beside: str = "") -> bool:
    text = _text_of(node)
    return bool((text.replace(beside, "") if beside else text).strip(" \t\r\n.,;:()-"))


def _text_of(node: Node) -> str:
    return "".join(part if isinstance(part, str) else _text_of(part) for part in node.parts)
