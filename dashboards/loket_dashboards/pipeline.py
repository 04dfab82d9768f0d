"""Pipeline: whether what the other dashboards show is the present, and what was refused on the way."""

from __future__ import annotations

from loket_dashboards import variables
from loket_dashboards.language import Language, Text
from loket_dashboards.page import Page
from loket_dashboards.parts import Line
from loket_dashboards.pipeline_devices import devices, limits
from loket_dashboards.promql import by, grown, one, select

__all__ = ["pipeline"]

UP_WORDS = {0: (Text("✖ mati", "✖ down"), "red"), 1: (Text("● hidup", "● up"), "green")}
VALID_WORDS = {0: (Text("✖ salah", "✖ wrong"), "red"), 1: (Text("● berlaku", "● in force"), "green")}


def pipeline(language: Language) -> Page:
    """The dashboard in a language."""
    page = Page(
        language,
        "pipeline",
        Text("Loket: Jalur data", "Loket: Pipeline"),
        Text(
            "Dari loket sampai metrik dan catatan: kelambatan, penolakan, perangkat.",
            "From the counters to metrics and record: lag, rejections, devices.",
        ),
        since="now-6h",
    )
    variables.source(page)
    page.links(("city", variables.BOARDS["city"]))
    _alive(page)
    _progress(page)
    _refused(page)
    devices(page)
    limits(page)
    return page


def _alive(page: Page) -> None:
    page.row(Text("Hidup", "Alive"))
    for job, title in (("loket-worker", Text("Pekerja", "Worker")), ("loket-sink", Text("Pencatat", "Sink"))):
        page.number(
            title,
            Text("Apakah Prometheus mencapainya.", "Whether Prometheus reaches it."),
            f'min(up{{job="{job}"}}) or vector(0)',
            words=UP_WORDS,
            width=3,
        )
    page.number(
        Text("Basis data", "Database"),
        Text("Apakah transaksi terakhir pencatat berhasil.", "Whether the sink's last transaction reached it."),
        f"min({select('loket_sink_database_up')}) or vector(0)",
        words=UP_WORDS,
        width=3,
    )
    page.number(
        Text("targets.yaml", "targets.yaml"),
        Text(
            "Apakah berkas yang ada sekarang berlaku, atau yang terakhir benar.",
            "Whether the file as it is now is in force, or the last good one.",
        ),
        f"min({select('loket_targets_valid')})",
        words=VALID_WORDS,
        width=3,
    )
    page.number(
        Text("Broker menjawab", "Broker answered"),
        Text("Berapa lama sejak broker terakhir menjawab.", "How long ago the broker last answered."),
        f"time() - max({select('loket_broker_answered_timestamp_seconds')})",
        unit="dtdurations",
        width=4,
    )
    page.number(
        Text("Partisi siap", "Partitions ready"),
        Text(
            "Bagian partisi yang dibaca sampai ujung; selama pemulihan unitnya belum ditampilkan.",
            "The share of partitions that are read to the end; during recovery their units are not shown.",
        ),
        f"avg({one('loket_partition_ready')})",
        unit="percentunit",
        decimals=0,
        width=4,
    )
    page.number(
        Text("Versi", "Version"),
        Text("Berapa proses yang menjalankan versi mana.", "How many processes run which version."),
        f"count by (component, version) ({select('loket_build_info')})",
        decimals=0,
        width=4,
    )


def _progress(page: Page) -> None:
    page.row(Text("Kemajuan", "Progress"))
    page.lines(
        Text("Kelambatan dalam catatan peristiwa", "Lag in records"),
        Text("Peristiwa di Kafka yang belum masuk metrik, dan belum masuk SQL.", "Events not in metrics, not in SQL."),
        [
            Line(by("", "loket_partition_lag_records"), Text("pekerja", "worker")),
            Line(by("", "loket_sink_lag_records"), Text("pencatat", "sink")),
        ],
        width=8,
    )
    page.lines(
        Text("Kelambatan dalam detik", "Behind in seconds"),
        Text(
            "Berapa lama lalu broker menerima yang terakhir diolah, unit terlambat.",
            "How long ago the broker received what was last applied, of the unit that is the furthest behind.",
        ),
        [Line(by("", "loket_unit_behind_seconds", how="max"), Text("terlambat", "furthest behind"))],
        unit="s",
        width=8,
    )
    page.lines(
        Text("Peristiwa per detik", "Events per second"),
        Text("Yang dibaca pekerja, menurut hasilnya.", "What the worker reads, by what became of it."),
        [Line("sum by (result) (rate(loket_events_total[$__rate_interval]))", "{{result}}")],
        unit="reqps",
        width=8,
        stacked=True,
    )
    page.lines(
        Text("Umur simpanan keadaan", "Age of the saved state"),
        Text("Sejak kapan keadaan yang ada di Kafka; tumbuh bila simpanan gagal.", "How old the state in Kafka is."),
        [Line(f"time() - min({select('loket_partition_state_timestamp_seconds')})", Text("tertua", "oldest"))],
        unit="s",
        width=6,
    )
    page.lines(
        Text("Simpanan", "Checkpoints"),
        Text("Berhasil dan gagal, per menit.", "Written and failed, per minute."),
        [Line("60 * sum by (result) (rate(loket_checkpoints_total[$__rate_interval]))", "{{result}}")],
        width=6,
    )
    page.lines(
        Text("Lama simpanan", "Checkpoint duration"),
        Text("Simpanan terakhir yang berhasil.", "The last checkpoint that succeeded."),
        [Line(f"max({select('loket_last_checkpoint_duration_seconds')})", Text("terlama", "longest"))],
        unit="s",
        width=6,
    )
    page.lines(
        Text("Transaksi pencatat", "The sink's transactions"),
        Text(
            "Berapa lama sejak yang terakhir; tanpa peristiwa memang tumbuh.", "Since the last; grows without events."
        ),
        [Line(f"time() - max({select('loket_sink_last_commit_timestamp_seconds')})", Text("umur", "age"))],
        unit="s",
        width=6,
    )


def _refused(page: Page) -> None:
    page.row(Text("Ditolak dan terlambat", "Refused and late"))
    page.lines(
        Text("Ditolak, menurut alasan", "Rejected, by reason"),
        Text("Peristiwa satu jam terakhir yang ditolak pekerja.", "Events that the worker refused in the last hour."),
        [Line(grown("reason", "loket_rejections_total", "1h"), "{{reason}}")],
        width=8,
    )
    page.lines(
        Text("Surat mati", "Dead letters"),
        Text("Yang disimpan pencatat satu jam terakhir.", "What the sink put aside in the last hour."),
        [Line(grown("reason", "loket_sink_dead_letters_total", "1h"), "{{reason}}")],
        width=8,
    )
    page.lines(
        Text("Terlambat dan bertentangan", "Late and contradicting"),
        Text(
            "Satu jam terakhir: peristiwa dari hari yang sudah ditutup, dan yang tidak mengubah apa-apa.",
            "In the last hour: events of days that are closed, and those that changed nothing.",
        ),
        [
            Line(grown("", "loket_late_events_total", "1h"), Text("terlambat", "late")),
            Line(grown("", "loket_contradictions_total", "1h"), Text("bertentangan", "contradicting")),
            Line(grown("", "loket_skewed_durations_total", "1h"), Text("durasi negatif", "skewed durations")),
        ],
        width=8,
    )
    page.lines(
        Text("Catatan SQL, menurut hasil", "The record, by result"),
        Text("Yang ditulis pencatat ke arsip, per detik.", "What the sink writes to the archive, per second."),
        [Line("sum by (result) (rate(loket_sink_records_total[$__rate_interval]))", "{{result}}")],
        unit="reqps",
        width=24,
        stacked=True,
    )
