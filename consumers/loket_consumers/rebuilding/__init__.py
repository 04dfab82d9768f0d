"""`loket rebuild`: the record anew from its archive or from Kafka, compared and swapped.

```
archive or Kafka ──▶ scratch: an empty record beside the record     the record is untouched, sinks go on
                        │
        ┌───────────────┘ one transaction: sinks wait
        ▼
what came since ─▶ compare ─▶ replace what differs ─▶ commit
```

Killed at any moment it leaves the record as it was, or as it is now; what is left of a scratch the next run removes.
"""
