"""YAML files that people write: read strictly, and every fault named with its line, column and path."""

from loket.documents.node import DocumentError, Fault, Node, closest
from loket.documents.parsing import MAX_BYTES, parse_document, read_bytes, read_document

__all__ = [
    "MAX_BYTES",
    "DocumentError",
    "Fault",
    "Node",
    "closest",
    "parse_document",
    "read_bytes",
    "read_document",
]
