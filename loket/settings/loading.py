"""Reads settings from their sources and names whatever is wrong with them.

```
UsageError
├── SettingsError       a key that does not exist or a value that is wrong, in the environment or an option
└── DocumentError       the same in the file, with line and column
```
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Meta

from loket.documents import DocumentError, Node, closest, read_document
from loket.domain.events import Instant
from loket.errors import UsageError
from loket.settings.components import COMPONENTS, SECRET, Settings
from loket.wire.fields import instant_hook

__all__ = ["SettingsError", "load"]

PREFIX: Final = "LOKET_"
CONFIG: Final = "LOKET_CONFIG"
_OF_THE_TESTS: Final = ("LOKET_DATA", "LOKET_TEST_CACHE")
"""Read by Loket's own tests alone, whose processes hand them on to ours."""


class SettingsError(UsageError):
    """A setting is wrong; the text names it as it was given, and what is expected."""


_S = TypeVar("_S", bound=Settings)


def load(
    kind: type[_S],
    environment: Mapping[str, str] | None = None,
    *,
    config: str | Path | None = None,
    options: Mapping[str, object] | None = None,
) -> _S:
    """Return the settings of a component. Raises UsageError for a key or value that is wrong, wherever it stands.

    `environment` is the process's by default; `options` are those of the command line, where None is "not given".
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    path = config if config is not None else environment.get(CONFIG)
    if path:
        values |= _from_file(kind, read_document(Path(path)))
    values |= _from_environment(kind, environment)
    hints = _hints(kind)
    for key, value in (options or {}).items():
        if value is not None:
            values[key] = _checked(f"--{key.replace('_', '-')}", key, hints[key], value)
    return kind(**values)


def _from_environment(kind: type[Settings], environment: Mapping[str, str]) -> dict[str, Any]:
    common: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable == CONFIG or variable in _OF_THE_TESTS:
            continue
        name = variable.removeprefix(PREFIX).lower()
        section, _, key = name.partition("_")
        if name not in _keys() and section in COMPONENTS and key in COMPONENTS[section].__struct_fields__:
            if section == kind.COMPONENT:
                own[key] = _checked(variable, key, _hints(kind)[key], text)
        elif name not in _keys():
            known = [CONFIG, *(f"{PREFIX}{key.upper()}" for key in _keys())]
            hint = closest(variable, known) or f"; there are {', '.join(sorted(known))}"
            raise SettingsError(f"{variable} is not a setting of Loket{hint}")
        elif name in kind.__struct_fields__:
            common[name] = _checked(variable, name, _hints(kind)[name], text)
    return common | own


def _from_file(kind: type[Settings], root: Node) -> dict[str, Any]:
    found = root.mapping([*_keys(), *COMPONENTS], what="settings")
    values = _from_nodes(kind, found)
    for name, component in COMPONENTS.items():
        section = found.get(name)
        if section is not None and not section.nothing:
            own = _from_nodes(component, section.mapping(component.__struct_fields__, what=f"settings of the {name}"))
            if component is kind:
                values |= own
    if root.document.faults:
        raise DocumentError(root.document.file, root.document.faults)
    return values


def _from_nodes(kind: type[Settings], nodes: Mapping[str, Node]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, annotation in _hints(kind).items():
        node = nodes.get(key)
        if node is None or node.nothing:
            continue
        try:
            values[key] = _checked(key, key, annotation, node.value if node.kind == "scalar" else None)
        except SettingsError:
            node.fault(f"not valid; expected {_expected(annotation)}")
    return values


def _keys() -> dict[str, None]:
    return {key: None for kind in COMPONENTS.values() for key in kind.__struct_fields__}


def _hints(kind: type[Settings]) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {key: hints[key] for key in kind.__struct_fields__}


def _hook(kind: type, value: object) -> object:
    return value if isinstance(value, Instant) else instant_hook(kind, value)


def _checked(given: str, key: str, annotation: Any, value: object) -> Any:
    expected = next((part for part in get_args(annotation) if part is not type(None)), annotation)
    whole = expected if type(None) in get_args(annotation) else annotation  # nothing given is not the word "null"
    try:
        return msgspec.convert(value, whole, strict=False, dec_hook=_hook)
    except msgspec.ValidationError:
        shown = "" if key in SECRET else f"={value}"
        raise SettingsError(f"{given}{shown} is not valid; expected {_expected(annotation)}") from None


def _expected(annotation: Any) -> str:
    """What a person should write, from the annotation."""
    for part in _parts(annotation):
        if isinstance(part, Meta) and part.description:
            return part.description
    if Instant in _parts(annotation):
        return "an RFC 3339 time with an offset, such as 2026-01-31T16:00:00+07:00"
    if annotation is bool:
        return "true or false"
    return "one of " + ", ".join(part for part in _parts(annotation) if isinstance(part, str))


def _parts(annotation: Any) -> Iterable[Any]:
    yield annotation
    for part in (*get_args(annotation), *getattr(annotation, "__metadata__", ())):
        yield from _parts(part)
