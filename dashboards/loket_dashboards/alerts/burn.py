"""Alerts of the budget of breached waits: how fast it is spent, over windows of service time that the domain counts.

Each rule looks at two windows: the long one, with ten people judged, says that it matters, and the short one that it
goes on. PromQL cannot count service time (`[1d]` on Monday is Sunday), so the windows are gauges; the factors come from
targets.yaml.
"""

from __future__ import annotations

from typing import Final

from loket_dashboards.alerts.alert import Alert, Scope, Severity
from loket_dashboards.alerts.hours import until_closing
from loket_dashboards.alerts.texts import looked_up, service, unit
from loket_dashboards.language import Language, Text
from loket_dashboards.promql import one

__all__ = ["BURN", "burn"]

ID, EN = Language.ID, Language.EN
FEWEST: Final = 10
_SAME: Final = "on (unit, service)"


def burn(window: str, fewest: int, matchers: str = "") -> str:
    """How many times faster than allowed the budget is spent in a window; nothing where fewer people were judged."""
    chosen = f'{matchers},window="{window}"' if matchers else f'window="{window}"'
    breached, judged = (one(f"loket_window_{which}", chosen) for which in ("breached", "judged"))
    return f"({breached} / ({judged} >= {fewest})) / {_SAME} group_left () (1 - {one('loket_target_ratio', matchers)})"


def _condition(rule: str) -> str:
    factor = one("loket_burn_factor", f'rule="{rule}"')
    long, short = burn(rule, FEWEST), burn(f"{rule}_short", 1)
    return until_closing(f"(({long}) >= {_SAME} {factor}) and {_SAME} (({short}) >= {_SAME} {factor})")


def _people(rule: str) -> tuple[str, str]:
    """Breached and judged in the long window."""
    breached, judged = (
        looked_up(f'max(loket_window_{which}{{unit=%q,service=%q,window="{rule}"}})', "unit", "service")
        for which in ("breached", "judged")
    )
    return breached, judged


def _alert(name: str, rule: str, severity: Severity, span: Text, step: Text) -> Alert:
    breached, judged = _people(rule)
    return Alert(
        name,
        _condition(rule),
        severity,
        Scope.SERVICE,
        Text(
            f"{breached} dari {judged} orang di {unit(ID)} ({service(ID)}) menunggu melewati target dalam {span.id}",
            f"{breached} of {judged} people at {unit(EN)} ({service(EN)}) waited over the target in {span.en}",
        ),
        Text(
            f"Dalam {span.id} jatah keterlambatan terpakai sekian kali lebih cepat dari yang boleh "
            "(loket_burn_factor), dan itu masih berlangsung.",
            f"In {span.en} the budget of breached waits is spent faster than allowed by the rule's factor "
            "(loket_burn_factor), and it goes on.",
        ),
        (step, Text("Lihat layanan dan jam mana di papan Unit.", "See on the Unit dashboard which service and hours.")),
        keeps="3m",
    )


_NOW: Final = Text("Tambah loket sekarang.", "Open another counter now.")
_TODAY: Final = Text("Atur ulang petugas hari ini.", "Change who serves what today.")
_PLAN: Final = Text(
    "Ini bukan puncak sesaat: jadwal petugas atau targetnya yang tidak cocok.",
    "This is no passing peak: staffing or the target do not fit.",
)

BURN: Final = (
    _alert("LoketBurnFast", "1h", Severity.CRITICAL, Text("satu jam layanan", "one service hour"), _NOW),
    _alert("LoketBurnMedium", "3h", Severity.WARNING, Text("tiga jam layanan", "three service hours"), _TODAY),
    _alert("LoketBurnSlow", "1d", Severity.WARNING, Text("satu hari layanan", "one service day"), _TODAY),
    _alert("LoketBurnSteady", "5d", Severity.INFO, Text("lima hari layanan", "five service days"), _PLAN),
    Alert(
        "LoketBudgetUsedUp",
        until_closing(f"{one('loket_budget_left_ratio')} <= 0"),
        Severity.INFO,
        Scope.SERVICE,
        Text(
            f"Jatah keterlambatan bulan ini di {unit(ID)} ({service(ID)}) habis",
            f"This month's budget of breached waits at {unit(EN)} ({service(EN)}) is used up",
        ),
        Text(
            "Lebih banyak orang menunggu melewati target daripada yang boleh untuk seluruh bulan.",
            "More people waited over the target than may for the whole month.",
        ),
        (_PLAN, Text("Bicarakan dalam rapat mingguan.", "Take it to the weekly meeting.")),
        lasts="15m",
        keeps="3m",
    ),
)
