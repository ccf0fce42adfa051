"""Arrays whose references compiled code does not count: counting takes up to a quarter of a loop over many rows."""

from __future__ import annotations

from typing import Any

from numba.core import cgutils
from numba.extending import intrinsic


def _view(_context, array):  # type: ignore[no-untyped-def]
    """The same array without its reference count. Who uses it sees to it that the array lives longer."""

    def built(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)  # type: ignore[no-untyped-call]
        view.parent = cgutils.get_null_value(view.parent.type)  # type: ignore[no-untyped-call]
        return view._getvalue()

    return array(array), built


uncounted: Any = intrinsic(_view)
"""For compiled code only."""
