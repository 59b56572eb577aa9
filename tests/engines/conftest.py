"""Two engines for one suite. Spark starts once a run; where it cannot, its tests skip, but never where CI is set."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from detector.engine import connect
from detector.spark.session import local_session, missing

_SPARK = pytest.param("spark", marks=[pytest.mark.server, pytest.mark.slow, pytest.mark.xdist_group("spark")])


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A connection to a small Spark of our own."""
    lacking = missing()
    if lacking is not None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(lacking))
    from detector.spark.connection import connect as connect_spark

    # a short life: compiling well would take longer than it saves
    settings = {
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.autoBroadcastJoinThreshold": "-1",  # a job of its own for each small table
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": "1",
    }
    quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    with local_session(memory="1g", java_options=quick, settings=settings) as session:
        yield connect_spark(session)


@pytest.fixture(params=["duckdb", _SPARK], scope="session")
def con(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A connection to each engine in turn."""
    if request.param == "spark":
        yield request.getfixturevalue("spark")
    else:
        connection = connect()
        yield connection
        connection.disconnect()
