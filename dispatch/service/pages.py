"""The web pages as `dispatch/console` builds them: HTML at short addresses, their assets under /pages.

Everything comes from this origin. There are no cookies: a page keeps a bearer token and sends it itself, so a call from
another site carries nobody's authority.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from dispatch.service.problems import Problem

BUILT = Path(__file__).parents[1] / "console" / "dist"
PAGES = {
    "/console": "operator.html",
    "/planner": "planner.html",
    "/driver": "driver.html",
    "/rider": "rider.html",
    "/rider/plain": "plain.html",
}
CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "frame-src 'self'",  # planners' reports, each with a policy of its own
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FOREVER = "public, max-age=31536000, immutable"
"""for assets, whose names change when they do"""
ASKED_AGAIN = "no-cache"
mimetypes.add_type("application/manifest+json", ".webmanifest")
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/javascript", ".mjs")


def router(built: Path = BUILT) -> APIRouter:
    """Routes of all pages, built in this folder."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def start() -> Response:
        """Most who come are riders."""
        return RedirectResponse("/rider", headers={"Cache-Control": ASKED_AGAIN})

    for address, file in PAGES.items():
        routes.add_api_route(address, _page(built, file), methods=["GET"], name=file.removesuffix(".html"))

    @routes.get("/pages/{path:path}")
    async def asset(path: str, request: Request) -> Response:
        """A script, style sheet, icon, manifest or worker."""
        file = await run_in_threadpool(_inside, built, path)
        if file is None or file.suffix == ".html":
            raise Problem("not_found")
        headers = dict(HEADERS)
        if file.name.startswith("sw") and file.suffix == ".js":
            # a service worker answers for the page's address, not for the folder where it lies
            headers["Service-Worker-Allowed"] = "/"
        headers["Cache-Control"] = FOREVER if path.startswith("assets/") else ASKED_AGAIN
        return _answer(file, headers, request)

    return routes


def _page(built: Path, name: str):  # type: ignore[no-untyped-def]  # a route: FastAPI reads its own annotations
    async def page(request: Request) -> Response:
        file = await run_in_threadpool(_inside, built, name)
        if file is None:
            return PlainTextResponse(
                "The pages are not built here. Run `python dispatch/console/build_pages.py`, or install Naru anew.\n",
                status_code=503,
            )
        return _answer(file, {**HEADERS, "Cache-Control": ASKED_AGAIN}, request)

    return page


def _inside(folder: Path, path: str) -> Path | None:
    """The file of this path if it lies in the folder."""
    try:
        file = (folder / path).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
    except (OSError, ValueError):
        return None


def _answer(file: Path, headers: dict[str, str], request: Request) -> Response:
    response = FileResponse(file, headers=headers)
    stat = file.stat()
    response.set_stat_headers(stat)
    if request.headers.get("if-none-match") == response.headers["etag"]:
        return Response(status_code=304, headers={**headers, "ETag": response.headers["etag"]})
    return response
