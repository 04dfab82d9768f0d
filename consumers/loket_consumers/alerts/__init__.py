"""From alert to action: the receiver of Alertmanager's webhook, and what it keeps.

```
Alertmanager ─ POST /alerts ─▶ told (what a body says) ─▶ keeping (the table `alerts`) ─▶ site (the worker's page asks)
```
"""
