"""The outbox: bounds, numbers, the lock, and what a file that is not whole does."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loket.emitter.clockwatch import Reading
from loket.emitter.errors import NotAnOutbox, OutboxFull, OutboxInUse, OutboxUnwritable
from loket.emitter.frame import Frame, find_frames
from loket.emitter.outbox import Outbox
from loket.emitter.salvage import missing
from loket.emitter.status import read_status
from loket.emitter.store import Limits
from support.emitting import START_MS

NOW = Reading(START_MS, 100_000, 7)


def _open(path: Path, **limits: int) -> Outbox:
    return Outbox(path, Limits(**limits), NOW)


def _value(number: int, size: int = 200) -> bytes:
    return b'{"specversion":"1.0","n":%d,"pad":"%s","data":{"unit":"u"}}' % (number, b"x" * size)


def _numbers(outbox: Outbox) -> list[int]:
    return [frame.seq for frame in outbox.waiting(1_000_000, 1 << 30)]


def _copied(outbox: Outbox, folder: Path) -> Path:
    """The files as a power cut would leave them: what was synced, and no shared memory."""
    folder.mkdir()
    for suffix in ("", "-wal"):
        source = outbox.path.with_name(outbox.path.name + suffix)
        (folder / source.name).write_bytes(source.read_bytes())
    return folder / outbox.path.name


def test_full_by_events_says_what_to_do_and_drops_nothing(tmp_path: Path) -> None:
    outbox = _open(tmp_path / "o.db", max_events=3)
    outbox.append([_value(1), _value(2)], NOW)
    with pytest.raises(OutboxFull, match=r"2 events wait, 0 are set aside .* `loket emit --status`"):
        outbox.append([_value(3), _value(4)], NOW)
    assert _numbers(outbox) == [1, 2]
    outbox.append([_value(3)], NOW)
    outbox.set_aside(1, "refused", START_MS)
    with pytest.raises(OutboxFull, match=r"2 events wait, 1 are set aside"):
        outbox.append([_value(4)], NOW)
    outbox.acknowledge([2])
    assert outbox.append([_value(4)], NOW) == [4]


def test_the_disk_is_bounded_and_a_full_outbox_can_still_be_emptied(tmp_path: Path) -> None:
    limit = 4 << 20
    outbox = _open(tmp_path / "o.db", max_bytes=limit)
    stored: list[int] = []

    def fill() -> None:
        while True:
            stored.extend(outbox.append([_value(1, 3_000)] * 20, NOW))

    with pytest.raises(OutboxFull):
        fill()

    assert len(stored) > 400
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= limit + 65_536  # the shared memory beside it
    assert _numbers(outbox) == stored
    outbox.set_aside(stored[0], "refused", START_MS)
    outbox.acknowledge(stored[1:])
    outbox.forget_aside([stored[0]])
    assert len(outbox.append([_value(1, 3_000)] * 400, NOW)) == 400


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace, which sees what is synced, is not installed")
def test_each_append_is_on_the_disk_before_it_returns(tmp_path: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from loket.emitter.clockwatch import Reading
from loket.emitter.outbox import Outbox
from loket.emitter.store import Limits
outbox = Outbox(Path(sys.argv[1]), Limits(), Reading(1, 1, 1))
for number in range(5):
    outbox.append([b'{"data":{"unit":"u"}}'], Reading(1, 1, 1))
    os.write(1, b"returned")
"""
    trace = tmp_path / "trace"
    command = ["strace", "-y", "-e", "trace=fsync,fdatasync,write", "-o", str(trace), sys.executable, "-c", program]
    done = subprocess.run([*command, str(tmp_path / "o.db")], capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    steps = trace.read_text().partition('"returned"')[2].split('"returned"')
    assert len(steps) == 5
    for step in steps[:-1]:
        assert any("sync(" in line and "o.db-wal" in line for line in step.splitlines())


def test_numbers_only_grow_also_over_an_empty_outbox(tmp_path: Path) -> None:
    outbox = _open(tmp_path / "o.db")
    outbox.acknowledge(outbox.append([_value(1), _value(2)], NOW))
    outbox.close()
    assert _open(tmp_path / "o.db").append([_value(3)], NOW) == [3]


def test_a_second_process_is_refused_with_the_first_ones_id(tmp_path: Path) -> None:
    outbox = _open(tmp_path / "o.db")
    program = "import sys; from loket.cli import main; main(['emit', '--source', 's', '--outbox', sys.argv[1], '{}'])"
    second = subprocess.run(
        [sys.executable, "-c", program, str(outbox.path)], capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert f"in use by process {os.getpid()}" in second.stderr
    with pytest.raises(OutboxInUse) as refused:
        _open(tmp_path / "o.db")
    assert refused.value.pid == os.getpid()
    assert read_status(outbox.path).held_by == os.getpid()
    outbox.close()
    assert read_status(outbox.path).held_by is None
    _open(tmp_path / "o.db")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxUnwritable, match="Not a directory; make the folder"):
        _open(tmp_path / "file" / "o.db")
    with pytest.raises(OutboxUnwritable, match="No such file"):
        _open(tmp_path / "no" / "o.db")


def test_a_disk_that_takes_no_more_refuses_the_event_and_keeps_the_others(tmp_path: Path) -> None:
    program = """
import resource, signal, sys
from pathlib import Path
from loket.emitter.clockwatch import Reading
from loket.emitter.errors import OutboxError
from loket.emitter.outbox import Outbox
from loket.emitter.store import Limits
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
outbox = Outbox(Path(sys.argv[1]), Limits(), Reading(1, 1, 1))
stored = 0
try:
    while True:
        stored += len(outbox.append([b'{"data":{"unit":"u"}}' + b" " * 500], Reading(1, 1, 1)))
except OutboxError as error:
    print(stored, error)
print(len(outbox.waiting(10_000, 1 << 30)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "o.db")], capture_output=True, text=True, check=True
    )
    said, left = done.stdout.splitlines()
    stored, _, message = said.partition(" ")
    assert stored == left
    assert int(stored) > 10
    assert "no event was taken" in message
    assert len(_numbers(_open(tmp_path / "o.db"))) == int(stored)


@pytest.mark.parametrize("content", [b"letter to my aunt\n" * 100, b"x"])
def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "o.db").write_bytes(content)
    with pytest.raises(NotAnOutbox, match="left as it is"):
        _open(tmp_path / "o.db")
    assert (tmp_path / "o.db").read_bytes() == content


def test_a_database_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "o.db")
    connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    with pytest.raises(NotAnOutbox, match="a database of something else"):
        _open(tmp_path / "o.db")
    connection = sqlite3.connect(tmp_path / "o.db")
    connection.execute("SELECT name FROM recipes")
    connection.close()


def test_a_damaged_file_is_set_aside_and_named_and_what_can_be_read_is_sent(tmp_path: Path) -> None:
    outbox = _open(tmp_path / "o.db")
    for number in range(200):
        outbox.append([_value(number)], NOW)
    outbox.acknowledge(range(1, 51))
    outbox.close()
    stored = bytearray((tmp_path / "o.db").read_bytes())
    stored[:100] = b"\0" * 100  # SQLite does not even open it
    places = [at for at in range(len(stored)) if stored.startswith(b'"n":120,', at)]
    for at in places:
        stored[at + 20 : at + 30] = b"##########"
    (tmp_path / "o.db").write_bytes(stored)

    outbox = _open(tmp_path / "o.db")

    assert _numbers(outbox) == [number for number in range(51, 201) if number != 121]
    (incident,) = read_status(outbox.path).incidents
    assert incident.missing == "121"
    assert incident.read == 149
    assert Path(incident.kept).read_bytes() == stored
    assert outbox.append([_value(1)], NOW) == [201]


def test_what_had_been_acknowledged_is_not_read_again_from_what_is_left_of_it_in_the_log(tmp_path: Path) -> None:
    outbox = _open(tmp_path / "o.db")
    for number in range(30):
        outbox.append([_value(number)], NOW)
    outbox.acknowledge(range(1, 21))
    path = _copied(outbox, tmp_path / "after")
    assert {frame.seq for frame in find_frames(path.with_name("o.db-wal").read_bytes())} >= set(range(1, 21))
    path.write_bytes(b"garbage " * 1_000)

    after = _open(path)

    assert _numbers(after) == list(range(21, 31))
    assert read_status(path).incidents[0].missing == ""


def test_a_page_damaged_in_use_costs_what_is_on_it_and_nothing_else(tmp_path: Path) -> None:
    outbox = _open(tmp_path / "o.db")
    outbox.append([_value(number) for number in range(300)], NOW)
    outbox.close()
    outbox = _open(tmp_path / "o.db")  # everything is in the database now, and nothing in the log
    outbox._connection.execute("PRAGMA shrink_memory")  # nor in SQLite's cache
    with (tmp_path / "o.db").open("r+b") as file:
        file.seek(10 * 4096)
        lost = {frame.seq for frame in find_frames(file.read(4096))}
        file.seek(10 * 4096)
        file.write(b"\xff" * 4096)
    assert lost

    assert outbox.append([_value(300)], NOW) == [301]
    found = _numbers(outbox)

    assert found == [number for number in range(1, 302) if number not in lost]
    assert read_status(outbox.path).incidents[0].missing == f"{min(lost)}-{max(lost)}"


def test_an_event_that_rotted_in_its_row_is_set_aside_with_its_bytes(tmp_path: Path) -> None:
    outbox = _open(tmp_path / "o.db")
    outbox.append([_value(number) for number in range(3)], NOW)
    outbox.close()
    stored = (tmp_path / "o.db").read_bytes().replace(b'"n":1,', b'"n":7,')
    (tmp_path / "o.db").write_bytes(stored)
    outbox = _open(tmp_path / "o.db")
    assert _numbers(outbox) == [1, 3]
    (row,) = outbox.aside()
    assert (row.seq, row.reason) == (2, "damaged on the disk")
    assert b'"n":7,' in row.frame


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_database_or_a_log_that_is_gone_costs_only_what_was_in_it(tmp_path: Path, suffix: str) -> None:
    outbox = _open(tmp_path / "o.db")
    for number in range(20):
        outbox.append([_value(number)], NOW)
    path = _copied(outbox, tmp_path / "after")
    path.with_name(path.name + suffix).unlink()
    after = _open(path)
    assert _numbers(after) == ([] if suffix else list(range(1, 21)))
    if not suffix:
        assert "empty or gone" in read_status(path).incidents[0].what


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_after_a_power_cut_everything_that_append_returned_is_there(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """What follows the last sync may be torn anywhere, or be any bytes."""
    folder = tmp_path_factory.mktemp("power")
    outbox = _open(folder / "o.db")
    log = folder / "o.db-wal"
    synced = []
    for number in range(8):
        outbox.append([_value(number, 700)], NOW)
        synced.append((log.stat().st_size, _numbers(outbox)))
        if number % 3 == 2:
            outbox.acknowledge([number - 1])
            synced.append((log.stat().st_size, _numbers(outbox)))
    cut = data.draw(st.integers(0, len(synced) - 1))
    size = synced[cut][0]
    torn = data.draw(st.integers(0, log.stat().st_size - size))
    noise = data.draw(st.binary(max_size=64))
    path = _copied(outbox, folder / "after")
    log_after = path.with_name("o.db-wal")
    log_after.write_bytes(log_after.read_bytes()[: size + torn] + noise)
    outbox.close()

    after = _open(path)
    found = _numbers(after)
    after.close()

    # Never less than what had been synced, and never half a commit.
    assert found in [numbers for _, numbers in synced[cut:]]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 200_000), st.integers(1, 255))
@example(16, 1)  # a salt of the head: SQLite finds no page of this round
@example(23, 128)
def test_a_flipped_byte_in_the_log_costs_at_most_the_events_that_it_is_in(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    outbox = _open(folder / "o.db")
    for number in range(12):
        outbox.append([_value(number, 700)], NOW)
    path = _copied(outbox, folder / "after")
    outbox.close()
    log = path.with_name("o.db-wal")
    content = bytearray(log.read_bytes())
    content[place % len(content)] ^= flip
    log.write_bytes(content)

    after = _open(path)
    found = _numbers(after)
    incidents = read_status(path).incidents
    after.close()

    lost = set(range(1, 13)) - set(found)
    assert found == sorted(found)
    assert len(lost) <= 5  # those of one page, and only where no later page holds them too
    if lost and max(lost) < max(found, default=0):
        assert incidents
    if incidents:
        assert Path(incidents[0].kept).exists()


def test_a_mending_that_was_killed_is_finished_by_the_next_start(tmp_path: Path) -> None:
    """At each of its steps the files are left as a kill would leave them."""
    from loket.emitter import salvage

    steps: list[str] = []
    for kill_at in range(1, 10):
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        outbox = _open(folder / "o.db")
        outbox.append([_value(number) for number in range(60)], NOW)
        path = _copied(outbox, folder / "after")
        outbox.close()
        path.write_bytes(b"garbage " * 1_000)
        count = 0

        class Killed(BaseException):
            pass

        def counted(call: object, kill_at: int = kill_at) -> object:
            def wrapped(*arguments: object, **named: object) -> object:
                nonlocal count
                count += 1
                if count == kill_at:
                    raise Killed
                return call(*arguments, **named)  # type: ignore[operator]  # whatever function it stands for

            return wrapped

        with pytest.MonkeyPatch.context() as patched:
            for owner, name in ((Path, "rename"), (Path, "unlink"), (salvage, "sync_folder"), (salvage, "create")):
                patched.setattr(owner, name, counted(getattr(owner, name)))
            try:
                _open(path).close()
            except Killed:
                steps.append(str(kill_at))

        after = _open(path)
        assert _numbers(after) == list(range(1, 61))
        assert len(read_status(path).incidents) == 1
        assert len(list(path.parent.glob("o.db.damaged-*-wal"))) == 1  # beside the new one it would be played into it
        after.close()
    assert len(steps) > 5


def test_frames_are_found_only_where_they_are_whole() -> None:
    frame = Frame(5, 2, START_MS, 9, 7, b'{"a":1}')
    stored = frame.to_bytes()
    assert list(find_frames(b"\xf5" + stored + b"\xf5LK1" + stored[:-1] + b"?" + stored)) == [frame, frame]


def test_missing_numbers_are_ranges() -> None:
    assert missing(3, 12, [4, 5, 9]) == "3, 6-8, 10-12"
    assert missing(1, 0, []) == ""
