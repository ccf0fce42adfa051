"""CSV files as people make them: read strictly, with errors that name file, line and field.

A byte-order mark and Windows line ends are simply read; another separator, a missing column or a value that is not a
number is an InputError. Columns that nobody asked for stay in the row and are listed in `Table.columns`.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from routing.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its cells as text, and where it stands in the file."""

    file: Path
    line: int
    cells: dict[str, str]

    def text(self, field: str) -> str:
        """The cell, without surrounding blanks. Raises InputError if it is empty."""
        value = self.cells[field].strip()
        if not value:
            raise self.error(field, "is empty", expected="a value")
        return value

    def number(self, field: str, *, low: float = -math.inf, high: float = math.inf, unit: str = "") -> float:
        """The cell as a finite number within [low, high]. Raises InputError otherwise."""
        text = self.text(field)
        try:
            value = math.nan if "_" in text else float(text)  # Python reads 1_000 as a number; nobody else does
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or not low <= value <= high:
            raise self.error(field, f"{text!r} cannot be used", expected=_range(low, high, unit))
        return value

    def integer(self, field: str, *, low: float = -math.inf, high: float = math.inf, unit: str = "") -> int:
        """The cell as a whole number (3 and 3.0 alike) within [low, high]. Raises InputError otherwise."""
        value = self.number(field, low=low, high=high, unit=unit)
        if value != int(value):
            raise self.error(
                field, f"{self.text(field)!r} is not whole", expected=_range(low, high, unit, "a whole number")
            )
        return int(value)

    def has(self, field: str) -> bool:
        """Whether the column is there and the cell is not blank."""
        return bool(self.cells.get(field, "").strip())

    def error(self, field: str | None, what: str, *, expected: str | None = None) -> InputError:
        """An InputError that points at this line."""
        return InputError(what, file=self.file, line=self.line, field=field, expected=expected)


@dataclass(frozen=True, slots=True)
class Table:
    """A whole CSV file: its columns in order and its rows."""

    file: Path
    columns: tuple[str, ...]
    rows: list[Row]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def has(self, *columns: str) -> bool:
        """Whether all these columns are there."""
        return all(column in self.columns for column in columns)


def read_table(path: str | Path, *, required: tuple[str, ...] = (), member: str | None = None) -> Table:
    """Read a comma-separated UTF-8 file with a header line; `member`: the file inside of a zip archive.

    Raises InputError if the file cannot be read, has no header, lacks a required column, names a column twice,
    or has a line with another number of cells than the header. Blank lines are passed over.
    """
    path = Path(path)
    wanted = f"a header with {','.join(required)}" if required else "a header line"
    try:
        with contextlib.ExitStack() as stack:
            if member is None:
                file: IO[str] = stack.enter_context(path.open(encoding="utf-8-sig", newline=""))
            else:
                archive = stack.enter_context(zipfile.ZipFile(path))
                file = io.TextIOWrapper(stack.enter_context(archive.open(member)), encoding="utf-8-sig", newline="")
            columns, rows = _read(file, path if member is None else path / member, required, wanted)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", file=path, expected="a CSV file") from error
    except (zipfile.BadZipFile, KeyError) as error:
        raise InputError(
            "is no zip archive with this file", file=path, expected=f"{member} in a zip archive"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text", file=path, expected="a CSV file in UTF-8") from error
    except csv.Error as error:
        raise InputError(f"is not CSV ({error})", file=path, expected="comma-separated cells") from error
    return Table(path, columns, rows)


def _read(file: IO[str], path: Path, required: tuple[str, ...], wanted: str) -> tuple[tuple[str, ...], list[Row]]:
    reader = csv.reader(file, strict=True)
    header = next(reader, None)
    if header is None:
        raise InputError("is empty", file=path, expected=wanted)
    columns = tuple(name.strip() for name in header)
    _check_header(path, columns, required, wanted)
    rows = []
    for cells in reader:
        if not any(cells):
            continue
        if len(cells) != len(columns):
            expected = f"{len(columns)} as in the header"
            raise InputError(f"{len(cells)} cells", file=path, line=reader.line_num, expected=expected)
        rows.append(Row(path, reader.line_num, dict(zip(columns, cells, strict=True))))
    return columns, rows


def _check_header(path: Path, columns: tuple[str, ...], required: tuple[str, ...], wanted: str) -> None:
    missing = [name for name in required if name not in columns]
    if missing:
        for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if any(separator in column for column in columns):
                raise InputError(f"cells are separated by {name}", file=path, line=1, expected=f"commas, and {wanted}")
        raise InputError(f"column {missing[0]} is missing", file=path, line=1, field=missing[0], expected=wanted)
    twice = [name for i, name in enumerate(columns) if name in columns[:i]]
    if twice:
        raise InputError(
            f"column {twice[0]} stands twice", file=path, line=1, field=twice[0], expected="each column once"
        )


def _range(low: float, high: float, unit: str, kind: str = "a number") -> str:
    unit = f" {unit}" if unit else ""
    if low > -math.inf and high < math.inf:
        return f"{kind} from {low:g} to {high:g}{unit}"
    if low > -math.inf:
        return f"{kind} of at least {low:g}{unit}"
    if high < math.inf:
        return f"{kind} of at most {high:g}{unit}"
    return f"{kind}{unit}"
