"""Alerts of what watches and of what it stands on: Prometheus, Alertmanager, disks, certificates, and the watchdog."""

from __future__ import annotations

from typing import Final

from loket_dashboards.alerts.alert import Severity, pipeline_alert
from loket_dashboards.language import Text

__all__ = ["WATCHING"]

WATCHING: Final = (
    pipeline_alert(
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
    pipeline_alert(
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
    pipeline_alert(
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
        keeps="10m",
    ),
    pipeline_alert(
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
        keeps="10m",
    ),
    pipeline_alert(
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
