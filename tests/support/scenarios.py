"""What promtool is asked of each alert: the series of a story, and at which minute which alerts fire with which words.

Minutes count from 0, a value a minute in promtool's notation: `0x4` is five times 0, `_` no sample.
Every story of a hall has a second unit, `tutup`, with the same figures and closed: it has to be silent.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from loket_dashboards.alerts.alert import Alert
from loket_dashboards.alerts.rules import ALERTS, OF_UNITS

__all__ = ["SCENARIOS", "Fires", "Scenario", "promtool_test"]

U, S = 'unit="pkm/1"', 'unit="pkm/1",service="ktp"'
BY_NAME = {alert.name: alert for alert in ALERTS}


@dataclass(frozen=True)
class Fires:
    """An alert that fires: its labels and, where they are part of the story, its words."""

    labels: Mapping[str, str]
    id: str
    en: str


@dataclass(frozen=True)
class Scenario:
    """One story of one alert. `then`: what fires at which minute."""

    alert: str
    series: Mapping[str, str]
    then: Mapping[int, Sequence[Fires]]
    halls: bool = False
    also: Mapping[str, Mapping[int, Sequence[Fires]]] = field(default_factory=dict)
    about: str = ""


def promtool_test(scenario: Scenario) -> Mapping[str, Any]:
    """The story as a test of `promtool test rules`, which has to be put beside the rules."""
    series = dict(scenario.series)
    if scenario.halls:
        series = {**HALL, **series}
        closed = {
            name.replace('unit="pkm/1"', 'unit="tutup"'): values
            for name, values in series.items()
            if 'unit="pkm/1"' in name and not name.startswith("loket_unit_")
        }
        hours = {'loket_unit_open{unit="tutup"}': "0x120", 'loket_unit_state{unit="tutup",state="closed"}': "1x120"}
        series = {**closed, **hours, **series}
    expected = {scenario.alert: scenario.then, **scenario.also}
    return {
        "interval": "1m",
        "name": scenario.alert,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {
                "eval_time": f"{minute}m",
                "alertname": name,
                "exp_alerts": [_expected(BY_NAME[name], fires) for fires in firing],
            }
            for name, moments in expected.items()
            for minute, firing in moments.items()
        ],
    }


def _expected(alert: Alert, fires: Fires) -> Mapping[str, Any]:
    labels = {"severity": str(alert.severity), "scope": str(alert.scope), **fires.labels}
    if alert.global_:
        labels["blinds"] = "all"
    unit = f"?var-unit={quote(fires.labels.get('unit', ''), safe='')}" if alert.board in OF_UNITS else ""
    annotations = {"summary_id": fires.id, "summary_en": fires.en, "runbook": alert.anchor}
    annotations |= {f"dashboard_{language}": f"/d/loket-{alert.board}-{language}{unit}" for language in ("id", "en")}
    return {"exp_labels": labels, "exp_annotations": annotations}


HALL = {
    f'loket_unit_info{{{U},name_id="Puskesmas \\"1\\"",name_en="Health centre {{{{1}}}}"}}': "1x120",
    f'loket_service_info{{{S},name_id="KTP-el",name_en="Identity card"}}': "1x120",
    f"loket_target_seconds{{{S}}}": "1800x120",
    f"loket_target_ratio{{{S}}}": "0.8x120",
    f"loket_counters_open{{{U}}}": "2x120",
    f"loket_unit_open{{{U}}}": "1x120",
    f'loket_unit_state{{{U},state="closed"}}': "0x120",
}
UNIT, OF_S = {"unit": "pkm/1"}, {"unit": "pkm/1", "service": "ktp"}
NAME_ID, NAME_EN = 'Puskesmas "1"', "Health centre {{1}}"


def _over(over: int, longest: int) -> Fires:
    return Fires(
        OF_S,
        f"{over} orang di {NAME_ID} (KTP-el) sudah menunggu lebih dari 30 menit, terlama {longest} menit; 2 loket buka",
        f"{over} people at {NAME_EN} (Identity card) have waited over 30 min, the longest {longest} min; "
        "2 counters open",
    )


def _far(minutes: int, waiting: int = 2) -> Fires:
    return Fires(
        OF_S,
        f"Seseorang di {NAME_ID} (KTP-el) sudah menunggu {minutes} menit; targetnya 30 menit, {waiting} orang menunggu",
        f"Somebody at {NAME_EN} (Identity card) has waited {minutes} min; the target is 30 min, {waiting} wait",
    )


def _uncalled(unit: str, minutes: int, name_id: str = NAME_ID, name_en: str = NAME_EN, counters: str = "2") -> Fires:
    service_id, service_en = ("KTP-el", "Identity card") if unit == "pkm/1" else ("ktp", "ktp")
    return Fires(
        {"unit": unit, "service": "ktp"},
        f"Di {name_id} tidak ada yang memanggil {service_id} sejak 15 menit: 4 orang menunggu, terlama {minutes} "
        f"menit; {counters} loket buka",
        f"At {name_en} nobody has called for {service_en} in 15 min: 4 people wait, the longest {minutes} min; "
        f"{counters} counters open",
    )


_NONE_OPEN = Fires(
    UNIT,
    f"Tidak ada loket buka di {NAME_ID} selama jam layanan; 7 orang menunggu",
    f"No counter is open at {NAME_EN} in opening hours; 7 people wait",
)
_LEAVE = Fires(
    UNIT,
    f"4 dari 12 orang yang selesai di {NAME_ID} satu jam terakhir pergi atau tidak datang ketika dipanggil",
    f"4 of 12 people done at {NAME_EN} in the last hour left, or did not come when called",
)
_AWAY = Fires(
    {},
    "Tidak ada pekerja Loket yang terjangkau: papan dan peringatan unit buta",
    "No Loket worker can be reached: dashboards and alerts of units are blind",
)
_C1 = {"unit": "pkm/1", "counter": "c1"}

_HALLS = (
    Scenario(
        "LoketOverTarget",
        {
            f"loket_tickets_waiting{{{S}}}": "20x120",
            # Three of twenty are within what 80 % allow; five are not; two instances of one unit are one unit.
            f"loket_tickets_over_target{{{S}}}": "3x9 5x19 0x60",
            f'loket_tickets_over_target{{{S},instance="b"}}': "3x9 5x19 0x60",
            f"loket_oldest_wait_start_timestamp_seconds{{{S}}}": "-2040x29 1740x60",
        },
        {9: [], 11: [], 13: [_over(5, 47)], 31: [_over(5, 63)], 35: []},
        halls=True,
    ),
    Scenario(
        "LoketOverTarget",
        {
            f"loket_tickets_waiting{{{S}}}": "2x60",
            f"loket_tickets_over_target{{{S}}}": "2x60",
            f"loket_oldest_wait_start_timestamp_seconds{{{S}}}": "-2040x60",
        },
        {30: []},
        halls=True,
        about="two people are too few, however many wait",
    ),
    Scenario(
        "LoketOverTarget",
        {
            f"loket_tickets_waiting{{{S}}}": "8x60",
            f"loket_tickets_over_target{{{S}}}": "5x60",
            f"loket_oldest_wait_start_timestamp_seconds{{{S}}}": "0x60",
            f"loket_unit_open{{{U}}}": "1x9 0x20 1x30",
        },
        {5: [_over(5, 5)], 20: [_over(5, 20)]},
        halls=True,
        about="it stays on in breaks",
    ),
    Scenario(
        "LoketOverTarget",
        {
            f"loket_tickets_waiting{{{S}}}": "8x60",
            f"loket_tickets_over_target{{{S}}}": "5x60",
            f"loket_oldest_wait_start_timestamp_seconds{{{S}}}": "0x60",
            f'loket_unit_state{{{U},state="closed"}}': "0x9 1x60",
        },
        {9: [_over(5, 9)], 12: [_over(5, 9)], 14: []},
        halls=True,
        about="it ends with the hours, by its own condition",
    ),
    Scenario(
        "LoketOverTarget",
        {
            f"loket_tickets_waiting{{{S}}}": "8x19 stale",
            f"loket_tickets_over_target{{{S}}}": "5x19 stale",
            f"loket_oldest_wait_start_timestamp_seconds{{{S}}}": "0x19 stale",
            'up{job="loket-worker",instance="a"}': "1x19 0x30",
        },
        {19: [_over(5, 19)], 20: [_over(5, 19)], 21: [_over(5, 19)], 22: [_over(5, 19)]},
        halls=True,
        also={"LoketPipelineAway": {20: [], 21: [_AWAY]}},
        about="the worker is killed while it fires: it goes on until the pipeline's alert is out",
    ),
    Scenario(
        "LoketWaitFarOverTarget",
        {
            f"loket_tickets_waiting{{{S}}}": "2x120",
            f"loket_oldest_wait_start_timestamp_seconds{{{S}}}": "0x49 2940x60",
        },
        {45: [], 46: [], 47: [_far(47)], 52: [_far(49)], 55: []},
        halls=True,
    ),
    Scenario(
        "LoketQueueNotCalled",
        {
            f"loket_tickets_waiting{{{S}}}": "4x120",
            f"loket_oldest_wait_start_timestamp_seconds{{{S}}}": "0x21 1320x60",
            f"loket_last_call_timestamp_seconds{{{S}}}": "-600x21 1320+60x60",
            # A call for another service hides nothing, and its own queue is called.
            f'loket_tickets_waiting{{{U},service="kk"}}': "4x120",
            f'loket_oldest_wait_start_timestamp_seconds{{{U},service="kk"}}': "0x120",
            f'loket_last_call_timestamp_seconds{{{U},service="kk"}}': "0+60x120",
            # People stood before the door of this one; it has been open since the sixth minute, and never called.
            'loket_tickets_waiting{unit="baru",service="ktp"}': "4x21 0x60",
            'loket_oldest_wait_start_timestamp_seconds{unit="baru",service="ktp"}': "0x21 _x60",
            'loket_unit_open{unit="baru"}': "0x5 1x120",
            'loket_unit_state{unit="baru",state="closed"}': "1x5 0x120",
        },
        {
            14: [],
            15: [_uncalled("pkm/1", 15)],
            20: [_uncalled("pkm/1", 20)],
            21: [_uncalled("pkm/1", 21), _uncalled("baru", 21, "baru", "baru", "?")],
            27: [],
        },
        halls=True,
    ),
    Scenario(
        "LoketNoCounterOpen",
        {
            f"loket_counters_open{{{U}}}": "2x4 0x19 1x60",
            f"loket_tickets_waiting{{{S}}}": "4x120",
            f'loket_tickets_waiting{{{U},service="kk"}}': "3x120",
            'loket_unit_open{unit="never-told"}': "1x60",
        },
        {14: [], 15: [_NONE_OPEN], 26: [_NONE_OPEN], 29: []},
        halls=True,
    ),
    Scenario(
        "LoketPeopleLeave",
        {
            f'loket_day_tickets_closed{{{S},outcome="completed"}}': "5x4 8x19 20x60",
            f'loket_day_tickets_closed{{{S},outcome="abandoned"}}': "2x60",
            f'loket_day_tickets_closed{{{S},outcome="no_show"}}': "2x60",
        },
        {4: [], 14: [], 15: [_LEAVE], 26: [_LEAVE], 29: []},
        halls=True,
    ),
    Scenario(
        "LoketCounterSilent",
        {
            f'loket_counter_last_event_timestamp_seconds{{{U},counter="c1"}}': "0x9 600+60x40",
            f'loket_counter_outbox_pending{{{U},counter="c1"}}': "0x60",
            f'loket_counter_open{{{U},counter="c1"}}': "1x60",
            # It never sent a heartbeat; it is closed; its unit is behind.
            f'loket_counter_last_event_timestamp_seconds{{{U},counter="c2"}}': "0x60",
            f'loket_counter_open{{{U},counter="c2"}}': "1x60",
            f'loket_counter_last_event_timestamp_seconds{{{U},counter="c3"}}': "0x60",
            f'loket_counter_outbox_pending{{{U},counter="c3"}}': "0x60",
            f'loket_counter_open{{{U},counter="c3"}}': "0x60",
            'loket_counter_last_event_timestamp_seconds{unit="late",counter="c1"}': "0x60",
            'loket_counter_outbox_pending{unit="late",counter="c1"}': "0x60",
            'loket_counter_open{unit="late",counter="c1"}': "1x60",
            'loket_unit_open{unit="late"}': "1x60",
            'loket_unit_behind_seconds{unit="late"}': "300x60",
        },
        {
            3: [],
            4: [
                Fires(
                    _C1, f"Loket c1 di {NAME_ID} diam sejak 4m 0s", f"Counter c1 at {NAME_EN} has been silent for 4m 0s"
                )
            ],
            14: [],
        },
        halls=True,
    ),
    Scenario(
        "LoketOutboxFilling",
        {
            f'loket_counter_last_event_timestamp_seconds{{{U},counter="c1"}}': "0+60x60",
            f'loket_counter_outbox_pending{{{U},counter="c1"}}': "0x1 25x9 0x40",
        },
        {
            6: [],
            7: [
                Fires(
                    _C1,
                    f"25 peristiwa menunggu di perangkat loket c1 di {NAME_ID}",
                    f"25 events wait in the device of counter c1 at {NAME_EN}",
                )
            ],
            16: [],
        },
        halls=True,
    ),
    Scenario(
        "LoketRequestsOverTarget",
        {
            f"loket_requests_over_target{{{S}}}": "2x4 5x24 0x60",
            f"loket_requests_open{{{S}}}": "20x120",
            f"loket_request_target_ratio{{{S}}}": "0.8x120",
        },
        {
            19: [],
            20: [
                Fires(
                    OF_S,
                    f"5 permohonan KTP-el di {NAME_ID} lewat target; 20 terbuka",
                    f"5 requests for Identity card at {NAME_EN} are over target; 20 are open",
                )
            ],
            34: [],
        },
        halls=True,
    ),
    Scenario(
        "LoketClosedWithWaiting",
        {
            f"loket_tickets_waiting{{{S}}}": "4x24 0x30",
            f'loket_unit_state{{{U},state="closed"}}': "0x4 1x60",
            # Not of this story: nobody waits in the unit that is closed all day, and one that is open is silent.
            'loket_tickets_waiting{unit="tutup",service="ktp"}': "0x60",
            'loket_tickets_waiting{unit="open",service="ktp"}': "9x60",
            'loket_unit_state{unit="open",state="closed"}': "0x60",
        },
        {
            19: [],
            20: [
                Fires(
                    UNIT,
                    f"{NAME_ID} tutup dengan 4 orang masih menunggu",
                    f"{NAME_EN} has closed with 4 people still waiting",
                )
            ],
            29: [],
        },
        halls=True,
    ),
)


def _burn(alert: str, rule: str, factor: str, id: str, en: str, *, own: bool = False) -> Scenario:
    """15 of 20 breached where a fifth may be is a burn of 3.75; the short window has to say so too."""

    def window(kind: str, name: str) -> str:
        return f'loket_window_{kind}{{{S},window="{name}"}}'

    return Scenario(
        alert,
        {
            window("judged", rule): "9x4 20x60",
            window("breached", rule): "9x4 15x60",
            window("judged", f"{rule}_short"): "0x9 5x60",
            window("breached", f"{rule}_short"): "0x9 4x9 0x60",
            f'loket_burn_factor{{{S},rule="{rule}"}}': f"{factor}x120",
        },
        {
            4: [],
            9: [],
            10: [
                Fires(
                    {**OF_S, "rule": rule} if own else OF_S,
                    f"15 dari 20 orang di {NAME_ID} (KTP-el) menunggu melewati target "
                    + (f"menurut aturan {rule}" if own else f"dalam {id}"),
                    f"15 of 20 people at {NAME_EN} (Identity card) waited over the target "
                    + (f"by the rule {rule}" if own else f"in {en}"),
                )
            ],
            24: [],
        },
        halls=True,
    )


_BURN = (
    _burn("LoketBurnFast", "1h", "3.3", "satu jam layanan", "one service hour"),
    _burn("LoketBurnMedium", "3h", "2.75", "tiga jam layanan", "three service hours"),
    _burn("LoketBurnSlow", "1d", "2.2", "satu hari layanan", "one service day"),
    _burn("LoketBurnSteady", "5d", "1", "lima hari layanan", "five service days"),
    _burn("LoketBurnOfOwnRule", "pagi", "3.3", "", "", own=True),
    Scenario(
        "LoketBudgetUsedUp",
        {
            f"loket_budget_left_ratio{{{S}}}": "0.1x4 -0.1x24 1x30",
            f'loket_window_judged{{{S},window="5d"}}': "310x60",
            f'loket_window_breached{{{S},window="5d"}}': "75x60",
        },
        {
            19: [],
            20: [
                Fires(
                    OF_S,
                    f"Jatah keterlambatan bulan ini di {NAME_ID} (KTP-el) habis; dalam lima hari layanan terakhir 75 "
                    "dari 310 orang menunggu melewati target",
                    f"This month's budget of breached waits at {NAME_EN} (Identity card) is used up; in the last five "
                    "service days 75 of 310 people waited over the target",
                )
            ],
            34: [],
        },
        halls=True,
    ),
)

_DEVICES = (
    Scenario(
        "LoketClockError",
        {
            'loket_source_clock_error_seconds{unit="u",source="k \\"7\\""}': "-90x19 0x40",
            'loket_source_clock_error_seconds{unit="u",source="fine"}': "59x60",
        },
        {
            9: [],
            10: [
                Fires(
                    {"unit": "u", "source": 'k "7"'},
                    'Jam k "7" di u meleset -90 detik',
                    'The clock of k "7" at u is off by -90 s',
                )
            ],
            32: [],
        },
    ),
    Scenario(
        "LoketEventsRejected",
        {
            'loket_rejections_total{unit="u",reason="not_json"}': "0x5 3x60",
            # Born with its first one, as the reasons of a unit are that no target knows.
            'loket_rejections_total{unit="v",reason="naive_time"}': "_x6 1x60",
        },
        {
            5: [],
            6: [
                Fires(
                    {"unit": unit, "reason": reason},
                    f"{count} peristiwa dari {unit} ditolak dalam 15 menit: {reason}",
                    f"{count} events of {unit} were refused in 15 min: {reason}",
                )
                for unit, count, reason in (("u", 3, "not_json"), ("v", 1, "naive_time"))
            ],
            34: [],
        },
    ),
    Scenario(
        "LoketLabelBudgetReached",
        {
            'loket_label_budget_used{unit="u",kind="services"}': "49x4 50x10 40x40",
            'loket_label_budget_allowed{unit="u",kind="services"}': "50x60",
        },
        {
            9: [],
            10: [
                Fires(
                    {"unit": "u", "kind": "services"},
                    "Jatah nama services habis di u: sisanya dihitung sebagai other",
                    "The budget of services is used up at u: the rest is tallied as other",
                )
            ],
            27: [],
        },
    ),
    Scenario(
        "LoketUnitUnknown",
        {'loket_unit_known{unit="u"}': "0x19 1x40", 'loket_unit_known{unit="v"}': "1x60"},
        {
            14: [],
            15: [
                Fires(
                    {"unit": "u"},
                    "Unit u mengirim peristiwa, dan targets.yaml tidak mengenalnya",
                    "Unit u sends events, and targets.yaml does not know it",
                )
            ],
            31: [],
        },
    ),
)

_PIPELINE = (
    Scenario("LoketPipelineAway", {'up{job="loket-worker",instance="a"}': "1x5 0x9 1x9"}, {6: [], 7: [_AWAY], 16: []}),
    Scenario(
        "LoketWorkerDown",
        {'up{job="loket-worker",instance="a"}': "1x4 0x9 1x9", 'up{job="loket-worker",instance="b"}': "1x30"},
        {
            9: [],
            10: [
                Fires(
                    {"job": "loket-worker", "instance": "a"},
                    "Pekerja a tidak terjangkau",
                    "Worker a cannot be reached",
                )
            ],
            15: [],
        },
        also={"LoketPipelineAway": {12: []}},
    ),
    Scenario(
        "LoketBrokerAway",
        {
            'loket_broker_answered_timestamp_seconds{instance="a"}': "0+60x5 300x9 960+60x20",
            # A worker more than there are partitions fetches nothing.
            'loket_broker_answered_timestamp_seconds{instance="b"}': "0x60",
        },
        {
            7: [],
            8: [
                Fires({}, "Kafka tidak menjawab sejak 3m 0s", "Kafka has not answered for 3m 0s"),
            ],
            19: [],
        },
    ),
    Scenario(
        "LoketUnitBehind",
        {'loket_unit_behind_seconds{unit="u"}': "300x4 301x9 0x20"},
        {
            6: [],
            7: [Fires({"unit": "u"}, "Data u terlambat 5m 1s", "The data of u are 5m 1s late")],
            18: [],
        },
    ),
    Scenario(
        "LoketLag",
        {
            'loket_partition_lag_records{partition="0"}': "6000x60",
            'loket_partition_lag_records{partition="1"}': "4001x19 0x40",
        },
        {
            9: [],
            10: [Fires({}, "10001 peristiwa menunggu pekerja", "10001 events wait for the worker")],
            26: [],
        },
    ),
    Scenario(
        "LoketNoProgress",
        {
            'loket_partition_lag_records{partition="0"}': "7x60",
            'loket_partition_applied_offset{partition="0"}': "0+10x9 100x20 110+10x20",
        },
        {
            15: [],
            17: [
                Fires(
                    {"partition": "0"},
                    "Partisi 0 berhenti dengan 7 peristiwa belum diolah",
                    "Partition 0 stands still with 7 events to apply",
                )
            ],
            37: [],
        },
    ),
    Scenario(
        "LoketNoCheckpoint",
        {
            'loket_partition_state_timestamp_seconds{partition="0"}': "0x9 600+60x20",
            'loket_partition_applied_offset{partition="0"}': "9x40",
            'loket_partition_durable_offset{partition="0"}': "5x9 9x40",
            # Nothing has come since: there is nothing to save.
            'loket_partition_state_timestamp_seconds{partition="1"}': "0x40",
            'loket_partition_applied_offset{partition="1"}': "9x40",
            'loket_partition_durable_offset{partition="1"}': "9x40",
        },
        {
            6: [],
            7: [
                Fires(
                    {"partition": "0"},
                    "Keadaan partisi 0 tidak tersimpan sejak 7m 0s",
                    "The state of partition 0 has not been saved for 7m 0s",
                )
            ],
            15: [],
        },
    ),
    Scenario(
        "LoketTargetsInvalid",
        {'loket_targets_valid{instance="a"}': "1x4 0x9 1x9"},
        {
            5: [],
            6: [
                Fires(
                    {"instance": "a"},
                    "targets.yaml salah; yang lama tetap berlaku",
                    "targets.yaml is wrong; the last good one stays in force",
                )
            ],
            19: [],
        },
    ),
    Scenario(
        "LoketSinkDown",
        {'up{job="loket-sink",instance="a"}': "1x4 0x9 1x9"},
        {
            6: [],
            7: [
                Fires(
                    {},
                    "Pencatat Loket tidak terjangkau: catatan tertinggal",
                    "No Loket sink can be reached: the record falls behind",
                )
            ],
            16: [],
        },
    ),
    Scenario(
        "LoketDatabaseAway",
        {'loket_sink_database_up{instance="a"}': "1x4 0x9 1x9"},
        {
            6: [],
            7: [
                Fires(
                    {"instance": "a"},
                    "Basis data catatan tidak menjawab",
                    "The database of the record does not answer",
                )
            ],
            18: [],
        },
    ),
    Scenario(
        "LoketSinkLag",
        {'loket_sink_lag_records{partition="0"}': "10000x4 10001x14 0x30"},
        {
            14: [],
            15: [Fires({}, "10001 peristiwa menunggu masuk catatan", "10001 events wait for the record")],
            26: [],
        },
    ),
    Scenario(
        "LoketDeadLettersGrow",
        {'loket_sink_dead_letters_total{reason="not_json"}': "0x4 10x4 40x120"},
        {
            8: [],
            10: [Fires({}, "40 surat mati baru dalam satu jam", "40 new dead letters in an hour")],
            85: [],
        },
    ),
    Scenario(
        "LoketRulesFail",
        {'prometheus_rule_evaluation_failures_total{rule_group="g"}': "0x4 5x60"},
        {
            6: [],
            7: [
                Fires(
                    {"rule_group": "g"},
                    "Aturan Prometheus gagal dievaluasi: g",
                    "Prometheus fails to evaluate rules: g",
                )
            ],
            16: [],
        },
    ),
    Scenario(
        "LoketNotificationsFail",
        {'alertmanager_notifications_failed_total{integration="email"}': "0x4 5x60"},
        {
            6: [],
            7: [
                Fires(
                    {"integration": "email"},
                    "Alertmanager tidak dapat mengirim lewat email",
                    "Alertmanager cannot send by email",
                )
            ],
            16: [],
        },
    ),
    Scenario(
        "LoketDiskFull",
        {
            'node_filesystem_avail_bytes{instance="a",mountpoint="/",fstype="ext4"}': "10x4 9x20 50x20",
            'node_filesystem_size_bytes{instance="a",mountpoint="/",fstype="ext4"}': "100x60",
        },
        {
            19: [],
            20: [
                Fires(
                    {"instance": "a", "mountpoint": "/", "fstype": "ext4"},
                    "Cakram / di a tinggal 9%",
                    "Disk / at a has 9% left",
                )
            ],
            37: [],
        },
    ),
    Scenario(
        "LoketCertificateExpires",
        {'probe_ssl_earliest_cert_expiry{instance="a"}': "1209900x90 99999999x60"},
        {
            5: [],
            64: [],
            66: [
                Fires(
                    {"instance": "a"},
                    "Sertifikat a berakhir dalam 13d 22h 59m 0s",
                    "The certificate of a expires in 13d 22h 59m 0s",
                )
            ],
            102: [],
        },
    ),
    Scenario("LoketWatchdog", {"up": "1x5"}, {0: [Fires({}, "Peringatan bekerja", "Alerting works")]}),
)

SCENARIOS = (*_HALLS, *_BURN, *_DEVICES, *_PIPELINE)


def as_json(content: Mapping[str, Any]) -> str:
    """JSON, which is YAML."""
    return json.dumps(content, ensure_ascii=False, indent=1)
