"""Alerts of the hall: people wait too long, nobody calls them, nobody sits at a counter, people leave.

Each form was chosen against one that misfires: see docs/dashboards.md.
"""

from __future__ import annotations

from typing import Final

from loket_dashboards.alerts.alert import Alert, Scope, Severity
from loket_dashboards.alerts.hours import open_throughout, until_closing, while_open
from loket_dashboards.alerts.texts import (
    COUNTERS,
    LONGEST,
    OPEN_REQUESTS,
    TARGET,
    VALUE,
    WAITING,
    WAITING_IN_ALL,
    looked_up,
    service,
    unit,
)
from loket_dashboards.language import Language, Text
from loket_dashboards.promql import by, one, shown

__all__ = ["QUEUES"]

ID, EN = Language.ID, Language.EN

FEWEST_OVER: Final = 3
FAR: Final = 1.5
UNCALLED_S: Final = 900
LEAVERS: Final = 0.3
FEWEST_CLOSED: Final = 10
KEPT: Final = "3m"
"""Longer than it takes until a dead worker is told: nobody is told that all is well because the data ended."""

_OVER: Final = one("loket_tickets_over_target")
_WAITING: Final = one("loket_tickets_waiting")
_OBJECTIVE: Final = one("loket_target_ratio")
_OLDEST: Final = f"(time() - {one('loket_oldest_wait_start_timestamp_seconds', least=True)})"
_SAME: Final = "on (unit, service)"

_over_target: Final = (
    f"({_OVER} >= {FEWEST_OVER}) and {_SAME} ({_OVER} > {_SAME} ((1 - {_OBJECTIVE}) * {_SAME} {_WAITING}))"
)
_far_over: Final = f"{_OLDEST} > {_SAME} ({FAR} * {one('loket_target_seconds')})"

_called: Final = f"(time() - {one('loket_last_call_timestamp_seconds')} < {UNCALLED_S})"
_uncalled: Final = open_throughout(
    f"(({_OLDEST} >= {UNCALLED_S}) and {_SAME} ({_WAITING} > 0)) unless {_SAME} {_called}", UNCALLED_S // 60
)

_late: Final = one("loket_requests_over_target")
_late_requests: Final = (
    f"({_late} >= {FEWEST_OVER}) and {_SAME} "
    f"({_late} > {_SAME} ((1 - {one('loket_request_target_ratio')}) * {_SAME} {one('loket_requests_open')}))"
)

_closed: Final = shown("unit", "loket_day_tickets_closed", "1h")
_gone: Final = shown("unit", "loket_day_tickets_closed", "1h", 'outcome=~"abandoned|no_show"')
_leaving: Final = f"({_gone}) and on (unit) ((({_gone}) / on (unit) (({_closed}) >= {FEWEST_CLOSED})) > {LEAVERS:.1f})"
_closed_here: Final = shown("unit", "loket_day_tickets_closed", "1h", "unit=%q")
CLOSED: Final = looked_up(_closed_here, *(["unit"] * _closed_here.count("%q")))
"""How many people of the unit were done in the last hour, however it ended."""

QUEUES: Final = (
    Alert(
        "LoketOverTarget",
        until_closing(_over_target),
        Severity.WARNING,
        Scope.SERVICE,
        Text(
            f"{VALUE} orang di {unit(ID)} ({service(ID)}) sudah menunggu lebih dari {TARGET} menit, terlama {LONGEST} "
            f"menit; {COUNTERS} loket buka",
            f"{VALUE} people at {unit(EN)} ({service(EN)}) have waited over {TARGET} min, the longest {LONGEST} min; "
            f"{COUNTERS} counters open",
        ),
        Text(
            "Lebih banyak orang menunggu melewati target daripada yang dijanjikan: sedikitnya tiga, dan lebih dari "
            "bagian yang boleh menurut tujuan (pada tujuan 80 % lebih dari seperlima yang menunggu).",
            "More people wait for longer than the target than was promised: at least three, and more than the share "
            "that the objective allows (with 80 % more than a fifth of those waiting).",
        ),
        (
            Text(
                "Lihat di papan Unit layanan mana dan siapa yang terlama.", "See on the Unit dashboard which service."
            ),
            Text(
                "Buka loket lagi, atau pindahkan petugas dari layanan yang antreannya pendek.",
                "Open another counter, or move somebody from a service with a short queue.",
            ),
            Text(
                "Beri tahu orang di ruang tunggu berapa lama lagi kira-kira.",
                "Tell the people in the hall about how long it will take.",
            ),
        ),
        lasts="2m",
        keeps=KEPT,
    ),
    Alert(
        "LoketWaitFarOverTarget",
        until_closing(_far_over),
        Severity.WARNING,
        Scope.SERVICE,
        Text(
            f"Seseorang di {unit(ID)} ({service(ID)}) sudah menunggu {LONGEST} menit; targetnya {TARGET} menit, "
            f"{WAITING} orang menunggu",
            f"Somebody at {unit(EN)} ({service(EN)}) has waited {LONGEST} min; the target is {TARGET} min, "
            f"{WAITING} wait",
        ),
        Text(
            "Satu orang menunggu lebih dari satu setengah kali target. Mungkin terlewat, atau sudah pergi.",
            "One person has waited for over one and a half times the target: perhaps passed over, or gone.",
        ),
        (
            Text("Panggil nomor yang terlama.", "Call the number that has waited the longest."),
            Text(
                "Bila orangnya tidak ada, catat sebagai tidak datang agar antreannya benar.",
                "If the person is gone, record a no-show, so that the queue is right.",
            ),
        ),
        lasts="1m",
        keeps=KEPT,
    ),
    Alert(
        "LoketQueueNotCalled",
        _uncalled,
        Severity.CRITICAL,
        Scope.SERVICE,
        Text(
            f"Di {unit(ID)} tidak ada yang memanggil {service(ID)} sejak 15 menit: {WAITING} orang menunggu, terlama "
            f"{LONGEST} menit; {COUNTERS} loket buka",
            f"At {unit(EN)} nobody has called for {service(EN)} in 15 min: {WAITING} people wait, the longest "
            f"{LONGEST} min; {COUNTERS} counters open",
        ),
        Text(
            "Ada yang menunggu sedikitnya 15 menit, unit buka selama itu, dan untuk layanan ini tidak ada panggilan.",
            "Somebody has waited for at least 15 min, the unit was open for all of them, and nobody was called for "
            "this service.",
        ),
        (
            Text("Pastikan ada loket yang melayani layanan ini.", "Make sure that a counter serves this service."),
            Text(
                "Bila loket melayani tetapi panggilannya tidak tercatat, periksa perangkat loket itu.",
                "If a counter serves and its calls are not seen, look at its device.",
            ),
        ),
        keeps=KEPT,
    ),
    Alert(
        "LoketNoCounterOpen",
        while_open(f"{one('loket_counters_open')} == 0"),
        Severity.CRITICAL,
        Scope.SERVICE,
        Text(
            f"Tidak ada loket buka di {unit(ID)} selama jam layanan; {WAITING_IN_ALL} orang menunggu",
            f"No counter is open at {unit(EN)} in opening hours; {WAITING_IN_ALL} people wait",
        ),
        Text(
            "Jam layanan berjalan sejak sepuluh menit atau lebih dan semua loket tertutup. Hanya unit yang loketnya "
            "pernah memberi tahu.",
            "Opening hours have run for ten minutes or more and all counters are closed. Only units whose counters "
            "ever told.",
        ),
        (
            Text("Hubungi penanggung jawab unit.", "Call who is responsible for the unit."),
            Text(
                "Bila unit memang libur, isi exceptions di targets.yaml.",
                "If the unit is closed today, say so under exceptions in targets.yaml.",
            ),
        ),
        lasts="10m",
        keeps=KEPT,
    ),
    Alert(
        "LoketPeopleLeave",
        while_open(_leaving),
        Severity.WARNING,
        Scope.SERVICE,
        Text(
            f"{VALUE} dari {CLOSED} orang yang selesai di {unit(ID)} satu jam terakhir pergi atau tidak datang ketika "
            "dipanggil",
            f"{VALUE} of {CLOSED} people done at {unit(EN)} in the last hour left, or did not come when called",
        ),
        Text(
            "Dari sedikitnya sepuluh orang, lebih dari 30 % pergi selagi menunggu atau tidak datang. Keduanya "
            "dijumlah, karena ruang tunggu jarang tahu siapa yang pergi.",
            "Of at least ten people over 30 % left while waiting or did not come. The two are added, as halls rarely "
            "know who left.",
        ),
        (
            Text(
                "Lihat apakah panggilan terdengar dan terlihat di ruang tunggu.",
                "See whether calls are heard and seen.",
            ),
            Text("Lihat waktu tunggu di papan Unit.", "Look at the waits on the Unit dashboard."),
        ),
        lasts="10m",
        keeps=KEPT,
    ),
    Alert(
        "LoketRequestsOverTarget",
        until_closing(_late_requests),
        Severity.WARNING,
        Scope.SERVICE,
        Text(
            f"{VALUE} permohonan {service(ID)} di {unit(ID)} lewat target; {OPEN_REQUESTS} terbuka",
            f"{VALUE} requests for {service(EN)} at {unit(EN)} are over target; {OPEN_REQUESTS} are open",
        ),
        Text(
            "Lebih banyak permohonan terbuka yang targetnya sudah lewat daripada yang boleh menurut tujuan.",
            "More open requests have passed their target than the objective allows.",
        ),
        (
            Text("Kerjakan yang tertua dahulu (papan Permohonan).", "Work on the oldest first (Requests dashboard)."),
            Text("Tangguhkan yang menunggu warga.", "Suspend those that wait for the citizen."),
        ),
        board="requests",
        lasts="15m",
        keeps=KEPT,
    ),
    Alert(
        "LoketClosedWithWaiting",
        f"({by('unit', 'loket_tickets_waiting')} > 0) and on (unit) "
        f"({one('loket_unit_state', 'state=' + chr(34) + 'closed' + chr(34))} == 1)",
        Severity.INFO,
        Scope.SERVICE,
        Text(
            f"{unit(ID)} tutup dengan {VALUE} orang masih menunggu",
            f"{unit(EN)} has closed with {VALUE} people still waiting",
        ),
        Text(
            "Jam layanan berakhir 15 menit lalu atau lebih dan masih ada nomor yang menunggu. Mereka hangus pada akhir "
            "hari layanan, atau dengan queue.closed.",
            "Opening hours ended 15 minutes ago or earlier and numbers still wait. They expire at the end of the "
            "service day, or with queue.closed.",
        ),
        (
            Text(
                "Layani mereka, atau tutup antrean (queue.closed) dan beri tahu mereka.",
                "Serve them, or close the queue (queue.closed) and tell them.",
            ),
        ),
        lasts="15m",
        keeps=KEPT,
    ),
)
