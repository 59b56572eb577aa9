"""The server as it is run: a process of its own on a free port, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_findings import NIGHT, NOW, budget, finding, forest
from prometheus_client.parser import text_string_to_metric_families

from detector.cli import run
from detector.database import open_database
from detector.home import Home
from detector.ledger.models import Night
from detector.records import Reason, Usual
from detector.triage.services import decide, list_alerts, raise_alerts

HOSTILE = "<script>alert('x')</script>\u202e\x1b[31m"


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = response.read().decode()


class Server:
    def __init__(self, home: Home, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "detector", "serve", "--home", str(home.root), "--port", "0", *options],
            stderr=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        )
        assert self.process.stderr is not None
        self.first = self.process.stderr.readline()
        address = re.search(r"http://(?:[\d.]+|\[[\d:]+\]):(\d+)/", self.first)
        assert address, self.first + self.process.stderr.read()
        self.port = int(address[1])

    def ask(self, path: str, *, method: str = "GET", host: str | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, headers={"Host": host} if host else {})
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def stop(self) -> str:
        """End it as systemd would; what it said on standard error."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        assert self.process.stderr is not None
        with self.process.stderr as said:
            return said.read()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over a home with a scanned night: three alerts waiting, one below the budget, one hostile."""
    from django.db import connections

    home = Home(tmp_path_factory.mktemp("served"))
    open_database(home, env={})
    usual = Usual("repeat_days", 9, 0.5, None, "Days on which this person was looked up")
    raise_alerts(
        NIGHT,
        [
            finding(
                "P-1",
                level="high",
                title="Looked up again and again",
                explanation="14 look-ups on 9 days.",
                usual=(usual,),
                reasons=((), (), (Reason("the actor is on case C1", counts=True),)),
            ),
            forest("P-1", explanation="Stranger than 99 % of look-ups."),
            finding(HOSTILE, level="medium", title=HOSTILE, explanation=HOSTILE, events=[HOSTILE, "e2"]),
            finding("P-3", "rule_c", level="low"),
            finding("P-4", "rule_d", level="low", hour=12),
        ],
        NOW,
        budget(3),
    )
    Night.objects.create(
        night=NIGHT, events_fingerprint="f", events=1000, findings=5, alerts=4, scanned_at=NOW, stage_seconds={}
    )
    connections.close_all()
    server = Server(home, "--allowed-host", "desk.example")
    yield server
    said = server.stop()
    assert server.process.returncode == 0, said
    assert said == ""


def test_the_page_says_who_why_and_what_is_usual(served: Server) -> None:
    page = served.ask("/")
    assert page.status == 200
    text = " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
    for words in (
        "Latest night 2 March 2026", "Scanned 3 Mar 2026, 03:00 UTC", "Waiting 3, 3 new", "Below the budget 1",
        "Looked up again and again", "P-1", "14 look-ups on 9 days.", "Stranger than 99 % of look-ups.",
        "Days on which this person was looked up repeat_days 9 0.5 -", "3 events as evidence",
        "For the access: the actor is on case C1 (1 of 3 look-ups).", "explains 2 of the 3 look-ups.",
    ):  # fmt: skip
        assert words in text
    assert text.index("Looked up again and again") < text.index("P-3")
    assert "P-4" not in text  # below the budget


def test_text_from_the_log_is_shown_and_does_nothing(served: Server) -> None:
    page = served.ask("/").text
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;\\u202e\\x1b[31m" in page
    assert not {"\u202e", "\x1b"} & set(page)


def test_no_person_is_in_titles_or_addresses(served: Server) -> None:
    page = served.ask("/").text
    assert re.search(r"<title>(.*)</title>", page, re.DOTALL)[1].strip() == "Alerts to look at - detector"  # type: ignore[index]
    assert all("P-" not in address for address in re.findall(r'(?:href|id)="([^"]*)"', page))


def test_the_page_can_be_read_without_seeing_it(served: Server) -> None:
    class Outline(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.headings: list[int] = []
            self.tags: list[tuple[str, dict[str, str | None]]] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tags.append((tag, dict(attrs)))
            if re.fullmatch(r"h[1-6]", tag):
                self.headings.append(int(tag[1]))

    outline = Outline()
    outline.feed(served.ask("/").text)
    names = [tag for tag, _ in outline.tags]
    assert dict(outline.tags)["html"] == {"lang": "en"}
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False))
    assert names.count("table") == names.count("caption") > 1
    assert all("scope" in attributes for tag, attributes in outline.tags if tag == "th")
    assert not {"script", "img", "form", "iframe", "style"} & set(names)
    assert not any(
        "style" in attributes or any(a.startswith("on") for a in attributes) for _, attributes in outline.tags
    )
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [a["href"] for tag, a in outline.tags if tag == "a" and a["href"]]
    assert {target.removeprefix("#") for target in targets} <= set(ids)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/metrics", 200), ("/healthz", 200), ("/static/detector.css", 200), ("/nowhere", 404)],
)
def test_headers_on_every_answer(served: Server, path: str, status: int) -> None:
    answer = served.ask(path)
    assert answer.status == status
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == ("max-age=300" if path.endswith(".css") else "no-store")
    assert "set-cookie" not in answer.headers


def test_metrics_can_be_scraped(served: Server) -> None:
    answer = served.ask("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert sum(sample.value for sample in families["detector_alerts"].samples) == 3


def test_health(served: Server) -> None:
    assert served.ask("/healthz").text == "ok\n"


def test_stylesheet_has_both_colour_schemes_and_loads_nothing(served: Server) -> None:
    answer = served.ask("/static/detector.css")
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "prefers-color-scheme: dark" in answer.text
    assert not re.search(r"url\(|@import", answer.text)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/metrics", "/nowhere"])
def test_only_reading(served: Server, method: str, path: str) -> None:
    answer = served.ask(path, method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_head_has_headers_only(served: Server) -> None:
    answer = served.ask("/", method="HEAD")
    assert (answer.status, answer.text) == (200, "")
    assert int(answer.headers["content-length"]) > 1000


@pytest.mark.parametrize(("host", "status"), [("evil.example", 400), ("desk.example", 200), ("localhost", 200)])
def test_only_under_its_own_names(served: Server, host: str, status: int) -> None:
    assert served.ask("/", host=host).status == status


def test_a_decision_shows_at_once_and_a_home_without_a_scan_is_fine(home: Home) -> None:
    server = Server(home)
    try:
        assert "No night has been scanned yet." in server.ask("/").text
        raise_alerts(NIGHT, [finding("P-1")], NOW, budget())
        Night.objects.create(
            night=NIGHT + timedelta(1),
            events_fingerprint="f",
            events=1,
            findings=0,
            alerts=0,
            scanned_at=NOW,
            stage_seconds={},
        )
        assert "Waiting</dt><dd>1, 0 new" in server.ask("/").text
        decide([list_alerts()[0].alert_id], "duplicate", reason="same_as_other", who="r", now=NOW)
        assert "No alert waits for a decision." in server.ask("/").text
    finally:
        said = server.stop()
    assert "warning" not in server.first + said


def test_times_are_in_the_configured_zone(home: Home, tmp_path: Path) -> None:
    config = tmp_path / "detector.yaml"
    config.write_text(json.dumps({"time_zone": "Europe/London"}))
    raise_alerts(NIGHT + timedelta(120), [finding(night=NIGHT + timedelta(120), hour=9)], NOW, budget())
    server = Server(home, "--config", str(config))
    try:
        assert "30 Jun 2026, 10:00 to 30 Jun 2026, 10:30 BST" in server.ask("/").text
    finally:
        server.stop()


def test_another_bind_than_loopback_is_warned_of(home: Home) -> None:
    server = Server(home, "--host", "0.0.0.0")  # noqa: S104 - that is what the warning is about
    try:
        assert server.ask("/healthz").status == 200
    finally:
        said = server.stop()
    assert "warning: there is no sign-in yet, so whoever can reach 0.0.0.0 reads every alert." in said


def test_a_port_in_use_and_a_foreign_address_are_named(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["serve", "--home", str(home.root), "--port", str(port)]) == 2
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in capsys.readouterr().err
    assert run(["serve", "--home", str(home.root), "--host", "192.0.2.1"]) == 2
    assert "cannot listen on 192.0.2.1 port 8000" in capsys.readouterr().err
