"""Where the real servers are on this machine. Nothing is installed or started here: see `install.py`."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

__all__ = [
    "KAFKA_VERSION",
    "Unavailable",
    "alertmanager",
    "cache_folder",
    "chromium",
    "java",
    "kafka_libraries",
    "postgresql",
    "prometheus",
    "promtool",
    "promtool_3",
]

KAFKA_VERSION: Final = "4.4.0"
OLDEST_JAVA: Final = 17  # of Kafka 4's brokers


class Unavailable(Exception):
    """A program that the tests need is not on this machine; `make servers` tries to install it."""


def cache_folder() -> Path:
    """Return the folder for what is fetched for the tests: $LOKET_TEST_CACHE, or one in the user's cache."""
    named = os.environ.get("LOKET_TEST_CACHE")
    if named:
        return Path(named).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "loket-tests"


def kafka_libraries() -> Path:
    """Return the folder with Kafka's jars."""
    folder = cache_folder() / f"kafka-{KAFKA_VERSION}"
    if not folder.is_dir():
        raise Unavailable(f"Apache Kafka {KAFKA_VERSION} is not installed in {cache_folder()}")
    return folder


@cache
def java() -> Path:
    """Return a java that is new enough for Kafka 4."""
    found = []
    for candidate in (os.environ.get("JAVA_HOME", "") and os.environ["JAVA_HOME"] + "/bin/java", shutil.which("java")):
        if candidate and Path(candidate).exists():
            answer = subprocess.run([candidate, "-version"], capture_output=True, text=True, check=False).stderr
            version = re.search(r'version "(?:1\.)?(\d+)', answer)
            if version and int(version[1]) >= OLDEST_JAVA:
                return Path(candidate)
            found.append(f"{candidate} is version {version[1] if version else 'unknown'}")
    raise Unavailable(f"Java {OLDEST_JAVA} or newer is not installed ({', '.join(found) or 'none found'})")


@cache
def postgresql() -> Path:
    """Return the folder with the programs of a PostgreSQL server, the newest version first."""

    def version(folder: Path) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", folder.parent.name))

    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=version, reverse=True)
    on_path = [Path(program).resolve().parent for name in ("postgres", "initdb") if (program := shutil.which(name))]
    for folder in [*debian, *on_path]:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise Unavailable("no PostgreSQL server is installed (postgres and initdb)")


def _on_path(*names: str) -> Path:
    for name in names:
        program = shutil.which(name)
        if program:
            return Path(program)
    raise Unavailable(f"{names[0]} is not installed")


def prometheus() -> Path:
    """Return the program prometheus."""
    return _on_path("prometheus")


def promtool() -> Path:
    """Return the program promtool."""
    return _on_path("promtool")


def promtool_3() -> Path:
    """Return the promtool of Prometheus 3, which Debian 12 has not: docs/dashboards.md says how it is made."""
    return _on_path("promtool-3")


def chromium() -> Path:
    """Return the browser."""
    return _on_path("chromium", "chromium-browser", "google-chrome")


def alertmanager() -> Path:
    """Return the program alertmanager, under Debian's name or its own."""
    return _on_path("alertmanager", "prometheus-alertmanager")
