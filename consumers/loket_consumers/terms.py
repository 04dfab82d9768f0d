"""What the record's people were counted and judged by, held against the targets when a sink starts (rule 10).

A running sink refuses a file that says something else of days that have begun; this refuses one that was changed while
none ran, as the worker does (`loket.domain.terms`). `loket rebuild` makes a record that the new file is true of.
"""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import Engine, select

from loket.domain.days import Admission, service_days
from loket.domain.policy import Policy, UnitPolicy
from loket.domain.terms import Terms, differences, terms_of
from loket_consumers.engines import reading
from loket_consumers.errors import TargetsChanged
from loket_consumers.schema import units

__all__ = ["check_terms", "packed_terms"]

_PACK: Final = msgspec.msgpack.Encoder()
_TERMS: Final = msgspec.msgpack.Decoder(Terms)
_ADMISSION: Final = msgspec.msgpack.Decoder(Admission)


def packed_terms(policy: UnitPolicy, received: int) -> bytes | None:
    """The column `terms` of a unit whose last event was `received` (ms); None where the targets do not name it."""
    terms = terms_of(policy, received)
    return None if terms is None else _PACK.encode(terms)


def check_terms(engine: Engine, policy: Policy) -> None:
    """Raise TargetsChanged where the targets differ from what units were counted by up to their last stored event."""
    changed = {}
    c = units.c
    with reading(engine) as connection:
        rows = connection.execute(select(c.unit, c.admission, c.terms).where(c.terms.is_not(None))).all()
    for name, admission, terms in rows:
        mine = policy.unit(name)
        day = service_days(mine).day(_ADMISSION.decode(admission).received)
        if told := list(differences(_TERMS.decode(terms), mine, day)):
            changed[name] = told
    if changed:
        raise TargetsChanged(changed)
