"""The one database: the ledger of what was read and scanned, the alerts and the decisions.

SQLite in the home directory by default, PostgreSQL by `DATABASE_URL`. Django is set up here, once a process, and
nowhere else; importing this module costs nothing, `open_database` imports Django.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from detector.errors import ConfigError, StateError
from detector.home import Home

#: Django apps with tables, lowest stage first. Strings, so that no import here goes up the house.
APPS = ("detector.ledger", "detector.triage")


def open_database(home: Home, env: Mapping[str, str] = os.environ, *, migrate: bool = True) -> None:
    """Point Django's default connection at this home's database and bring its tables up to date.

    Raises ConfigError for a DATABASE_URL that makes no sense, StateError when the database cannot be opened.
    """
    import django
    from django.conf import settings
    from django.db import connections
    from django.db.utils import DatabaseError

    target = _target(home, env)
    if not settings.configured:
        settings.configure(
            DATABASES={"default": target},
            INSTALLED_APPS=list(APPS),
            USE_TZ=True,
            TIME_ZONE="UTC",
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            **_web_settings(),
        )
        django.setup()
    elif any(connections.databases["default"].get(key) != target[key] for key in ("ENGINE", "NAME", "HOST", "PORT")):
        connections["default"].close()
        connections.databases["default"] = connections.configure_settings({"default": target})["default"]
        del connections["default"]
    if not migrate:
        return
    if target["ENGINE"].endswith("sqlite3"):
        home.root.mkdir(parents=True, exist_ok=True)
    try:
        _migrate()
    except DatabaseError as exc:
        raise StateError(
            f"the database cannot be opened: {str(exc).strip().splitlines()[0]}",
            hint="Check DATABASE_URL, or that the home directory can be written to.",
        ) from exc


def _migrate() -> None:
    """Apply what migrations are missing; a look at one table when there are none."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def _target(home: Home, env: Mapping[str, str]) -> dict[str, Any]:
    url = env.get("DATABASE_URL", "").strip()
    base: dict[str, Any] = {"HOST": "", "PORT": "", "USER": "", "PASSWORD": "", "OPTIONS": {}}
    if not url:
        options = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        }
        name = str(home.database.absolute())
        return {**base, "ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": options}
    import dj_database_url

    try:
        parsed = dict(dj_database_url.parse(url))
    except (dj_database_url.ParseError, ValueError) as exc:
        raise ConfigError(
            f"DATABASE_URL makes no sense: {exc}", hint="For example postgres://user:password@host:5432/detector"
        ) from None
    if not str(parsed.get("ENGINE", "")).endswith(("postgresql", "sqlite3")):
        raise ConfigError("DATABASE_URL must name a PostgreSQL or SQLite database")
    return {**base, **parsed}


def _web_settings() -> dict[str, Any]:
    """Settings of the pages that `detector serve` shows; without effect on any other command."""
    return {
        "ROOT_URLCONF": "detector.web.urls",
        # `detector serve` adds the address that it binds and `serve.allowed_hosts`.
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
        # Nothing is signed yet, there being no sign-in and no form: a key of this process alone will do.
        "SECRET_KEY": os.urandom(32).hex(),
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": []},
            }
        ],
        "MIDDLEWARE": [
            "detector.web.headers.bare_head",
            "detector.web.headers.strict_headers",
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
            "django.middleware.common.CommonMiddleware",
            "detector.web.headers.read_only",
            "detector.web.clock.local_times",
        ],
        "DETECTOR_TIME_ZONE": "UTC",
        "SECURE_REFERRER_POLICY": "no-referrer",
        "X_FRAME_OPTIONS": "DENY",
        "LOGGING": {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"stderr": {"class": "logging.StreamHandler"}, "nowhere": {"class": "logging.NullHandler"}},
            "loggers": {
                "django": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
                # A request under a foreign name is answered with 400; its traceback would only fill the log.
                "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
            },
        },
    }
