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
from loket_dashboards.promql import by, one

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


_OWN: Final = "1h|3h|1d|5d"
_RULE: Final = "on (unit, service, rule)"


def _burns_of_others(fewest: int, *, short: bool) -> str:
    """The burn by rule, of the rules that a city has named itself."""
    chosen = f'window!~"({_OWN})(_short)?",window{"=~" if short else "!~"}".+_short"'
    breached, judged = (one(f"loket_window_{which}", chosen) for which in ("breached", "judged"))
    ratio = f'label_replace({breached} / ({judged} >= {fewest}), "rule", "$1", "window", "(.+?)(_short)?")'
    return f"max by (unit, service, rule) ({ratio}) / {_SAME} group_left () (1 - {one('loket_target_ratio')})"


def _condition_of_others() -> str:
    factor = by("unit, service, rule", "loket_burn_factor", f'rule!~"{_OWN}"', how="max")
    long, short = _burns_of_others(FEWEST, short=False), _burns_of_others(1, short=True)
    return until_closing(f"(({long}) >= {_RULE} {factor}) and {_RULE} (({short}) >= {_RULE} {factor})")


def _people_of_others() -> tuple[str, str]:
    breached, judged = (
        looked_up(f"max(loket_window_{which}{{unit=%q,service=%q,window=%q}})", "unit", "service", "rule")
        for which in ("breached", "judged")
    )
    return breached, judged


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
        (step, _WHERE),
        keeps="3m",
    )


_WHERE: Final = Text("Lihat layanan dan jam mana di papan Unit.", "See on the Unit dashboard which service and hours.")
_NOW: Final = Text("Tambah loket sekarang.", "Open another counter now.")
_TODAY: Final = Text("Atur ulang petugas hari ini.", "Change who serves what today.")
_PLAN: Final = Text(
    "Ini bukan puncak sesaat: jadwal petugas atau targetnya yang tidak cocok.",
    "This is no passing peak: staffing or the target do not fit.",
)

_BREACHED, _JUDGED = _people("5d")
_BREACHED_OF_RULE, _JUDGED_OF_RULE = _people_of_others()

BURN: Final = (
    _alert("LoketBurnFast", "1h", Severity.CRITICAL, Text("satu jam layanan", "one service hour"), _NOW),
    _alert("LoketBurnMedium", "3h", Severity.WARNING, Text("tiga jam layanan", "three service hours"), _TODAY),
    _alert("LoketBurnSlow", "1d", Severity.WARNING, Text("satu hari layanan", "one service day"), _TODAY),
    _alert("LoketBurnSteady", "5d", Severity.INFO, Text("lima hari layanan", "five service days"), _PLAN),
    Alert(
        "LoketBurnOfOwnRule",
        _condition_of_others(),
        Severity.WARNING,
        Scope.SERVICE,
        Text(
            f"{_BREACHED_OF_RULE} dari {_JUDGED_OF_RULE} orang di {unit(ID)} ({service(ID)}) menunggu melewati target "
            "menurut aturan {{ $labels.rule }}",
            f"{_BREACHED_OF_RULE} of {_JUDGED_OF_RULE} people at {unit(EN)} ({service(EN)}) waited over the target by "
            "the rule {{ $labels.rule }}",
        ),
        Text(
            "Sebuah aturan burn_rate yang dinamai sendiri di targets.yaml: jatah keterlambatan terpakai lebih cepat "
            "dari yang boleh dalam jendelanya, dan itu masih berlangsung.",
            "A burn-rate rule that targets.yaml names itself: the budget of breached waits is spent faster than its "
            "factor allows in its window, and it goes on.",
        ),
        (
            _TODAY,
            Text("Lihat layanan dan jam mana di papan Unit.", "See on the Unit dashboard which service and hours."),
        ),
        keeps="3m",
    ),
    Alert(
        "LoketBudgetUsedUp",
        until_closing(f"{one('loket_budget_left_ratio')} <= 0"),
        Severity.INFO,
        Scope.SERVICE,
        Text(
            f"Jatah keterlambatan bulan ini di {unit(ID)} ({service(ID)}) habis; dalam lima hari layanan terakhir "
            f"{_BREACHED} dari {_JUDGED} orang menunggu melewati target",
            f"This month's budget of breached waits at {unit(EN)} ({service(EN)}) is used up; in the last five service "
            f"days {_BREACHED} of {_JUDGED} people waited over the target",
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
