"""The one exception for wrong input."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class InputError(Exception):
    """Something that a person gave (a file, a value, a name) cannot be used.

    `str()` is one line for that person: ``file:line: field: what was wrong; expected …``, with the parts that are
    known. The commands print it on stderr and exit with 2.
    """

    def __init__(
        self,
        what: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        field: str | None = None,
        expected: str | None = None,
    ) -> None:
        self.what = what
        self.file = None if file is None else str(file)
        self.line = line
        self.field = field
        self.expected = expected
        super().__init__(what)

    def __str__(self) -> str:
        place = [] if self.file is None else [self.file if self.line is None else f"{self.file}:{self.line}"]
        if self.file is None and self.line is not None:
            place = [f"line {self.line}"]
        if self.field is not None:
            place.append(self.field)
        text = ": ".join([*place, self.what])
        if self.expected is not None:
            text += f"; expected {self.expected}"
        return " ".join(text.split())  # one line, whatever the parts held

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword-only fields lose them when a worker process sends them home.
        return (_rebuild, (self.what, self.file, self.line, self.field, self.expected))


def _rebuild(what: str, file: str | None, line: int | None, field: str | None, expected: str | None) -> InputError:
    return InputError(what, file=file, line=line, field=field, expected=expected)
