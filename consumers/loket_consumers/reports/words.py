"""What reports are written in: Indonesian and English, by one key for each text.

Terms are those of the definitions (`waktu tunggu`, `pelanggaran`, …). `{…}` is filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, Literal, NamedTuple

from loket_consumers.reports.unusual_words import UNUSUAL

__all__ = ["LANGUAGES", "NOTHING", "TEXTS", "Language", "Words", "minutes"]

Language = Literal["id", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("id", "en")


class _Text(NamedTuple):
    id: str
    en: str


TEXTS: Final[Mapping[str, _Text]] = {
    "abandoned": _Text("pergi", "left"),
    "abandoned_ok": _Text("pergi\noke", "aband.\nok"),
    "all": _Text("semua", "all"),
    "answered": _Text("terja-\nwab", "an-\nswered"),
    "any_day": _Text("{first} s.d. {last}", "{first} to {last}"),
    "called": _Text("dipang-\ngil", "called"),
    "call_gap_mean_s": _Text("jeda panggil (men:dtk)", "call gap (min:s)"),
    "cases": _Text("kasus", "cases"),
    "completed": _Text("selesai", "com-\npleted"),
    "daily": _Text("Laporan harian {unit}", "Daily report of {unit}"),
    "day": _Text("hari", "day"),
    "each": _Text(
        "Pegawai menurut nama (bukan peringkat; jumlah kasus di sampingnya)",
        "Employees by name (no ranking; the cases beside each figure)",
    ),
    "employee": _Text("pegawai", "employee"),
    "employees": _Text(
        "Pegawai: sebaran atas orang-orangnya, tanpa nama",
        "Employees: how figures lie over people, without names",
    ),
    "excluding_early": _Text("tanpa\ndini", "excl.\nearly"),
    "excluding_short": _Text("tanpa\nsingkat", "excl.\nshort"),
    "expired": _Text("tak\ndilayani", "not\nserved"),
    "few": _Text(
        "Pegawai: {people} orang. Sebaran ditampilkan mulai {fewest} orang; --employees each menampilkan tiap orang.",
        "Employees: {people}. How figures lie over people is shown from {fewest} on; --employees each shows each one.",
    ),
    "figure": _Text("ukuran", "figure"),
    "handed_on": _Text("dialih-\nkan", "handed\non"),
    "hold": _Text("tunda", "hold"),
    "hour": _Text("jam", "hour"),
    "hours": _Text("Menurut jam kedatangan", "By the hour of arrival"),
    "issued": _Text("datang", "came"),
    "judged": _Text("dinilai", "judged"),
    "km": _Text(
        "Waktu tunggu menurut Kaplan–Meier (men:dtk): yang pergi dihitung seperti yang bertahan; selang 95 %",
        "Waits by Kaplan–Meier (min:s), who left taken to have been like who stayed; 95 %",
    ),
    "km_median": _Text("median KM", "KM median"),
    "km_p90": _Text("p90 KM", "KM p90"),
    "left": _Text("pergi", "left"),
    "levels": _Text("Tingkat layanan dalam persen", "Service levels in per cent"),
    "live": _Text("live", "live"),
    "median": _Text("median", "median"),
    "month": _Text("bulan", "month"),
    "no_level": _Text(
        "Tidak ada yang dinilai: tidak ada target untuk layanan yang diberikan hari itu.",
        "Nobody was judged: no target is in force for what was asked for.",
    ),
    "no_show": _Text("tidak\nhadir", "no-\nshow"),
    "nobody_came": _Text("tak\nhadir", "nobody\ncame"),
    "notes": _Text(
        "Dihitung menurut hari kedatangan. Live: bagian yang dinilai yang tidak melampaui target, jumlahnya di "
        "sampingnya. Keadaan pada {now}; peristiwa yang terlambat masih dapat mengubahnya.",
        "Counted by the day of arrival. Live: the share of the judged whose target had not passed, their number beside "
        "it. As it stood at {now}; what comes late can still change it.",
    ),
    "occupancy": _Text("okupansi (%)", "occupancy (%)"),
    "offered": _Text("tawar-\nan", "offered"),
    "p25": _Text("kuartil 1", "quartile 1"),
    "p75": _Text("kuartil 3", "quartile 3"),
    "p90": _Text("p90", "p90"),
    "patience": _Text("sabar\nmedian", "patience\nmedian"),
    "people": _Text("orang", "people"),
    "report": _Text("{unit}, {days}", "{unit}, {days}"),
    "served": _Text("dilayani", "served"),
    "service": _Text("layanan", "service"),
    "service_mean_s": _Text("waktu layanan rata-rata (men:dtk)", "mean service time (min:s)"),
    "service_time": _Text("waktu\nlayanan", "service\ntime"),
    "services": _Text("layanan", "services"),
    "services_per_staffed_hour": _Text("layanan per jam sesi", "services per staffed hour"),
    "sentence_came": _Text(
        "{issued} orang datang, {answered} dipanggil, {left} pergi sebelum dipanggil, {no_show} tidak hadir saat "
        "dipanggil, {served} dilayani.",
        "{issued} people came, {answered} were called, {left} left before that, {no_show} did not come when called, "
        "{served} were served.",
    ),
    "sentence_expired": _Text(
        "{expired} orang masih menunggu ketika hari berakhir.", "{expired} people still waited when the day ended."
    ),
    "sentence_level": _Text(
        "Tingkat layanan (live) {level} %: dari {judged} orang yang dinilai, {breached} melampaui target.",
        "Service level (live) {level} %: of {judged} people judged, the target of {breached} had passed.",
    ),
    "sentence_target": _Text(
        "{service}: target {objective} % dalam {within}; tercapai {level} % dari {judged}: {met}.",
        "{service}: target {objective} % within {within}; reached {level} % of {judged}: {met}.",
    ),
    "met": _Text("tercapai", "met"),
    "not_met": _Text("TIDAK tercapai", "NOT met"),
    "sentence_wait": _Text(
        "Separuh dari yang dipanggil menunggu paling lama {median}, sembilan dari sepuluh paling lama {p90}.",
        "Half of those called waited no longer than {median}, nine of ten no longer than {p90}.",
    ),
    "sentence_waiting": _Text(
        "Hari masih berjalan: {waiting} orang sedang menunggu.", "The day goes on: {waiting} people wait now."
    ),
    "sentence_week": _Text(
        "Hari yang sama minggu lalu ({day}): {issued} orang, live {level} % dari {judged}, median {median}.",
        "The same weekday before ({day}): {issued} people, live {level} % of {judged}, median {median}.",
    ),
    "staffed": _Text("sesi", "staffed"),
    "transferred": _Text("pindah", "trans-\nferred"),
    "unit_days": _Text("{n} hr", "{n} d"),
    "unit_hours": _Text("{n} jam", "{n} h"),
    "unit_minutes": _Text("{n} mnt", "{n} min"),
    "unit_seconds": _Text("{n} dtk", "{n} s"),
    "answers": _Text("jawab-\nan", "answers"),
    "backlog": _Text("ter-\nbuka", "open\nthen"),
    "band": _Text("mutu", "band"),
    "breached": _Text("langgar", "breach"),
    "cancelled": _Text("batal", "can-\ncelled"),
    "citizen": _Text("pemohon", "citizen"),
    "citizen_km": _Text("pemohon\nKM", "citizen\nKM"),
    "citizen_seen": _Text("pemohon\nselesai", "citizen\ndone"),
    "citizen_service": _Text("jam\nlayanan", "service\nhours"),
    "clock": _Text("jam", "clock"),
    "clocks": _Text(
        "Tiga jam, median: pemohon (KM, selesai, p90, jam layanan), hukum, kerja (jam layanan)",
        "The three clocks, medians: citizen (KM, done, p90, service hours), legal, task",
    ),
    "done_of_them": _Text("sele-\nsai", "done"),
    "legal": _Text("hukum", "legal"),
    "legal_clock": _Text("hukum", "legal"),
    "requests_met": _Text("dalam\ntarget %", "in time\n%"),
    "none_in_particular": _Text("(tanpa layanan)", "(no service)"),
    "notes_requests": _Text(
        "Keadaan pada {now}. Permohonan menurut hari pengajuan; yang masih terbuka (*) tetap dihitung, tersensor pada "
        "umurnya. Bagian dan KM menurut Kaplan–Meier; terbuka: pada akhir masa itu, kapan pun diajukan.",
        "As it stood at {now}. Requests by the day of submission; those that are open (*) are counted, censored at "
        "their age. Shares and KM are by Kaplan–Meier; open: at the end of the period, whenever submitted.",
    ),
    "oldest": _Text("ter-\ntua", "oldest"),
    "requests": _Text("Permohonan dan tunggakan", "Requests and backlog"),
    "right_first": _Text("sekali\nbenar %", "right\nfirst %"),
    "satisfaction": _Text("Kepuasan (SKM)", "Satisfaction (SKM)"),
    "sentence_requests": _Text(
        "{submitted} permohonan diajukan, {completions} selesai hari itu; {backlog} terbuka, yang tertua {oldest}.",
        "{submitted} documents were asked for, {completions} completed that day; {backlog} open, the oldest {oldest}.",
    ),
    "sentence_skm": _Text(
        "{answers} jawaban warga: SKM {index} (mutu {band}).", "{answers} citizens answered: SKM {index} (band {band})."
    ),
    "skm_index": _Text("SKM", "SKM"),
    "submitted": _Text("diaju-\nkan", "asked"),
    "task": _Text("kerja", "task"),
    "within": _Text(
        "Selesai dalam sekian jam, persen (Kaplan–Meier)", "Done within so many hours, per cent (Kaplan–Meier)"
    ),
    "waits": _Text("Waktu tunggu yang diamati (men:dtk)", "Waits as observed (min:s)"),
    "way": _Text("jalan", "way"),
    "week": _Text("minggu", "week"),
    "without": _Text("tanpa yang tidak hadir", "without no-shows"),
    "ends": _Text("Akhirnya", "What became of them"),
    "95": _Text("95 %", "95 %"),
    **{key: _Text(*both) for key, both in UNUSUAL.items()},
}

_WEEKDAYS: Final = (
    _Text("Senin", "Monday"),
    _Text("Selasa", "Tuesday"),
    _Text("Rabu", "Wednesday"),
    _Text("Kamis", "Thursday"),
    _Text("Jumat", "Friday"),
    _Text("Sabtu", "Saturday"),
    _Text("Minggu", "Sunday"),
)
_MONTHS: Final = (
    _Text("Januari", "January"),
    _Text("Februari", "February"),
    _Text("Maret", "March"),
    _Text("April", "April"),
    _Text("Mei", "May"),
    _Text("Juni", "June"),
    _Text("Juli", "July"),
    _Text("Agustus", "August"),
    _Text("September", "September"),
    _Text("Oktober", "October"),
    _Text("November", "November"),
    _Text("Desember", "December"),
)


class Words:
    """The texts of one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def __call__(self, key: str, **filled: object) -> str:
        """A text, filled in."""
        return self._of(TEXTS[key]).format(**filled)

    def day(self, iso: str) -> str:
        """A date in full: `Monday, 2 February 2026`."""
        told = date.fromisoformat(iso)
        weekday, month = self._of(_WEEKDAYS[told.weekday()]), self._of(_MONTHS[told.month - 1])
        return f"{weekday}, {told.day} {month} {told.year}"

    def number(self, value: float) -> str:
        """A whole number with its thousands apart."""
        return self._marked(f"{value:,.0f}")

    def duration(self, value: object) -> str:
        """Seconds as people say them: `9 s`, `2 min 6 s`, `1 h 3 min`."""
        if not isinstance(value, (int, float)):
            return NOTHING
        minutes, seconds = divmod(round(value), 60)
        hours, minutes = divmod(minutes, 60)
        told = {"hours": hours, "minutes": minutes, "seconds": 0 if hours else seconds}
        parts = [self(f"unit_{name}", n=number) for name, number in told.items() if number]
        return " ".join(parts) or self("unit_seconds", n=0)

    def share(self, value: float | None, digits: int = 1) -> str:
        """A share as per cent without the sign; a dash where there is none."""
        return NOTHING if value is None else self._marked(f"{100 * value:.{digits}f}")

    def decimal(self, value: float, digits: int = 1) -> str:
        return self._marked(f"{value:,.{digits}f}")

    def days(self, value: object) -> str:
        """Seconds of something that takes hours or days, short: `45 min`, `6.4 h`, `12.5 d`; a dash of nothing."""
        if not isinstance(value, (int, float)):
            return NOTHING
        if value < _HOUR_S:
            return self("unit_minutes", n=self.number(value / 60))
        if value < 2 * _DAY_S:
            return self("unit_hours", n=self.decimal(value / _HOUR_S))
        return self("unit_days", n=self.decimal(value / _DAY_S))

    def bounds(self, low: object, high: object) -> str:
        """Bounds of an estimate; open above where nothing took that long."""
        lower, upper = self.days(low), self.days(high)
        if lower == NOTHING or upper == NOTHING:
            return NOTHING if lower == NOTHING else f"≥ {lower}"
        number, _, unit = lower.partition(" ")
        return f"{number if upper.endswith(f' {unit}') else lower}–{upper}"

    def _marked(self, text: str) -> str:
        return text if self.language == "en" else text.translate(_INDONESIAN)

    def _of(self, text: _Text) -> str:
        return text.id if self.language == "id" else text.en


NOTHING: Final = "–"
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400
_INDONESIAN: Final = str.maketrans({",": ".", ".": ","})


def minutes(value: object) -> str:
    """Seconds as minutes and seconds, from an hour on with hours: `0:06`, `2:11`, `51:03:20`; a dash of nothing."""
    if not isinstance(value, (int, float)):
        return NOTHING
    whole, seconds = divmod(round(value), 60)
    hours, whole = divmod(whole, 60)
    return f"{hours}:{whole:02}:{seconds:02}" if hours else f"{whole}:{seconds:02}"
