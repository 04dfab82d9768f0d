"""Alerts of the record: the sink and its database. They are not silent while closed: reports are read at any time."""

from __future__ import annotations

from typing import Final

from loket_dashboards.alerts.alert import Severity, pipeline_alert
from loket_dashboards.alerts.texts import LAG, LOG, TABLE, VALUE
from loket_dashboards.language import Text
from loket_dashboards.promql import one, select

__all__ = ["RECORD"]

RECORD: Final = (
    pipeline_alert(
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
        LOG,
        TABLE,
        lasts="2m",
    ),
    pipeline_alert(
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
    pipeline_alert(
        "LoketSinkLag",
        f"sum({one('loket_sink_lag_records')}) > {LAG}",
        Severity.WARNING,
        Text(f"{VALUE} peristiwa menunggu masuk catatan", f"{VALUE} events wait for the record"),
        Text("Lebih dari 10.000 sejak sepuluh menit.", "Over 10,000 for ten minutes."),
        Text("Tambah pencatat, atau lihat beban basis data.", "Add a sink, or look at the database's load."),
        lasts="10m",
        keeps="5m",
    ),
    pipeline_alert(
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
)
