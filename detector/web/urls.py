"""The addresses. No query string and no name of a person is ever part of one."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from detector.metrics.collector import CONTENT_TYPE, expose
from detector.triage.views import stylesheet, tonight


def metrics(_: HttpRequest) -> HttpResponse:
    """The text exposition format. A database that cannot be read is a failed scrape, not an empty one."""
    return HttpResponse(expose(), content_type=CONTENT_TYPE)


def health(_: HttpRequest) -> HttpResponse:
    """200 while pages can be served, 503 while the database cannot be reached."""
    try:
        connection.ensure_connection()
    except DatabaseError:
        return HttpResponse("the database cannot be reached\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("", tonight, name="tonight"),
    path("static/detector.css", stylesheet, name="stylesheet"),
    path("metrics", metrics, name="metrics"),
    path("healthz", health, name="health"),
]
