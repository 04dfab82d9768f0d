"""The demo: the simulator's events are sent when they happen, and the worker's metrics are shown as they change."""

from __future__ import annotations

from time import sleep
from typing import Final

from loket.board import board_of
from loket.broker import EventProducer
from loket.clock import Clock
from loket.companions import Run
from loket.companions.ports import free_port
from loket.demo.screen import Screen
from loket.demo.watching import Watching, find_programs, token
from loket.embedded import EmbeddedBroker
from loket.pipeline import Answers, Pipeline, Places
from loket.pipeline.places import HOST
from loket.simulator import demo_targets, events
from loket.wire.cloudevents import encode

__all__ = ["run_demo"]

PARTITIONS: Final = 4
SEED: Final = 2026
SHOW_EVERY_S: Final = 0.5
WORKER_PORT: Final = 9101
SINK_PORT: Final = 9102
ALERTS_PORT: Final = 9103
BOARD_PORT: Final = 9104


def run_demo(clock: Clock, screen: Screen, seconds: float | None, *, monitoring: bool = False) -> Answers | None:
    """Run the demo for so many seconds, then return what metrics and record say of it; without a number for ever.

    `monitoring`: with Prometheus, Alertmanager and the receiver of alerts. Nothing is left behind. Raises
    MonitoringMissing, EmbeddedError, CompanionFailed, Unfinished and BrokerError.
    """
    programs = find_programs() if monitoring else None
    with Run("demo") as run:
        screen.say("Starting a broker, a worker and a sink on this machine …")
        broker = run.stack.enter_context(EmbeddedBroker())
        name = Places.unique("demo")
        places = Places(
            connection=broker.connection,
            topic="loket.events",
            app_id=f"{name}-worker",
            group_id=f"{name}-sink",
            database=f"sqlite:///{run.folder / 'record.db'}",
            worker_port=_port(WORKER_PORT, "worker", screen),
            sink_port=_port(SINK_PORT, "sink", screen),
            board_port=_port(BOARD_PORT, "board", screen),
            alerts_port=_port(ALERTS_PORT, "receiver of alerts", screen) if monitoring else None,
            board_token=token() if monitoring else None,
            clock="service",
            targets=demo_targets(),
            embedded=True,
        )
        pipeline = Pipeline(run, places, clock, partitions=PARTITIONS, broker_runs=lambda: broker.running)
        pipeline.start()
        watching = None if programs is None else Watching(run, places, programs)
        if watching is not None:
            watching.start()
        pipeline.wait_until_ready()
        screen.say(f"Metrics: {pipeline.metrics_url}/metrics (employees: {pipeline.metrics_url}/metrics/employees)")
        screen.say(f"In a browser: http://{HOST}:{places.board_port}/")
        screen.say(f"Try in another terminal: loket status --url {pipeline.metrics_url}")
        if watching is not None:
            screen.say(f"Prometheus: http://{HOST}:{watching.prometheus_port}/alerts (a minute of a rule is a second)")
            screen.say(f"Alertmanager: http://{HOST}:{watching.alertmanager_port}/")
            screen.say("Waits are seconds here, so that alerts, which tell whole minutes, say 0 min or 1 min.")
            screen.say(f'To take an alert in the browser by "I take it", the token is {places.board_token}')
        with EventProducer(places.connection, places.topic) as producer:
            with screen:
                _play(pipeline, producer, clock, screen, seconds, watching)
            producer.flush()
            ends = producer.ends
        screen.say("The offices are closed; waiting until worker and sink have applied everything …")
        pipeline.settle(ends)
        return pipeline.answers(ends)


def _port(wanted: int, whose: str, screen: Screen) -> int:
    port = free_port(wanted)
    if port != wanted:
        screen.say(f"Port {wanted} is in use by another program, so the {whose} is on {port}.")
    return port


def _play(
    pipeline: Pipeline,
    producer: EventProducer,
    clock: Clock,
    screen: Screen,
    seconds: float | None,
    watching: Watching | None,
) -> None:
    """Send each event when it is due, and show the board in between."""
    began = clock.monotonic()
    start_ms = clock.now_ms()
    shown = began - SHOW_EVERY_S
    for due, event in events(SEED, start_ms):
        while True:
            now = clock.monotonic()
            elapsed = now - began
            if seconds is not None and elapsed >= seconds:
                return
            if now - shown >= SHOW_EVERY_S:
                shown = now
                _show(pipeline, screen, elapsed)
                for line in () if watching is None else watching.news():
                    screen.say(line)
                continue
            wait = (due - start_ms) / 1000 - elapsed
            if wait <= 0:
                break
            sleep(min(wait, SHOW_EVERY_S / 2))
        encoded = encode(event)
        producer.send(encoded.key, encoded.value, encoded.headers)


def _show(pipeline: Pipeline, screen: Screen, elapsed_s: float) -> None:
    screen.show(board_of(pipeline.metrics()), elapsed_s)
