"""Valid inputs of every reader, from which the fuzzing starts; the events from the contract's own types."""

from __future__ import annotations

import json
from typing import Any, Final, get_args

import msgspec
from msgspec import Meta

from loket.domain.events import EVENT_TYPES, Day, EventReference, Id, Instant, Opaque, Text
from loket.wire.contract import data_type

__all__ = ["DICTIONARY_JSON", "DICTIONARY_YAML", "LOG", "MAPPINGS", "TARGETS", "TIMES", "documents", "structured"]

TIMES: Final = (
    "2026-01-31T09:00:00+07:00",
    "2026-01-31T02:00:00.123Z",
    "2026-01-31T09:00:01.5+0700",
    "2026-01-31t02:03:59z",
)
"""All within hours of `support.events.NOW`."""


def _value(annotation: Any, number: int) -> Any:
    """A valid value of a field, another for another number."""
    known: tuple[tuple[Any, Any], ...] = (
        (Id, ("pkm-ciputat", "card", "1", "a.b_c:d/e-f")[number % 4]),
        (Opaque, ("A-001", "p-17", "197001011990031")[number % 3]),
        (Text, ("kiosk", "é ü", "")[number % 3]),
        (Day, "2026-01-31"),
        (Instant, TIMES[number % len(TIMES)]),
        (bool, True),
        (EventReference, {"source": "kiosk/3", "id": f"e-{number}"}),
    )
    for kind, value in known:
        if annotation == kind:
            return value
    parts = get_args(annotation)
    if parts and parts[0] is int:
        return next(int(part.ge) for part in parts if isinstance(part, Meta) and part.ge is not None)
    if parts and parts[0] == tuple[Id, ...]:
        return ["card", "licence"]
    if parts and parts[0] is str:  # the values of a correction
        return {"time": TIMES[0], "employee": None, "service": "licence", "note": "x"}
    return _value(next(part for part in parts if part is not type(None)), number)


def documents() -> list[dict[str, Any]]:
    """A CloudEvent of every type with every field, and one with the required fields only."""
    made = []
    for number, (tag, kind) in enumerate(EVENT_TYPES.items()):
        for whole in (True, False):
            document: dict[str, Any] = {
                "specversion": "1.0",
                "type": tag,
                "source": f"kiosk/{number}",
                "id": f"e-{number}-{whole}",
                "time": TIMES[number % len(TIMES)],
            }
            for field in msgspec.structs.fields(kind):
                if field.name in ("subject", "sent", "imported") and (whole or field.required):
                    document[field.name] = _value(field.type, number)
            document["data"] = {
                field.name: {"time": TIMES[0], "employee": None, "note": "x"}
                if field.name == "set"
                else _value(field.type, number)
                for field in msgspec.structs.fields(data_type(kind))
                if whole or field.required
            }
            document["data"]["unit"] = "u"
            made.append(document)
    return made


def structured() -> list[bytes]:
    """The documents as values of records, and one each with escapes, with blanks, and of another vendor."""
    made = [json.dumps(document, separators=(",", ":")).encode() for document in documents()]
    made += [json.dumps(document, indent=1).encode() for document in documents()[:3]]
    made.append(made[0].replace(b'"kiosk', b'"\\u006b\\u0069osk\\/'))
    made.append(b'{"specversion":"1.0","type":"com.example.thing","source":"x","id":"1","data":[1,{"a":[]}]}')
    return made


DICTIONARY_JSON: Final = (
    *(json.dumps(tag).encode() for tag in EVENT_TYPES),
    *(
        json.dumps(name).encode()
        for name in ("specversion", "type", "source", "id", "time", "subject", "sent", "imported", "data", "unit")
    ),
    *(
        json.dumps(name).encode()
        for name in ("employee", "counter", "service", "services", "set", "of", "day", "score", "quantity", "priority")
    ),
    b'"1.0"',
    b'"1.1"',
    b'"\\u0000"',
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b'"\\udc00\\ud800"',
    b'"\\x"',
    b'"\\"',
    b'"' + b'\\"' * 700,
    b'"u","unit":"u"',
    b'"id":"2","id":"1"',
    b'{"unit":"u"}',
    b'"1234567890123456"',
    b'"2026-01-31T09:00:00"',
    b'"2026-01-31T09:00:00+07:00"',
)

TARGETS: Final = (
    b"""defaults:
  zone: Asia/Jakarta
  day_starts: "03:00"
  late_hours: 6
  short_seconds: 10
  wrap_up_seconds: 30
  budget: {services: 50, employees: 200, counters: 100, sources: 16}
units:
  pkm-ciputat:
    name: {id: Puskesmas Ciputat, en: Ciputat health centre}
    services:
      poli-umum:
        name: {id: Poli umum, en: "General \\"clinic\\""}
        wait: &hour
          - {valid_from: 2026-01-01, seconds: 3600, objective: 0.8}
          - {valid_from: "2026-07-01", seconds: 1800.5, objective: 0.9}
      kia: {wait: *hour}
  mall: {zone: Asia/Makassar, day_starts: never, services: &both {card: {wait: *hour}, other-card: ~}}
  ktp: {services: *both}
  plain:
""",
    b"""units: {a: &a {services: {s: {wait: [{valid_from: 1999-01-01, seconds: 60, objective: .8}]}}}, b: *a, c: *a}
""",
    b"""# comments, quotes, blocks
"units":
  'x':
    name:
      id: |
        Kantor
      en: >-
        Office
    late_hours: 0.25
""",
)

MAPPINGS: Final = (
    b"""format: {delimiter: tab, encoding: utf-8, quotes: false}
zone: Asia/Jerusalem
source: technion-bank
secret: LOKET_SECRET
from: 1999-02-01
until: 1999-02-28 12:00
skip:
  - {outcome: PHANTOM}
  - {outcome: HANG, q_time: {above: -1, below: 1}}
unit: bank
service: {column: type, values: {PS: regular, PE: regular-english}, others: keep}
employee: {column: server, nobody: [NO_SERVER, ""], hash: true}
counter: {column: desk, slug: true, prefix: "c-"}
subject: {columns: [vru, call_id, date], prefix: t-, hash: needed}
date: {column: date, format: "%y%m%d"}
time_format: "%H:%M:%S"
times:
  entered: {column: vru_entry}
  queued: {column: q_start, after: entered, slack_seconds: 3600, absent: &zero {q_start: "0:00:00", q_exit: "0:00:00"}}
  arrived: {first: [queued, entered]}
  called: {time: arrived, plus: {column: q_time, unit: seconds}}
  early: {time: called, minus: [{column: q_time, unit: minutes}, {column: took, unit: "h:mm:ss"}]}
events:
  - {type: ticket.issued, time: arrived, data: {channel: {column: kind}, appointment_at: {time: early}}}
  - {type: ticket.called, time: called, when: {outcome: [AGENT, ""]}, step: call}
  - {type: service.completed, time: called, when: {outcome: {not: HANG}, q_exit: {empty: false}}, id: {columns: [ser]}}
""",
    b"""zone: Asia/Jakarta
source: loket-pusat
unit: {column: kantor, slug: true}
service: {column: layanan, slug: true}
subject: {columns: [nomor, tanggal]}
format: {columns: [kantor, layanan, nomor, tanggal, ambil, panggil, selesai]}
times:
  came: {column: ambil, format: "%d/%m/%Y %H:%M:%S"}
  called: {column: panggil, format: iso}
  ended: {column: selesai, format: epoch}
events:
  - {type: ticket.issued, time: came}
  - {type: ticket.called, time: called}
  - {type: service.completed, time: ended}
""",
)

DICTIONARY_YAML: Final = (
    b"&a ",
    b"*a",
    b"*hour",
    b"&hour ",
    b"*both",
    b"*zero",
    b"<<: *a",
    b"!!python/object:os.system ",
    b"!!binary ",
    b"---\n",
    b"...\n",
    b"%YAML 1.2\n",
    b"? ",
    b"- ",
    b": ",
    b"| ",
    b"> ",
    b"~",
    b"{",
    b"}",
    b"[",
    b"]",
    b"#",
    b'"\\e[31m"',
    b'"\\ud800"',
    b'"\\U00110000"',
    b'"\\0"',
    b'"\\N\\_\\L\\P"',
    b"\n      ",
    b"\n",
    b"never",
    b"12:30",
    b"Asia/Jakarta",
    b"Asia/Jakatra",
    b"WIB",
    b"/etc/localtime",
    b"idna",
    b"punycode",
    b"unicode_escape",
    b"utf-16",
    b"rot13",
    b"zlib",
    b"%H:%M:%S",
    b'"%d/%m/%Y %H:%M:%S"',
    b'"%z%z%p%I%"',
    b"seconds",
    b"first",
    b"[arrived, arrived]",
    b"column",
    b"{column: a, column: b}",
    b"ticket.issued",
    b"session.started",
    b"event.corrected",
)

LOG: Final = b"""kantor,layanan,nomor,tanggal,ambil,panggil,selesai
Pusat,Kartu Keluarga,A1,31/01/2026,31/01/2026 09:00:00,2026-01-31T09:05:00+07:00,1769825400
Pusat,"KTP ""baru"", el",A2,31/01/2026,31/01/2026 09:01:00,2026-01-31 09:06:30,1769825460.25
"Cabang
Barat",KTP,B-7,31/01/2026,31/01/2026 23:59:59,,
"""
