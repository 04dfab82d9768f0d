"""Install the servers, and the browser, that the tests need and this machine lacks: `python -m support.install`.

Debian's packages when we are root on Debian, Apache Kafka by Maven. Nothing is upgraded, no service is left running,
and a second run finds everything and does nothing. What cannot be had is named; with CI=true that is a failure, else
the tests that need it are skipped.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support import programs

HERE = Path(__file__).parent
POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Need:
    """A program, how to find it, and the Debian package that has it."""

    find: Callable[[], Path]
    package: str
    services: tuple[str, ...] = ()


def _maven() -> Path:
    program = shutil.which("mvn")
    if not program:
        raise programs.Unavailable("Maven is not installed")
    return Path(program)


def _missing(needs: Sequence[Need]) -> dict[str, Need]:
    missing = {}
    for need in needs:
        try:
            need.find()
        except programs.Unavailable:
            missing[need.package] = need
    return missing


def _kafka_missing() -> bool:
    try:
        programs.kafka_libraries()
    except programs.Unavailable:
        return True
    return False


def _run(command: Sequence[str], **more: str) -> str:
    """Run a command; return why it failed, or nothing."""
    done = subprocess.run(
        list(command),
        env=os.environ | more,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return f"`{' '.join(command[:4])}` failed: {' / '.join(lines[-3:])}"


@contextmanager
def _no_services_started() -> Iterator[None]:
    """While it lasts, Debian's packages start no service (the documented way: a policy that forbids it)."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def _install_packages(missing: dict[str, Need]) -> str:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"install these yourself, as we are not root on Debian: {' '.join(missing)}"
    quiet = ("-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Sandbox::User=root")
    print(f"installing from Debian: {' '.join(missing)}", flush=True)
    with _no_services_started():
        failure = _run(["apt-get", "update", *quiet]) or _run(
            ["apt-get", "install", "--yes", "--no-install-recommends", *quiet, *missing],
            DEBIAN_FRONTEND="noninteractive",
        )
    services = [service for need in missing.values() for service in need.services]
    if services and shutil.which("systemctl"):
        _run(["systemctl", "disable", "--quiet", *services])  # nor at the next start of the machine; may not apply here
    programs.java.cache_clear()
    programs.postgresql.cache_clear()
    return failure


def _install_kafka() -> str:
    try:
        maven = _maven()
    except programs.Unavailable as reason:
        return f"Apache Kafka cannot be fetched: {reason}"
    print(f"fetching Apache Kafka {programs.KAFKA_VERSION}", flush=True)
    wanted = programs.cache_folder() / f"kafka-{programs.KAFKA_VERSION}"
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.parent, prefix=".kafka-") as half:
        failure = _run(
            [
                str(maven),
                "--quiet",
                "--batch-mode",
                f"--file={HERE / 'kafka_home' / 'pom.xml'}",
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
                f"-Dkafka.version={programs.KAFKA_VERSION}",
                f"-DoutputDirectory={half}/libs",
            ]
        )
        if not failure and not wanted.exists():
            (Path(half) / "libs").rename(wanted)  # whole or not at all
    return failure


def main() -> int:
    needs = [
        Need(programs.postgresql, "postgresql", ("postgresql",)),
        Need(programs.prometheus, "prometheus", ("prometheus",)),
        Need(programs.promtool, "prometheus", ("prometheus",)),
        Need(programs.alertmanager, "prometheus-alertmanager", ("prometheus-alertmanager",)),
        Need(programs.java, "default-jre-headless"),
        Need(programs.chromium, "chromium"),
    ]
    if _kafka_missing():
        needs.append(Need(_maven, "maven"))
    failures = []
    missing = _missing(needs)
    if missing:
        failures.append(_install_packages(missing))
    if _kafka_missing():
        failures.append(_install_kafka())
    still = [f"{package} is missing" for package in _missing(needs)]
    if _kafka_missing():
        still.append("Apache Kafka is missing")
    for line in (*filter(None, failures), *still):
        print(f"servers for the tests: {line}", file=sys.stderr)
    if still and os.environ.get("CI") == "true":
        return 1
    if still:
        print("servers for the tests: the tests that need them are skipped", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
