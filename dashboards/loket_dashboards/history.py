"""History: weeks and months from the record in PostgreSQL, which counts what came late too.

In reports a wait counts on the day of its arrival (rule 11), and a level over several days or services is sums over
sums (rule 27). What time alone changes is computed at the moment of the query.
"""

from __future__ import annotations

from typing import Final

from loket_dashboards import variables
from loket_dashboards.language import Language, Text
from loket_dashboards.page import Page
from loket_dashboards.parts import GRAFANA, RECORD, Sql

__all__ = ["history"]

_DAYS: Final = "FROM record_days WHERE unit = '$unit' AND $__timeFilter(day::timestamptz)"
_WEEK: Final = "date_trunc('week', day::timestamp) AT TIME ZONE 'UTC'"
_MONTH: Final = "date_trunc('month', day::timestamp) AT TIME ZONE 'UTC'"

TARGET_CHANGES: Final = """
SELECT min(day)::timestamptz AS time,
       service || ': ' || round(target_ms / 60000.0, 1) || ' min' AS text
FROM legs
WHERE unit = '$unit' AND target_ms IS NOT NULL AND basis IN ('both', 'record')
GROUP BY service, target_ms
HAVING min(day) > (SELECT min(l.day) FROM legs AS l WHERE l.unit = '$unit')
ORDER BY 1
""".strip()
"""The first day on which tickets were judged by another target."""


def history(language: Language) -> Page:
    """The dashboard in a language."""
    page = Page(
        language,
        "history",
        Text("Loket: Riwayat", "Loket: History"),
        Text(
            "Minggu dan bulan dari catatan SQL, termasuk yang datang terlambat.",
            "Weeks and months from the record in SQL, with what came late.",
        ),
        refresh="",
        since="now-90d",
    )
    variables.record(page)
    variables.unit_of_record(page)
    page.links(("unit", variables.BOARDS["unit"]))
    page.annotation(
        Text("Perubahan target", "Changes of targets"),
        RECORD,
        {"refId": "targets", "format": "table", "rawQuery": True, "editorMode": "code", "rawSql": TARGET_CHANGES},
    )
    page.annotation(
        Text("Pelatihan (tag loket-training)", "Trainings (tag loket-training)"),
        GRAFANA,
        {"type": "tags", "tags": ["loket-training"], "limit": 100, "matchAny": False},
    )
    _data(page)
    _levels(page)
    _people(page)
    _table(page, _WEEK, Text("Menurut minggu", "By week"))
    _table(page, _MONTH, Text("Menurut bulan", "By month"))
    return page


RECORDED, NOT_THEN, NEVER = 0, 1, 2
_WORDS: Final = {
    RECORDED: (Text("● Ada catatan", "● Recorded"), "green"),
    NOT_THEN: (Text("◼ Tidak ada catatan dalam rentang waktu ini", "◼ Nothing recorded in this range of time"), "blue"),
    NEVER: (Text("✖ Unit tidak ada dalam catatan", "✖ The record has no such unit"), "purple"),
}


def _data(page: Page) -> None:
    """Why there is nothing, where there is nothing; a database that is away is told by Grafana itself."""
    page.number(
        Text("Data", "Data"),
        Text("Apakah catatan berisi unit dan hari-hari ini.", "Whether the record has this unit and these days."),
        Sql(
            f"SELECT CASE WHEN EXISTS (SELECT 1 {_DAYS}) THEN {RECORDED} "
            f"WHEN EXISTS (SELECT 1 FROM legs WHERE unit = '$unit') THEN {NOT_THEN} ELSE {NEVER} END AS value",
            is_series=False,
        ),
        words=_WORDS,
        width=24,
        height=3,
    )


def _levels(page: Page) -> None:
    page.sql_series(
        Text("Tingkat layanan menurut hari", "Service level by day"),
        Text(
            "live: dari semua yang dinilai; answered: dari yang dipanggil. Hari kedatangan.",
            "live: of all judged; answered: of those called. By the day of arrival.",
        ),
        f"""
SELECT day::timestamptz AS time, 'live' AS metric, 1 - sum(breached) * 1.0 / sum(judged) AS value
{_DAYS} GROUP BY day HAVING sum(judged) > 0
UNION ALL
SELECT day::timestamptz, 'answered', sum(answered_within) * 1.0 / sum(answered)
{_DAYS} AND judged > 0 GROUP BY day HAVING sum(answered) > 0
ORDER BY 1
""".strip(),
        unit="percentunit",
        most=1,
    )
    median, ninth = (page.say(text) for text in (_MEDIAN, _NINTH))
    page.sql_series(
        Text("Waktu tunggu menurut hari", "Waits by day"),
        Text(
            "Dari tunggu pertama yang berakhir dengan panggilan, tepat dan bukan dari histogram.",
            "Of first waits that a call ended; exact, not from a histogram.",
        ),
        f"""
SELECT day::timestamptz AS time, q.metric,
       percentile_disc(q.share) WITHIN GROUP (ORDER BY first_wait_ms) / 1000.0 AS value
FROM legs CROSS JOIN (VALUES ('{median}', 0.5::double precision), ('{ninth}', 0.9)) AS q (metric, share)
WHERE unit = '$unit' AND basis IN ('both', 'record') AND answered IS NOT NULL AND $__timeFilter(day::timestamptz)
GROUP BY day, q.metric, q.share ORDER BY 1
""".strip(),
        unit="s",
    )


def _people(page: Page) -> None:
    arrived, served, left, no_show = (page.say(text) for text in (_ARRIVED, _SERVED, _LEFT, _NO_SHOW))
    page.sql_series(
        Text("Orang menurut hari", "People by day"),
        Text("Datang, dilayani, pergi, tidak datang.", "Arrived, served, left, did not come."),
        f"""
SELECT day::timestamptz AS time, f.metric, sum(f.people) AS value
FROM record_days CROSS JOIN LATERAL (VALUES
    ('{arrived}', issued), ('{served}', completed), ('{left}', abandoned), ('{no_show}', no_show)
) AS f (metric, people)
WHERE unit = '$unit' AND $__timeFilter(day::timestamptz)
GROUP BY day, f.metric ORDER BY 1
""".strip(),
    )
    waiting, service = (page.say(text) for text in (_WAITING, _IN_SERVICE))
    page.sql_series(
        Text("Rata-rata tunggu dan layanan menurut hari", "Mean wait and service by day"),
        Text(
            "Tunggu dari panggilan, layanan tanpa penahanan; jumlah dibagi jumlah.",
            "Waits that a call ended, service without holds; sums over sums.",
        ),
        f"""
SELECT day::timestamptz AS time, f.metric, sum(f.ms) / 1000.0 / count(f.ms) AS value
FROM stretches CROSS JOIN LATERAL (VALUES
    ('{waiting}', CASE WHEN called_at IS NOT NULL THEN wait_ms END), ('{service}', service_ms)
) AS f (metric, ms)
WHERE unit = '$unit' AND basis IN ('both', 'record') AND $__timeFilter(day::timestamptz)
GROUP BY day, f.metric HAVING count(f.ms) > 0 ORDER BY 1
""".strip(),
        unit="s",
    )


def _table(page: Page, bucket: str, title: Text) -> None:
    names = [
        page.say(text) for text in (_BEGINS, _ARRIVED, _CALLED, _SERVED, _LEFT, _NO_SHOW, _EXPIRED, _LIVE, _ANSWERED)
    ]
    columns = (
        bucket,
        "sum(issued)",
        "sum(answered)",
        "sum(completed)",
        "sum(abandoned)",
        "sum(no_show)",
        "sum(expired)",
        "1 - sum(breached) * 1.0 / nullif(sum(judged), 0)",
        "sum(answered_within) FILTER (WHERE judged > 0) * 1.0 / nullif(sum(answered) FILTER (WHERE judged > 0), 0)",
    )
    chosen = ",\n       ".join(f'{column} AS "{name}"' for column, name in zip(columns, names, strict=True))
    page.sql_table(
        title,
        Text(
            "Jumlah orang, dan tingkat layanan sebagai jumlah dibagi jumlah. Minggu dan bulan yang belum selesai masih "
            "tumbuh.",
            "People, and levels as sums over sums. A week or month that is not over still grows.",
        ),
        f"SELECT {chosen}\n{_DAYS}\nGROUP BY 1 ORDER BY 1 DESC",
        {names[0]: "dateTimeAsIso", names[-2]: "percentunit", names[-1]: "percentunit"},
    )


_BEGINS = Text("mulai", "begins")
_ARRIVED = Text("datang", "arrived")
_CALLED = Text("dipanggil", "called")
_SERVED = Text("dilayani", "served")
_LEFT = Text("pergi", "left")
_NO_SHOW = Text("tidak datang", "did not come")
_EXPIRED = Text("hangus", "expired")
_LIVE = Text("live", "live")
_ANSWERED = Text("answered", "answered")
_MEDIAN = Text("median", "median")
_NINTH = Text("90 % di bawah", "90 % below")
_WAITING = Text("menunggu", "waiting")
_IN_SERVICE = Text("dilayani", "service")
