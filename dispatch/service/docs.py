"""The API on one page, rendered here: no script, nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
body{color:#123;background:#fff}
h2{margin-top:2.5rem;border-bottom:1px solid #9ab}summary{cursor:pointer;padding:.25rem 0}
code{background:#eef2f5;padding:.1rem .3rem;border-radius:.2rem}table{border-collapse:collapse;width:100%}
td{border-top:1px solid #dde;padding:.2rem .5rem;vertical-align:top}
.m{display:inline-block;width:4.2rem;font-weight:600}
"""


def page(schema: dict[str, Any]) -> str:
    """The page of an OpenAPI description."""
    by_tag: dict[str, list[str]] = {}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append(_operation(method, path, operation))
    info = schema["info"]
    parts = [f"<h2>{escape(tag)}</h2>{''.join(rows)}" for tag, rows in by_tag.items()]
    models = "".join(_model(name, model) for name, model in sorted(schema["components"]["schemas"].items()))
    about = "".join(f"<p>{escape(part)}</p>" for part in info["description"].split("\n\n"))
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])} API</title>"
        f"<style>{STYLE}</style><h1>{escape(info['title'])} API {escape(info['version'])}</h1>{about}"
        f"<p>Machine-readable: <a href=/openapi.json><code>/openapi.json</code></a></p>{''.join(parts)}"
        f"<h2>Models</h2>{models}</html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(p['name'])}</code><td>{escape(p['in'])}<td>{escape(p.get('description', ''))}"
        for p in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        rows.append(f"<tr><td>body<td>{_link(body)}<td>")
    for status, answer in operation["responses"].items():
        content: dict[str, Any] = next(iter(answer.get("content", {}).values()), {})
        rows.append(
            f"<tr><td>{escape(status)}<td>{_link(content.get('schema', {}))}<td>{escape(answer['description'])}"
        )
    about = escape(operation.get("description", ""))
    return (
        f"<details><summary><span class=m>{method.upper()}</span> <code>{escape(path)}</code></summary>"
        f"<p>{about}</p><table>{''.join(rows)}</table></details>"
    )


def _model(name: str, model: dict[str, Any]) -> str:
    needed = set(model.get("required", ()))
    rows = [
        f"<tr><td><code>{escape(field)}</code>{'' if field in needed else '?'}<td>{_link(kind)}"
        f"<td>{escape(str(kind.get('description', '')))}"
        for field, kind in model.get("properties", {}).items()
    ]
    about = escape(str(model.get("description", "")))
    head = f"<details id={escape(name)}><summary>{escape(name)}</summary><p>{about}</p>"
    return f"{head}<table>{''.join(rows)}</table></details>"


def _link(kind: dict[str, Any]) -> str:
    if "$ref" in kind:
        name = escape(kind["$ref"].rsplit("/", 1)[-1])
        return f"<a href=#{name}>{name}</a>"
    if "anyOf" in kind:
        return " or ".join(_link(one) for one in kind["anyOf"])
    if kind.get("type") == "array":
        return f"list of {_link(kind.get('items', {}))}"
    if "enum" in kind or "const" in kind:
        return escape(" | ".join(map(str, kind.get("enum", [kind.get("const")]))))
    return escape(str(kind.get("format") or kind.get("type", "")))
