"""The words of `loket report --unusual`: careful ones, Indonesian and English by one key for each text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["UNUSUAL"]


def _both(indonesian: str, english: str) -> tuple[str, str]:
    return indonesian, english


UNUSUAL: Final[Mapping[str, tuple[str, str]]] = {
    "unusual": _both("Yang tidak biasa: {unit}, {days}", "Unusual: {unit}, {days}"),
    "unusual_nothing": _both(
        "Tidak ada yang tidak biasa ditemukan.",
        "Nothing unusual was found.",
    ),
    "unusual_near_target": _both(
        "{service}: dari {of} panggilan di dekat target {cases} tepat di bawahnya (90 sampai 100 % target); "
        "biasanya paling banyak {expected} %. Begitu pula dalam {hours} dari {of_hours} jam.",
        "{service}: of {of} calls near the target {cases} came just below it (90 to 100 % of the target); usual would "
        "be {expected} % at most. So it was in {hours} of {of_hours} hours.",
    ),
    "unusual_short_services": _both(
        "{service}: dari {of} layanan {who} {cases} berlangsung kurang dari {limit}, sepersepuluh dari median layanan "
        "itu; biasanya paling banyak 7 %.",
        "{service}: of {of} services by {who} {cases} took less than {limit}, a tenth of that service's median; usual "
        "would be 7 % at most.",
    ),
    "unusual_two_counters": _both(
        "Di dua loket sekaligus ({counters}): {who}, {cases} kali, seluruhnya {time}.",
        "At two counters at once ({counters}): {who}, {cases} times, for {time} in all.",
    ),
    "unusual_somebody": _both("seorang pegawai", "one employee"),
    "unusual_looked": _both(
        "Dilihat: {calls} panggilan dengan target, {services} layanan, {works} tiket di tangan pegawai. Keadaan pada "
        "{now}.",
        "Looked at: {calls} calls with a target, {services} services, {works} tickets in employees' hands. As it stood "
        "at {now}.",
    ),
    "unusual_no_proof": _both(
        "Tidak biasa bukan bukti dan bukan tuduhan: lihat, tanyakan, dengarkan. Siapa yang memanggil menurut target "
        "bekerja baik dan terlihat sama; layanan bisa singkat karena berkas dibawa pulang; dua loket bisa satu nama "
        "yang dipakai berdua.",
        "Unusual is no proof and no accusation: look, ask, listen. Who calls by the target works well and looks the "
        "same; services can be short as papers were taken home; two counters can be one login that two people share.",
    ),
}
