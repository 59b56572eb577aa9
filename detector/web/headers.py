"""Middleware: reading only, and headers under which a browser runs nothing and passes nothing on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

Handler = Callable[[HttpRequest], HttpResponse]

READING: Final = ("GET", "HEAD")

#: `default-src 'none'` first: whatever is not named may not be loaded at all.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}


def strict_headers(get_response: Handler) -> Handler:
    """Set HEADERS on every answer, errors included; a view's own Cache-Control stays."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return handle


def bare_head(get_response: Handler) -> Handler:
    """Answer HEAD with GET's headers, length included, and no body: Django leaves that to the server."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "HEAD":
            response.content = b""
        return response

    return handle


def read_only(get_response: Handler) -> Handler:
    """405 for every method but GET and HEAD, whatever the address."""

    def handle(request: HttpRequest) -> HttpResponse:
        return get_response(request) if request.method in READING else HttpResponseNotAllowed(READING)

    return handle
