"""Middleware: times on pages are in the zone of the settings' `time_zone`."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from detector.web.headers import Handler


def local_times(get_response: Handler) -> Handler:
    """Render each answer in the zone named by DETECTOR_TIME_ZONE."""

    def handle(request: HttpRequest) -> HttpResponse:
        with timezone.override(settings.DETECTOR_TIME_ZONE):
            return get_response(request)

    return handle
