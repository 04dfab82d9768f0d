"""Parses a YAML file into nodes.

```
bytes ─▶ text ─▶ parser events ─▶ Node (text and places only) ─▶ the reader of one kind of file takes what it knows
```

Nothing but text is made from a file: no tag constructs anything and no scalar is guessed, so `day_starts: 12:30` is not
the number 750 and a unit called `no` is not false.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import yaml

from loket.documents.node import Document, DocumentError, Fault, Node

__all__ = ["MAX_BYTES", "parse_document", "read_bytes", "read_document"]

MAX_BYTES: Final = 16 * 1024 * 1024
"""The largest file that is read; `targets.yaml` of 10,000 units with 5 services has 7 MB."""

MAX_NODES: Final = 2_000_000
"""Nodes of a file with its aliases written out: a few lines of nested aliases can stand for billions."""

MAX_DEPTH: Final = 20

# The parser is written in C where PyYAML was built with libyaml, as its wheels are; both give the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_document(path: Path) -> Node:
    """Return the root of a YAML file; the reader raises with `root.document.faults` when it is through.

    Raises DocumentError where there is nothing to read further: no file, not text, not YAML, empty, too large.
    """
    return parse_document(str(path), read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file that people wrote, one more than allowed at most."""
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        told = f"cannot be read: {(error.strerror or str(error)).lower()}; check the path and the rights"
        raise DocumentError(str(path), [Fault(0, 0, "", told)]) from error


def parse_document(file: str, content: bytes) -> Node:
    """As `read_document`, of bytes that were read already; `file` is the name in the errors."""
    if len(content) > MAX_BYTES:
        told = f"is larger than {MAX_BYTES // 1024 // 1024} MiB: check that it is the right file"
        raise DocumentError(file, [Fault(0, 0, "", told)])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        told = f"byte 0x{content[error.start]:02x} is not UTF-8: save the file in UTF-8"
        raise DocumentError(file, [Fault(line, column, "", told)]) from error
    try:
        composer = _Composer(Document(file))
        for event in yaml.parse(text, Loader=_LOADER):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
        context = f" ({error.context})" if error.context else ""
        hint = "; indent with spaces, never with tabs" if "\t" in text else ""
        raise DocumentError(file, [Fault(line, column, "", f"not YAML: {error.problem}{context}{hint}")]) from error
    except yaml.YAMLError as error:  # a character that YAML does not allow: PyYAML gives a position, not a mark
        position = getattr(error, "position", None) or 0
        line = text.count("\n", 0, position) + 1
        raise DocumentError(
            file, [Fault(line, 0, "", "holds a character that YAML does not allow: take it out")]
        ) from error
    root = composer.root
    if root is None or root.nothing:
        raise DocumentError(
            file, [Fault(0, 0, "", "is empty: nothing is decided in it; check that it is the right file")]
        )
    return root


class _Composer:
    """Builds the nodes from the parser's events without recursion, so that no nesting can exhaust the stack."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._anchors: dict[str, Node] = {}
        self._open: list[Node] = []
        self.root: Node | None = None

    def take(self, event: Any) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise self._refused(line, column, "a second document begins here (`---`): one file is one document")
        if isinstance(event, yaml.CollectionEndEvent):
            self._close(self._open.pop())
        elif isinstance(event, yaml.AliasEvent):
            self._put(self._repeated(event.anchor, line, column))
        elif isinstance(event, yaml.NodeEvent):
            node = self._made(event, line, column)
            self._put(node)
            if node.kind != "scalar":
                if len(self._open) >= MAX_DEPTH:
                    raise self._refused(line, column, f"nested deeper than {MAX_DEPTH} levels: nothing needs that")
                self._open.append(node)

    def _made(self, event: Any, line: int, column: int) -> Node:
        if event.tag is not None:
            raise self._refused(line, column, f"the tag `{event.tag}` means nothing here: leave it out")
        if isinstance(event, yaml.ScalarEvent):
            plain = bool(event.implicit[0])
            node = Node(self._document, "scalar", line, column, value=event.value, plain=plain)
        else:
            kind: Literal["list", "mapping"] = "list" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
            node = Node(self._document, kind, line, column)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _repeated(self, anchor: str | None, line: int, column: int) -> Node:
        node = self._anchors.get(anchor or "")
        if node is None or node in self._open:
            raise self._refused(line, column, f"`*{anchor}` names nothing that ends before it")
        return node

    def _put(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if parent.kind == "mapping" and len(parent.keys) == len(parent.items):
            parent.keys.append(node)
        else:
            parent.items.append(node)

    def _close(self, node: Node) -> None:
        # What an alias repeats is complete, so its size is known: no walk through what the aliases stand for.
        node.size += sum(item.size for item in node.items) + sum(key.size for key in node.keys)
        if node.size > MAX_NODES:
            told = f"stands for more than {MAX_NODES:,} values with its aliases (`*name`) written out: use fewer"
            raise self._refused(node.line, node.column, told)

    def _refused(self, line: int, column: int, message: str) -> DocumentError:
        return DocumentError(self._document.file, [Fault(line, column, "", message)])
