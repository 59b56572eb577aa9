"""Two engines for one suite. Spark starts once a run; where it cannot, its tests skip, but never where CI is set."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detector.engine import connect

_SPARK = pytest.param("spark", marks=[pytest.mark.server, pytest.mark.slow, pytest.mark.xdist_group("spark")])


def _missing() -> str | None:
    if importlib.util.find_spec("pyspark") is None:
        return "no pyspark: pip install '.[spark]'"
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        return "no Java for Spark: apt-get install default-jre-headless"
    return None


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A connection to a small Spark of our own."""
    missing = _missing()
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    from pyspark.sql import SparkSession

    from detector.spark.connection import connect as connect_spark

    scratch: Path = tmp_path_factory.mktemp("spark")
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        # a short life: compiling well would take longer than it saves
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.driver.memory": "1g",
        "spark.local.dir": str(scratch),
        "spark.log.level": "ERROR",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("detector tests")
    session = builder.config(map=settings).getOrCreate()
    yield connect_spark(session)
    session.stop()


@pytest.fixture(params=["duckdb", _SPARK], scope="session")
def con(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A connection to each engine in turn."""
    if request.param == "spark":
        yield request.getfixturevalue("spark")
    else:
        connection = connect()
        yield connection
        connection.disconnect()
