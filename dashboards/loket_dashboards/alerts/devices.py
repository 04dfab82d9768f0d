"""Alerts of what stands in a hall: counters that are silent, outboxes that fill, clocks, events that are refused."""

from __future__ import annotations

from typing import Final

from loket_dashboards.alerts.alert import Alert, Scope, Severity
from loket_dashboards.alerts.hours import while_open
from loket_dashboards.alerts.texts import VALUE, unit
from loket_dashboards.language import Language, Text
from loket_dashboards.promql import by, one

__all__ = ["DEVICES"]

ID, EN = Language.ID, Language.EN

SILENT_S: Final = 180
"""Three heartbeats of 60 s."""

CURRENT_S: Final = 60
"""A unit that is further behind says nothing of its devices."""

FULL: Final = 20
CLOCK_S: Final = 60

_COUNTER: Final = "on (unit, counter)"
_silence: Final = f"(time() - {one('loket_counter_last_event_timestamp_seconds')})"
_beats: Final = one("loket_counter_outbox_pending")
_behind: Final = f"({one('loket_unit_behind_seconds')} > {CURRENT_S})"
_silent: Final = (
    f"((({_silence} > {SILENT_S}) and {_COUNTER} ({one('loket_counter_open')} == 1)) and {_COUNTER} {_beats}) "
    f"unless on (unit) {_behind}"
)
_filling: Final = f"({_beats} >= {FULL}) and {_COUNTER} ({_silence} <= {SILENT_S})"
_error: Final = one("loket_source_clock_error_seconds")
_rejected: Final = by("unit, reason", "loket_rejections_total")
_newly_rejected: Final = (
    "sum by (unit, reason) (increase(loket_rejections_total[15m])) > 0 or "
    f"({_rejected} > 0 unless on (unit, reason) {by('unit, reason', 'loket_rejections_total', after=' offset 15m')})"
)

DEVICES: Final = (
    Alert(
        "LoketCounterSilent",
        while_open(_silent),
        Severity.WARNING,
        Scope.DEVICES,
        Text(
            f"Loket {{{{ $labels.counter }}}} di {unit(ID)} diam sejak {{{{ humanizeDuration $value }}}}",
            f"Counter {{{{ $labels.counter }}}} at {unit(EN)} has been silent for {{{{ humanizeDuration $value }}}}",
        ),
        Text(
            "Loket itu buka, biasanya mengirim detak, dan tiga detak tidak datang. Angkanya di semua papan bisa "
            "kurang selama itu.",
            "The counter is open, usually sends heartbeats, and three did not come. Figures on every dashboard may be "
            "too low meanwhile.",
        ),
        (
            Text("Periksa jaringan dan daya perangkat.", "Look at the device's network and power."),
            Text(
                "Yang terjadi selagi putus menunggu di kotak keluarnya dan datang kemudian.",
                "What happens meanwhile waits in its outbox and comes later.",
            ),
        ),
        keeps="3m",
    ),
    Alert(
        "LoketOutboxFilling",
        while_open(_filling),
        Severity.WARNING,
        Scope.DEVICES,
        Text(
            f"{VALUE} peristiwa menunggu di perangkat loket {{{{ $labels.counter }}}} di {unit(ID)}",
            f"{VALUE} events wait in the device of counter {{{{ $labels.counter }}}} at {unit(EN)}",
        ),
        Text(
            "Detaknya sampai, tetapi kotak keluarnya tidak kosong sejak lima menit: perangkat itu tidak dapat "
            "mengirim.",
            "Its heartbeats come, and its outbox has not emptied for five minutes: the device cannot send.",
        ),
        (Text("Baca catatan perangkat itu; lihat docs/emitter.md.", "Read the device's log; see docs/emitter.md."),),
        lasts="5m",
        keeps="3m",
    ),
    Alert(
        "LoketClockError",
        f"{_error} > {CLOCK_S} or {_error} < -{CLOCK_S}",
        Severity.WARNING,
        Scope.DEVICES,
        Text(
            f"Jam {{{{ $labels.source }}}} di {unit(ID)} meleset {VALUE} detik",
            f"The clock of {{{{ $labels.source }}}} at {unit(EN)} is off by {VALUE} s",
        ),
        Text(
            "Jam perangkat berbeda lebih dari satu menit dari jam broker; di atas 0: di belakang. Waktu tunggu yang "
            "mulai atau berakhir di perangkat itu salah sebanyak itu.",
            "The device's clock differs by over a minute from the broker's; above 0: it is behind. Waits that begin "
            "or end at this device are wrong by as much.",
        ),
        (Text("Hidupkan sinkronisasi waktu (NTP) di perangkat.", "Turn on time synchronisation (NTP) on the device."),),
        board="pipeline",
        lasts="10m",
        keeps="10m",
    ),
    Alert(
        "LoketEventsRejected",
        _newly_rejected,
        Severity.WARNING,
        Scope.DEVICES,
        Text(
            f"{VALUE} peristiwa dari {unit(ID)} ditolak dalam 15 menit: {{{{ $labels.reason }}}}",
            f"{VALUE} events of {unit(EN)} were refused in 15 min: {{{{ $labels.reason }}}}",
        ),
        Text(
            "Sebuah perangkat mengirim yang tidak dapat dibaca; orang yang bersangkutan tidak terhitung.",
            "A device sends what cannot be read; the people concerned are not counted.",
        ),
        (
            Text(
                "`loket dead-letters list` menunjukkan yang mana dan mengapa.", "`loket dead-letters list` shows which."
            ),
            Text("Perbaiki pengirimnya, lalu kirim ulang.", "Mend the sender, then send them again."),
        ),
        board="pipeline",
        keeps="10m",
    ),
    Alert(
        "LoketLabelBudgetReached",
        f"{one('loket_label_budget_used')} >= on (unit, kind) {one('loket_label_budget_allowed')}",
        Severity.WARNING,
        Scope.DEVICES,
        Text(
            "Jatah nama {{ $labels.kind }} habis{{ with $labels.unit }} di {{ . }}{{ end }}: sisanya dihitung sebagai "
            "other",
            "The budget of {{ $labels.kind }} is used up{{ with $labels.unit }} at {{ . }}{{ end }}: the rest is "
            "tallied as other",
        ),
        Text(
            "Lebih banyak nama daripada yang diizinkan targets.yaml, sering perangkat yang rusak mengarang nama.",
            "More names than targets.yaml allows, often a broken device that invents them.",
        ),
        (
            Text(
                "Cari di SQL nama mana yang baru (archive, legs).", "Look in SQL which names are new (archive, legs)."
            ),
            Text("Naikkan budget bila memang perlu.", "Raise the budget if they are real."),
        ),
        board="pipeline",
        lasts="5m",
        keeps="10m",
    ),
    Alert(
        "LoketUnitUnknown",
        f"{one('loket_unit_known')} == 0",
        Severity.INFO,
        Scope.DEVICES,
        Text(
            "Unit {{ $labels.unit }} mengirim peristiwa, dan targets.yaml tidak mengenalnya",
            "Unit {{ $labels.unit }} sends events, and targets.yaml does not know it",
        ),
        Text(
            "Unit itu dihitung, tanpa target dan tanpa jam layanan.",
            "The unit is counted, without targets and opening hours.",
        ),
        (Text("Tambahkan ke targets.yaml, atau perbaiki id di perangkat.", "Add it to targets.yaml, or mend the id."),),
        board="pipeline",
        lasts="15m",
        keeps="10m",
    ),
)
