"""The pages' types are the API's: an interface in TypeScript has the fields of the model of its name, no others."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from pydantic import BaseModel

from dispatch.service import app, driver_models, models, operator_models, problems

SOURCES = Path(__file__).parents[2] / "dispatch" / "console" / "src"
MODULES = (app, driver_models, models, operator_models, problems)
INTERFACE = re.compile(r"^export interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^  (\w+)(\??):", re.MULTILINE)


def test_the_pages_know_the_api() -> None:
    """Every interface that has a model's name."""
    known = {
        name: model
        for module in MODULES
        for name, model in vars(module).items()
        if inspect.isclass(model) and issubclass(model, BaseModel)
    }
    told: dict[str, set[str]] = {}
    wrong: list[str] = []
    for file in sorted(SOURCES.rglob("*types.ts")):
        for name, base, body in INTERFACE.findall(file.read_text(encoding="utf-8")):
            told[name] = {field for field, _ in FIELD.findall(body)} | told.get(base, set())
            if name in known:
                fields = {field.alias or key for key, field in known[name].model_fields.items()}
                if unknown := told[name] - fields:
                    wrong.append(f"{file.name}: {name} has {sorted(unknown)}, which the API does not tell")
                if file.parent.name in ("shared", "operator") and (missing := fields - told[name]):
                    wrong.append(f"{file.name}: {name} lacks {sorted(missing)}")
    assert not wrong, "\n".join(wrong)
    assert len(told.keys() & known.keys()) > 15
