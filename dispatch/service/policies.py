"""Changes of the rules in force, checked before they are decided."""

from __future__ import annotations

from typing import Any

import msgspec

from dispatch.core.domain import Policy
from dispatch.core.policy_bounds import out_of_bounds
from dispatch.service.problems import Problem


def changed(policy: Policy, changes: dict[str, Any]) -> Policy:
    """The policy with these rules changed, its version one higher. Raises Problem naming what cannot be."""
    merged = {**msgspec.to_builtins(policy), **changes, "version": policy.version + 1}
    for rule, value in changes.items():
        if isinstance(value, dict) and isinstance(kept := getattr(policy, rule, None), msgspec.Struct):
            merged[rule] = {**msgspec.to_builtins(kept), **value}
    unknown = sorted(set(changes) - set(Policy.__struct_fields__))
    if unknown:
        raise Problem("invalid", fields=["body.changes: holds a rule that is not known"])
    try:
        new = msgspec.convert(merged, Policy, strict=True)
    except (msgspec.ValidationError, OverflowError, ValueError):
        raise Problem("invalid", fields=["body.changes: holds a rule of the wrong kind"]) from None
    for path, wrong, expected in out_of_bounds(new):
        raise Problem("invalid", fields=[f"body.changes.{'.'.join(path)}: {wrong}; expected {expected}"])
    return new
