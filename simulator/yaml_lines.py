"""YAML read into typed values, with errors that name the file, the line, the key and what was expected.

A file is composed once into plain values, remembering the line of every key; msgspec then makes them into the
structs that declare the file's words. Scalars are read as YAML 1.2 has them, so 17:30 is a text and not 1,050.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from routing.errors import InputError

_T = TypeVar("_T")
Key = str | int
MAX_DEPTH, MAX_VALUES = 12, 100_000
MS = 1000


class Clock(int):
    """A time of the service day in integer milliseconds; written 05:30, 05:30:20 or as seconds."""


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values, and the line of each by its path."""

    file: Path
    data: dict[str, Any]
    lines: Mapping[tuple[Key, ...], int]

    def error(self, path: tuple[Key, ...], what: str, expected: str | None = None) -> InputError:
        """An InputError that points at the value at `path`, or at the nearest one around it that is in the file."""
        known = next((path[:n] for n in range(len(path), -1, -1) if path[:n] in self.lines), ())
        line, field = self.lines.get(known), dotted(path) or None
        return InputError(what, file=self.file, line=line, field=field, expected=expected)

    def replaced(self, changes: Mapping[str, str]) -> Document:
        """The same with other values at dotted paths (`policy.walk_m`, `vehicles.0.count`), read as YAML scalars."""
        data = _copy(self.data)
        for path, text in changes.items():
            at, (*parents, last) = data, path.split(".")
            for key in parents:
                if isinstance(at, dict) and not isinstance(at.get(key), dict | list):
                    at[key] = {}  # absent, or a scalar such as `off`
                at = at[_index(at, key)]
            value = self._one_value(path, text)
            at[_index(at, last)] = value
        return Document(self.file, data, self.lines)

    def _one_value(self, path: str, text: str) -> Any:
        try:
            return _plain(yaml.compose(text, yaml.BaseLoader), (), {}, self.file)
        except yaml.YAMLError:
            raise InputError(f"{text!r} cannot be read", field=path, expected="a YAML value") from None

    def read(self, kind: type[_T], *, path: tuple[Key, ...] = ()) -> _T:
        """The values as `kind`. Raises InputError for unknown keys, wrong types and numbers out of range."""
        try:
            return msgspec.convert(self.data, kind, dec_hook=from_plain)
        except msgspec.ValidationError as error:
            raise self._explained(str(error), kind, path) from None

    def _said(self, path: tuple[Key, ...]) -> str:
        """What stands at a path, shortened."""
        value: Any = self.data
        for key in path:
            value = value[key]
        text = "nothing" if value is None else repr(value)
        return text if len(text) <= 40 else f"{text[:40]}…"

    def _explained(self, message: str, kind: type, prefix: tuple[Key, ...]) -> InputError:
        message, _, where = message.partition(" - at ")
        path = prefix + _path(where)
        if unknown := re.match(r"Object contains unknown field `(.*)`$", message):
            path += (unknown[1],)
            known = _known_keys(kind, path[:-1])
            near = difflib.get_close_matches(unknown[1], known, n=1)
            return self.error(path, "is no known key", f"{near[0]!r}?" if near else f"one of {', '.join(known)}")
        if missing := re.match(r"Object missing required field `(.*)`$", message):
            return self.error((*path, missing[1]), "is missing", "a value, as there is no default")
        if wrong := re.match(r"Expected (.*?)(, got .*)?$", message):
            return self.error(path, f"{self._said(path[len(prefix) :])} cannot be used", _spoken(wrong[1]))
        what, _, expected = message.partition("; expected ")
        return self.error(path, what, expected or None)


def read_yaml(path: str | Path) -> Document:
    """Read a YAML file whose top is a mapping. Raises InputError with file and line for whatever cannot be read."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path, expected="a YAML file") from None
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text", file=path, expected="a YAML file in UTF-8") from None
    try:
        top = yaml.compose(text, yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"is not YAML ({error.problem or error.context})"
        raise InputError(what, file=path, line=mark.line + 1 if mark else None, expected="key: value") from None
    except yaml.YAMLError as error:
        raise InputError(f"is not YAML ({error})", file=path, expected="key: value") from None
    if not isinstance(top, yaml.MappingNode):
        what = "is empty" if top is None else "holds no keys"
        raise InputError(what, file=path, line=1, expected="key: value")
    lines: dict[tuple[Key, ...], int] = {}
    return Document(path, _plain(top, (), lines, path), lines)


def dotted(path: tuple[Key, ...]) -> str:
    """`("vehicles", 0, "count")` as people write it: vehicles[0].count"""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def clock(text: str | float) -> Clock:
    """A time of day from 05:30, 05:30:20 or seconds. Raises ValueError otherwise."""
    if isinstance(text, str) and (match := re.fullmatch(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?", text.strip())):
        seconds: float = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
    elif isinstance(text, int | float) and not isinstance(text, bool) and math.isfinite(text):
        seconds = text
    else:
        raise ValueError(f"{text!r} is no time; expected hh:mm, or seconds of the day")
    if not 0 <= seconds <= 172_800:
        raise ValueError(f"{text} is no time of the day; expected 00:00 to 48:00")
    return Clock(round(seconds * MS))


def hhmm(at: int) -> str:
    """A time of day as people write it: 05:30, or 05:30:20."""
    seconds = at // MS
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}" + (f":{seconds % 60:02}" if seconds % 60 else "")


def from_plain(kind: type, value: Any) -> Any:
    """msgspec's `dec_hook`: how types that it does not know are read. Raises ValueError for what cannot be."""
    if kind is Clock:
        return clock(value)
    raise NotImplementedError(kind)


def _plain(node: Any, path: tuple[Key, ...], lines: dict[tuple[Key, ...], int], file: Path) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if len(path) > MAX_DEPTH or len(lines) > MAX_VALUES:
        raise InputError("is nested too deeply or too large", file=file, line=lines[path], field=dotted(path[:3]))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, i), lines, file) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.style in ("'", '"', "|", ">") else _scalar(node.value)
    out: dict[Any, Any] = {}
    for key_node, value in node.value:
        line = key_node.start_mark.line + 1
        key = _plain(key_node, (*path, "?"), {}, file)
        if not isinstance(key, str | int | float | bool):
            raise InputError(f"{key!r} is no key", file=file, line=line, field=dotted(path) or None, expected="a word")
        if isinstance(key, bool):
            key = key_node.value
        if key in out:
            field = dotted((*path, str(key)))
            raise InputError("stands twice", file=file, line=line, field=field, expected="each key once")
        lines[(*path, key)] = line
        out[key] = _plain(value, (*path, key), lines, file)
    return out


def _scalar(text: str) -> Any:
    low = text.lower()
    if low in ("", "~", "null"):
        return None
    if low in ("true", "on", "yes"):
        return True
    if low in ("false", "off", "no"):
        return False
    if re.fullmatch(r"[-+]?\d[\d_]*", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)(e[-+]?\d+)?", low):
        return float(text)
    if re.fullmatch(r"[-+]?\.(inf|nan)", low):
        return float(low.replace(".", ""))
    return text


def _path(where: str) -> tuple[Key, ...]:
    """The path in msgspec's message: `$.vehicles[0].count`; [...] stands for a key of a mapping, and ends the path."""
    keys: list[Key] = []
    for name, index in re.findall(r"\.([^.\[`]+)|\[(\d+|\.\.\.)\]", where.rsplit(" in ", 1)[-1]):
        if index == "...":
            break
        keys.append(name or int(index))
    return tuple(keys)


def _known_keys(kind: Any, path: tuple[Key, ...]) -> list[str]:
    """Keys that the mapping at `path` may have."""
    structs = _structs(kind)
    for key in path:
        if isinstance(key, str):
            fields = [field for struct in structs for field in msgspec.structs.fields(struct)]
            structs = [inner for field in fields if field.encode_name == key for inner in _structs(field.type)]
    return list(dict.fromkeys(f.encode_name for struct in structs for f in msgspec.structs.fields(struct)))


def _structs(kind: Any) -> list[type[msgspec.Struct]]:
    """Structs that a type names: of `str | tuple[Fleet, ...]` it is Fleet."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    return [struct for part in getattr(kind, "__args__", ()) for struct in _structs(part)]


_SPOKEN = {
    "object": "a mapping",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "on or off",
    "null": "nothing",
}


def _spoken(types: str) -> str:
    """msgspec's types in words: "`int | null`" is "a whole number"."""
    names = re.sub(r"`([^`]*)`", lambda m: _alternatives(m[1]), types)
    return names.replace(">=", "of at least").replace("<=", "of at most").replace(">", "above").replace("<", "below")


def _alternatives(names: str) -> str:
    parts = [_SPOKEN.get(name, name) for name in names.split(" | ") if name != "null" or names == "null"]
    return " or ".join(dict.fromkeys(parts))


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _index(at: Any, key: str) -> Any:
    if isinstance(at, list) and not (key.isdigit() and int(key) < len(at)):
        raise InputError(f"there is no item {key!r}", field=key, expected=f"0 to {len(at) - 1}")
    return int(key) if isinstance(at, list) else key
