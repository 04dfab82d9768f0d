"""Alerts of the pipeline. They are not silent while closed: a sink that dies at night is told before opening."""

from __future__ import annotations

from typing import Final

from loket_dashboards.alerts.alert import Alert, Scope, Severity
from loket_dashboards.alerts.texts import VALUE, unit
from loket_dashboards.language import Language, Text
from loket_dashboards.promql import one, select

__all__ = ["PIPELINE"]

ID, EN = Language.ID, Language.EN

BEHIND_S: Final = 300
LAG: Final = 10_000
STANDS: Final = "5m"
CHECKPOINT_S: Final = 300
AWAY_S: Final = 60


def _alert(
    name: str,
    expression: str,
    severity: Severity,
    summary: Text,
    means: Text,
    *steps: Text,
    lasts: str = "",
    keeps: str = "",
    global_: bool = False,
) -> Alert:
    return Alert(
        name,
        expression,
        severity,
        Scope.PIPELINE,
        summary,
        means,
        steps,
        board="pipeline",
        lasts=lasts,
        keeps=keeps,
        global_=global_,
    )


_LOG: Final = Text(
    "Baca catatan prosesnya (journalctl -u loket-…).", "Read the log of the process (journalctl -u loket-…)."
)
_TABLE: Final = Text("docs/operations.md: apa arti pesannya.", "docs/operations.md: what its message means.")
_lag: Final = one("loket_partition_lag_records")
_moved: Final = f"max by (partition) (delta({select('loket_partition_applied_offset', after=f'[{STANDS}]')}))"

PIPELINE: Final = (
    _alert(
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
        _LOG,
        _TABLE,
        lasts="1m",
        global_=True,
    ),
    _alert(
        "LoketWorkerDown",
        'up{job="loket-worker"} == 0',
        Severity.WARNING,
        Text("Pekerja {{ $labels.instance }} tidak terjangkau", "Worker {{ $labels.instance }} cannot be reached"),
        Text(
            "Satu dari beberapa pekerja mati; yang lain mengambil alih unitnya.",
            "One of several workers is down; the others take over its units.",
        ),
        _LOG,
        lasts="5m",
    ),
    _alert(
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
    _alert(
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
        _LOG,
        lasts="2m",
        keeps="2m",
    ),
    _alert(
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
    _alert(
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
        _LOG,
        lasts="2m",
    ),
    _alert(
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
        _LOG,
        Text("Apakah changelog dapat ditulisi (ukuran, hak)?", "Can the changelog be written (sizes, rights)?"),
        lasts="1m",
    ),
    _alert(
        "LoketTargetsInvalid",
        f"{select('loket_targets_valid')} == 0",
        Severity.WARNING,
        Text("targets.yaml salah; yang lama tetap berlaku", "targets.yaml is wrong; the last good one stays in force"),
        Text("Berkas yang diubah tidak dapat dipakai.", "The file that was changed cannot be used."),
        Text("Catatan pekerja menyebut baris dan alasannya.", "The worker's log names line and reason."),
        lasts="1m",
    ),
    _alert(
        "LoketSinkDown",
        'absent(up{job="loket-sink"} == 1)',
        Severity.CRITICAL,
        Text(
            "Pencatat Loket tidak terjangkau: catatan tertinggal",
            "No Loket sink can be reached: the record falls behind",
        ),
        Text(
            "Tidak ada yang hilang selama Kafka menyimpan (tujuh hari); laporan tidak lengkap.",
            "Nothing is lost as long as Kafka keeps it (seven days); reports are not complete.",
        ),
        _LOG,
        _TABLE,
        lasts="2m",
    ),
    _alert(
        "LoketDatabaseAway",
        f"{select('loket_sink_database_up')} == 0",
        Severity.CRITICAL,
        Text("Basis data catatan tidak menjawab", "The database of the record does not answer"),
        Text(
            "Pencatat menunggu dan mencoba lagi; tidak ada yang hilang.",
            "The sink waits and tries again; nothing is lost.",
        ),
        Text(
            "Apakah PostgreSQL hidup, penuh, atau menolak sandi?",
            "Is PostgreSQL alive, full, or refusing the password?",
        ),
        lasts="2m",
        keeps="2m",
    ),
    _alert(
        "LoketSinkLag",
        f"sum({one('loket_sink_lag_records')}) > {LAG}",
        Severity.WARNING,
        Text(f"{VALUE} peristiwa menunggu masuk catatan", f"{VALUE} events wait for the record"),
        Text("Lebih dari 10.000 sejak sepuluh menit.", "Over 10,000 for ten minutes."),
        Text("Tambah pencatat, atau lihat beban basis data.", "Add a sink, or look at the database's load."),
        lasts="10m",
        keeps="5m",
    ),
    _alert(
        "LoketDeadLettersGrow",
        f"sum(increase({select('loket_sink_dead_letters_total')}[1h])) > 10",
        Severity.WARNING,
        Text(f"{VALUE} surat mati baru dalam satu jam", f"{VALUE} new dead letters in an hour"),
        Text("Perangkat mengirim yang tidak dapat dipakai.", "Devices send what cannot be used."),
        Text(
            "`loket dead-letters list` mengelompokkannya menurut alasan.", "`loket dead-letters list` has the reasons."
        ),
        keeps="10m",
    ),
    _alert(
        "LoketRulesFail",
        "increase(prometheus_rule_evaluation_failures_total[10m]) > 0",
        Severity.CRITICAL,
        Text(
            "Aturan Prometheus gagal dievaluasi: {{ $labels.rule_group }}",
            "Prometheus fails to evaluate rules: {{ $labels.rule_group }}",
        ),
        Text(
            "Peringatan dari kelompok aturan itu tidak dapat dipercaya.",
            "Alerts of that group of rules cannot be relied on.",
        ),
        Text("Halaman /rules Prometheus menunjukkan kesalahannya.", "Prometheus' page /rules shows the error."),
        lasts="2m",
    ),
    _alert(
        "LoketNotificationsFail",
        "increase(alertmanager_notifications_failed_total[10m]) > 0",
        Severity.CRITICAL,
        Text(
            "Alertmanager tidak dapat mengirim lewat {{ $labels.integration }}",
            "Alertmanager cannot send by {{ $labels.integration }}",
        ),
        Text("Orang tidak menerima peringatan lewat jalan itu.", "People do not get alerts that way."),
        Text("Periksa sandi, alamat, dan kuota penyedia.", "Look at password, address and the provider's quota."),
        lasts="2m",
    ),
    _alert(
        "LoketDiskFull",
        'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs"} / node_filesystem_size_bytes < 0.1',
        Severity.WARNING,
        Text(
            "Cakram {{ $labels.mountpoint }} di {{ $labels.instance }} tinggal {{ humanizePercentage $value }}",
            "Disk {{ $labels.mountpoint }} at {{ $labels.instance }} has {{ humanizePercentage $value }} left",
        ),
        Text(
            "Kafka, PostgreSQL dan Prometheus berhenti bila penuh.",
            "Kafka, PostgreSQL and Prometheus stop when it is full.",
        ),
        Text("Kosongkan, atau perpendek penyimpanan.", "Free space, or shorten the retention."),
        lasts="15m",
    ),
    _alert(
        "LoketCertificateExpires",
        "probe_ssl_earliest_cert_expiry - time() < 14 * 86400",
        Severity.WARNING,
        Text(
            "Sertifikat {{ $labels.instance }} berakhir dalam {{ humanizeDuration $value }}",
            "The certificate of {{ $labels.instance }} expires in {{ humanizeDuration $value }}",
        ),
        Text("Sesudahnya perangkat tidak dapat mengirim.", "After that devices cannot send."),
        Text("Perbarui sertifikatnya.", "Renew the certificate."),
        lasts="1h",
    ),
    _alert(
        "LoketWatchdog",
        "vector(1)",
        Severity.INFO,
        Text("Peringatan bekerja", "Alerting works"),
        Text(
            "Selalu menyala. Penjaga di luar (dead man's switch) memberi tahu bila pesan ini berhenti datang.",
            "Always on. A dead man's switch outside tells when this message stops coming.",
        ),
        Text(
            "Bila berhenti: periksa Prometheus dan Alertmanager.", "If it stops: look at Prometheus and Alertmanager."
        ),
    ),
)
