"""InputError: one line for a person."""

import pickle

import pytest

from routing.errors import InputError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InputError("is odd"), "is odd"),
        (InputError("is odd", file="a.csv"), "a.csv: is odd"),
        (InputError("is odd", file="a.csv", line=3, field="lat", expected="42"), "a.csv:3: lat: is odd; expected 42"),
        (InputError("is odd", line=3), "line 3: is odd"),
        (InputError("two\nlines", field="x"), "x: two lines"),
    ],
)
def test_it_reads_as_one_line(error: InputError, text: str) -> None:
    """File, line, field, trouble and remedy stand in this order, those that are known."""
    assert str(error) == text


def test_it_survives_the_way_from_a_worker_process() -> None:
    """Pickling keeps all parts, though they are keyword-only."""
    error = InputError("is odd", file="a.csv", line=3, field="lat", expected="42")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.line, copy.expected) == (str(error), 3, "42")
