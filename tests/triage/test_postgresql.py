"""The same services on a real PostgreSQL, started for these tests in a folder of its own, reached by a socket there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from made_findings import NIGHT, NOW, budget, finding, forest

from detector.config import Settings
from detector.database import open_database
from detector.errors import ConfigError, StateError, UsageError
from detector.home import Home
from detector.ledger.models import Run
from detector.metrics.collector import expose
from detector.triage.models import Alert, AlertFinding
from detector.triage.services import (
    decide,
    draw_samples,
    list_alerts,
    misses,
    raise_alerts,
    reserve_slots,
    verify_chain,
)


def _program(name: str) -> str | None:
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(debian[-1]) if debian else shutil.which(name)


needs_server = [
    pytest.mark.server,
    pytest.mark.skipif(
        _program("initdb") is None and not os.environ.get("CI"), reason="no PostgreSQL: apt-get install postgresql"
    ),
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A DATABASE_URL. PostgreSQL refuses to run as root, so root starts it as the user that Debian made for it."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    assert initdb is not None, "install PostgreSQL: apt-get install postgresql"
    assert pg_ctl is not None, "install PostgreSQL: apt-get install postgresql"
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="detector-pg-"))  # short: a socket's path has at most 107 bytes
    if user:
        shutil.chown(folder, user)

    def run(*command: str) -> None:
        done = subprocess.run(
            command,
            user=user,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode()

    data = str(folder / "data")
    run(initdb, "--pgdata", data, "--username", "detector", "--auth", "trust", "--encoding", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    run(pg_ctl, "start", "--wait", "--pgdata", data, "--options", options, "--log", str(folder / "log"))
    try:
        yield f"postgres://detector@{quote(str(folder), safe='')}/postgres"
    finally:
        run(pg_ctl, "stop", "--mode", "immediate", "--pgdata", data)
        shutil.rmtree(folder)


@pytest.fixture
def database(server: str, tmp_path: Path) -> Iterator[None]:
    """The server's database with the tables made, empty, as Django's default connection."""
    from django.core.management import call_command
    from django.db import connections

    open_database(Home(tmp_path / "home"), {"DATABASE_URL": server})
    assert connections["default"].vendor == "postgresql"
    yield
    call_command("migrate", "triage", "zero", verbosity=0)
    call_command("migrate", "ledger", "zero", verbosity=0)
    connections.close_all()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "makes no sense"),
        ("mysql://u@h/d", "PostgreSQL or SQLite"),
        ("postgres://u@h:port/d", "makes no sense"),
    ],
)
def test_a_url_that_makes_no_sense_is_refused(tmp_path: Path, url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_database(Home(tmp_path), {"DATABASE_URL": url})


class TestOnPostgreSQL:
    pytestmark = [*needs_server, pytest.mark.usefixtures("database")]

    def test_a_night_is_raised_once(self) -> None:
        findings = [finding("P-1", level="high"), forest("P-1"), finding("P-2"), finding("P-3", level="informational")]
        first = raise_alerts(NIGHT, findings, NOW, budget(1))
        assert [(a.level, a.in_budget) for a in first.raised] == [("high", True), ("medium", False)]
        before = list(Alert.objects.order_by("pk").values()), list(AlertFinding.objects.order_by("pk").values())
        assert raise_alerts(NIGHT, findings, NOW + timedelta(1), budget(1)).touched == ()
        assert (
            list(Alert.objects.order_by("pk").values()),
            list(AlertFinding.objects.order_by("pk").values()),
        ) == before
        raise_alerts(NIGHT + timedelta(1), [finding("P-2", night=NIGHT + timedelta(1))], NOW, budget(1))
        strong, again = list_alerts()
        assert (strong.actor_id, strong.score) == ("P-1", 86.5)
        assert again.actor_id == "P-2"
        assert again.score > 45.0, "a second night adds to it"

    def test_blind_samples_are_drawn_once(self) -> None:
        settings = Settings.model_validate({"budget": {"alerts_per_night": 2, "sample_share": 0.5}})
        drawn = []
        for _ in range(2):
            reserve_slots(NIGHT, settings.budget)
            raise_alerts(NIGHT, [finding("P-1"), finding("P-2")], NOW, settings)
            drawn.append(
                draw_samples(
                    NIGHT,
                    [f"P-{n}" for n in range(9)],
                    [],
                    NOW,
                    settings.budget,
                    lambda people: {who: forest(who) for who in people},
                )
            )
        assert drawn == [1, 0]
        assert [alert.in_budget for alert in Alert.objects.filter(sample_probability=1 / 8)] == [True]
        assert (misses().drawn, misses().unflagged) == (1, 8)

    def test_long_and_foreign_text_fits(self) -> None:
        long = "x" * 5000
        raise_alerts(
            NIGHT,
            [finding(long, long, theme=long, events=[long], title=long, explanation="東京 " + long)],
            NOW,
            budget(),
        )
        (alert,) = list_alerts()
        assert (alert.actor_id, alert.event_ids) == (long, (long,))

    def test_decisions_make_one_chain_whoever_decides_at_once(self) -> None:
        from django.db import connections

        raise_alerts(NIGHT, [finding(f"P-{n}") for n in range(12)], NOW, budget(12))
        ids = [alert.alert_id for alert in list_alerts()]
        begin = threading.Barrier(4)

        def give(mine: list[str]) -> None:
            begin.wait(timeout=30)
            for alert_id in mine:
                decide([alert_id], "false_positive", reason="case_work", who="r", now=NOW)
            connections.close_all()

        threads = [threading.Thread(target=give, args=(ids[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        report = verify_chain()
        assert (report.rows, report.faults) == (12, ())

    def test_of_two_who_decide_the_same_alert_one_is_told(self) -> None:
        from django.db import connections

        raise_alerts(NIGHT, [finding()], NOW, budget())
        alert_id = list_alerts()[0].alert_id
        begin, told = threading.Barrier(2), []

        def give(verdict: str) -> None:
            begin.wait(timeout=30)
            try:
                decide([alert_id], verdict, reason="x", who="r", now=NOW)
            except UsageError as exc:
                told.append(str(exc))
            connections.close_all()

        threads = [threading.Thread(target=give, args=(verdict,)) for verdict in ("false_positive", "benign_positive")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert len(told) == 1
        assert verify_chain().rows == 1

    def test_metrics(self) -> None:
        raise_alerts(NIGHT, [finding("P-1"), finding("P-2")], NOW, budget(1))
        Run.objects.create(
            command="scan", state="succeeded", started_at=NOW, finished_at=NOW, summary={"rules": {"active": 2}}
        )
        text = expose().decode()
        assert 'detector_alerts{level="medium",rule="rule_a",state="open"} 1.0' in text
        assert 'detector_alerts_raised_total{level="medium",rule="rule_a"} 2.0' in text
        assert 'detector_rules{status="active"} 2.0' in text


class TestUnreachable:
    def test_a_server_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        pytest.importorskip("psycopg", reason="no psycopg: pip install 'detector[postgresql]'")
        url = f"postgres://detector@{quote(str(tmp_path), safe='')}/postgres"
        with pytest.raises(StateError, match="the database cannot be opened"):
            open_database(Home(tmp_path / "home"), {"DATABASE_URL": url})
