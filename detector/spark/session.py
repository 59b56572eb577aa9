"""A Spark of our own on this machine, for as long as a command takes."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: Log4j's settings: whatever goes wrong comes back as an exception. (Spark takes its own where there is no appender.)
_QUIET = """rootLogger.level = fatal
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = Spark: %m%n
"""
_JAVA = "Install Java 17 or newer (apt-get install default-jre-headless), or say where it is by JAVA_HOME."


def missing() -> ConfigError | None:
    """What must be installed before Spark can run here; None where nothing."""
    if importlib.util.find_spec("pyspark") is None:
        return ConfigError("Spark is not installed", hint="Install it beside the detector: pip install '.[spark]'")
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        return ConfigError("Spark needs Java, and there is none here", hint=_JAVA)
    return None


@contextmanager
def local_session(
    *, threads: int = 2, memory: str = "1500m", java_options: str = "", settings: Mapping[str, str] | None = None
) -> Iterator[SparkSession]:
    """A session in local mode, listening on this machine alone; stopped, and its files removed, on leaving.

    `settings` are more of Spark's, by their names there.

    Raises ConfigError where Spark or Java is missing, or Spark does not start.
    """
    lacking = missing()
    if lacking is not None:
        raise lacking
    # no row of ours goes through pandas there
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    # Spark asks the environment alone which Python its workers shall run
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    with tempfile.TemporaryDirectory(prefix="detector-spark-") as scratch:
        quiet = Path(scratch) / "log4j2.properties"
        quiet.write_text(_QUIET, encoding="utf-8")
        own: dict[str, Any] = {
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={quiet.as_uri()} {java_options}",
            "spark.driver.memory": memory,
            "spark.local.dir": scratch,
            "spark.sql.shuffle.partitions": str(threads),
            "spark.sql.warehouse.dir": f"{scratch}/warehouse",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            **(settings or {}),
        }
        builder = SparkSession.builder.master(f"local[{threads}]").appName("detector")
        try:
            session = builder.config(map=own).getOrCreate()
        except (PySparkException, OSError) as exc:
            raise ConfigError(f"Spark did not start: {str(exc).splitlines()[0]}", hint=_JAVA) from exc
        try:
            yield session
        finally:
            session.stop()
