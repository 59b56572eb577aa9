"""`detector serve`: the night's alerts and the metrics, over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from detector.cli.common import load, say


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any free port.")] = 8000,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option("--allowed-host", metavar="NAME", help="Another name it may be addressed by; may be repeated."),
    ] = None,
) -> None:
    """Show the night's alerts (read-only) at / and the metrics at /metrics, until stopped."""
    home, settings = load(ctx)
    from detector.database import open_database
    from detector.web import server

    bound = server.listen(host, port)
    open_database(home)
    say(f"listening on {server.address_of(bound)}")
    if not server.is_loopback(host):
        say(
            [
                f"warning: there is no sign-in yet, so whoever can reach {host} reads every alert.",
                "  Put a proxy that signs people in before it, or use the default --host 127.0.0.1.",
            ]
        )
    names = [*settings.serve.allowed_hosts, *(allowed_host or ())]
    server.run(bound, host=host, allowed_hosts=names, time_zone=settings.time_zone)
