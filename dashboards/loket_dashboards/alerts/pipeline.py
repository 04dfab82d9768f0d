"""Alerts of the pipeline. They are not silent while closed: a sink that dies at night is told before opening."""

from __future__ import annotations

from typing import Final

from loket_dashboards.alerts.alert import Severity, pipeline_alert
from loket_dashboards.alerts.record import RECORD
from loket_dashboards.alerts.texts import LAG, LOG, TABLE, VALUE, unit
from loket_dashboards.alerts.watching import WATCHING
from loket_dashboards.language import Language, Text
from loket_dashboards.promql import one, select

__all__ = ["PIPELINE"]

ID, EN = Language.ID, Language.EN

BEHIND_S: Final = 300
STANDS: Final = "5m"
CHECKPOINT_S: Final = 300
AWAY_S: Final = 60

_lag: Final = one("loket_partition_lag_records")
_moved: Final = f"max by (partition) (delta({select('loket_partition_applied_offset', after=f'[{STANDS}]')}))"

PIPELINE: Final = (
    pipeline_alert(
        "LoketPipelineAway",
        'absent(up{job="loket-worker"} == 1)',
        Severity.CRITICAL,
        Text(
            "Tidak ada pekerja Loket yang terjangkau: papan dan peringatan unit buta",
            "No Loket worker can be reached: dashboards and alerts of units are blind",
        ),
        Text(
            "Prometheus tidak mencapai satu pun pekerja sejak satu menit. Peringatan unit ditahan selama ini.",
            "Prometheus has reached no worker for a minute. Alerts of units are held back meanwhile.",
        ),
        Text("Apakah mesin dan prosesnya hidup?", "Are the machine and the process alive?"),
        LOG,
        TABLE,
        lasts="1m",
        global_=True,
    ),
    pipeline_alert(
        "LoketWorkerDown",
        'up{job="loket-worker"} == 0',
        Severity.WARNING,
        Text("Pekerja {{ $labels.instance }} tidak terjangkau", "Worker {{ $labels.instance }} cannot be reached"),
        Text(
            "Satu dari beberapa pekerja mati; yang lain mengambil alih unitnya.",
            "One of several workers is down; the others take over its units.",
        ),
        LOG,
        lasts="5m",
    ),
    pipeline_alert(
        "LoketBrokerAway",
        f"time() - max({select('loket_broker_answered_timestamp_seconds')}) > {AWAY_S}",
        Severity.CRITICAL,
        Text(
            "Kafka tidak menjawab sejak {{ humanizeDuration $value }}",
            "Kafka has not answered for {{ humanizeDuration $value }}",
        ),
        Text(
            "Tidak ada peristiwa yang sampai; perangkat menyimpannya. Peringatan unit ditahan selama ini.",
            "No event arrives; devices keep them. Alerts of units are held back meanwhile.",
        ),
        Text(
            "Hidupkan broker; tidak ada yang perlu diulang di Loket.",
            "Start the broker; nothing has to be repeated in Loket.",
        ),
        lasts="1m",
        keeps="2m",
        global_=True,
    ),
    pipeline_alert(
        "LoketUnitBehind",
        f"{one('loket_unit_behind_seconds')} > {BEHIND_S}",
        Severity.WARNING,
        Text(
            f"Data {unit(ID)} terlambat {{{{ humanizeDuration $value }}}}",
            f"The data of {unit(EN)} are {{{{ humanizeDuration $value }}}} late",
        ),
        Text(
            "Pekerja belum mengolah peristiwa unit ini yang sudah ada di Kafka. Peringatan unit ini ditahan.",
            "The worker has not applied events of this unit that Kafka has. Alerts of this unit are held back.",
        ),
        Text("Apakah kelambatannya berkurang? Maka tunggu.", "Does the lag shrink? Then wait."),
        LOG,
        lasts="2m",
        keeps="2m",
    ),
    pipeline_alert(
        "LoketLag",
        f"sum({_lag}) > {LAG}",
        Severity.WARNING,
        Text(f"{VALUE} peristiwa menunggu pekerja", f"{VALUE} events wait for the worker"),
        Text(
            "Lebih dari 10.000 peristiwa belum diolah sejak sepuluh menit.",
            "Over 10,000 events have not been applied for ten minutes.",
        ),
        Text("Tambah pekerja, atau cari apa yang memperlambatnya.", "Add a worker, or look for what slows it down."),
        lasts="10m",
        keeps="5m",
    ),
    pipeline_alert(
        "LoketNoProgress",
        f"({_lag} > 0) and on (partition) ({_moved} == 0)",
        Severity.CRITICAL,
        Text(
            "Partisi {{ $labels.partition }} berhenti dengan " + VALUE + " peristiwa belum diolah",
            "Partition {{ $labels.partition }} stands still with " + VALUE + " events to apply",
        ),
        Text(
            "Ada yang harus diolah dan lima menit tidak ada yang diolah.",
            "There is something to apply, and in five minutes nothing was.",
        ),
        Text("`/-/healthy` pekerja mengatakan mengapa.", "The worker's `/-/healthy` says why."),
        LOG,
        lasts="2m",
        keeps="3m",
    ),
    pipeline_alert(
        "LoketNoCheckpoint",
        f"(time() - {one('loket_partition_state_timestamp_seconds')} > {CHECKPOINT_S}) and on (partition) "
        f"({one('loket_partition_applied_offset')} > on (partition) {one('loket_partition_durable_offset')})",
        Severity.WARNING,
        Text(
            "Keadaan partisi {{ $labels.partition }} tidak tersimpan sejak {{ humanizeDuration $value }}",
            "The state of partition {{ $labels.partition }} has not been saved for {{ humanizeDuration $value }}",
        ),
        Text(
            "Tidak ada yang hilang, tetapi sesudah mati pekerja harus membaca ulang sejak itu.",
            "Nothing is lost, but after a crash the worker reads again from there on.",
        ),
        LOG,
        Text("Apakah changelog dapat ditulisi (ukuran, hak)?", "Can the changelog be written (sizes, rights)?"),
        lasts="1m",
        keeps="3m",
    ),
    pipeline_alert(
        "LoketTargetsInvalid",
        f"{select('loket_targets_valid')} == 0",
        Severity.WARNING,
        Text("targets.yaml salah; yang lama tetap berlaku", "targets.yaml is wrong; the last good one stays in force"),
        Text("Berkas yang diubah tidak dapat dipakai.", "The file that was changed cannot be used."),
        Text("Catatan pekerja menyebut baris dan alasannya.", "The worker's log names line and reason."),
        lasts="1m",
        keeps="3m",
    ),
    *RECORD,
    *WATCHING,
)
