"""The server: gunicorn, one process with a few threads, in front of Django.

gunicorn and not the standard library's server, because that one has no limit on slow clients, header sizes or the
number of threads. One worker process, because a scrape and a page are a few queries; threads, so that a scrape does
not wait for a page. TLS and sign-in are a proxy's work until the reviewers' desk brings its own.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.conf import settings as django_settings
from django.core.wsgi import get_wsgi_application
from django.db import connections
from gunicorn.app.base import BaseApplication

from detector.errors import UsageError

#: What one server takes; seconds and bytes. Nothing we serve needs more.
LIMITS: Final[dict[str, Any]] = {
    "workers": 1,
    "threads": 4,
    "worker_class": "gthread",
    "worker_connections": 100,
    "timeout": 30,
    "graceful_timeout": 5,
    "keepalive": 5,
    "limit_request_line": 2048,
    "limit_request_fields": 50,
    "limit_request_field_size": 4096,
    "loglevel": "warning",
    "control_socket_disable": True,
    "proc_name": "detector",
}
_BACKLOG: Final = 64
_EVERY_ADDRESS: Final = ("0.0.0.0", "::")  # noqa: S104 - only compared with


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts already; port 0 takes a free one. Raises UsageError when the address cannot be had."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        bound = socket.socket(family, kind)
    except OSError as exc:
        raise UsageError(f"{host} is no address of this machine: {exc.strerror}") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
    except OSError as exc:
        bound.close()
        raise UsageError(
            f"cannot listen on {host} port {port}: {exc.strerror}", hint="Choose another --host or --port."
        ) from None
    return bound


def address_of(bound: socket.socket) -> str:
    """As a URL."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run(bound: socket.socket, *, host: str, allowed_hosts: Sequence[str], time_zone: str) -> None:
    """Serve the open database on `bound` until told to stop (SIGTERM, SIGINT). Does not return: exits the process."""
    own = [] if host in _EVERY_ADDRESS else [f"[{host}]" if ":" in host else host]
    django_settings.ALLOWED_HOSTS = [*django_settings.ALLOWED_HOSTS, *own, *allowed_hosts]
    django_settings.DETECTOR_TIME_ZONE = time_zone
    connections.close_all()  # the worker is a fork: it must open its own
    bound.set_inheritable(True)
    _Server(get_wsgi_application, bound).run()


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings alone: it reads no file, no environment and no command line."""

    def __init__(self, application: Callable[[], Any], bound: socket.socket) -> None:
        self._application = application
        self._bound = bound
        super().__init__()

    def load_config(self) -> None:
        for name, value in {**LIMITS, "bind": f"fd://{self._bound.fileno()}", "backlog": _BACKLOG}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._application()
