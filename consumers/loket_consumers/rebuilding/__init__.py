"""`loket rebuild`: the record anew from its archive or from Kafka, compared and swapped.

```
archive or Kafka ──▶ scratch: an empty record beside the record     the record is untouched, sinks go on
                        │
what came since ────────┼──▶ compare both, at one instant
                        ▼
what came since ──▶ delete the old rows, insert the new ones        one transaction: sinks wait
```

Killed at any moment it leaves the record as it was, or as it is now; what is left of a scratch the next run removes.
"""
