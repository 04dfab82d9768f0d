"""What each process is told: one frozen class per component, by a file and the environment, never wrong in silence.

```
defaults ◀ file (LOKET_CONFIG or --config) ◀ its section of the component ◀ LOKET_KEY ◀ LOKET_COMPONENT_KEY ◀ options
```

The file is YAML with the same keys in lower case, such as `bootstrap: kafka-1:9092`; a section `worker:`, `sink:`,
`alerts:`, `topics:` or `emitter:` holds what only that component takes, as LOKET_WORKER_METRICS_PORT does in the
environment. A key that no component has is refused and named with the closest one that exists. Secrets are in no
message and no representation.
"""

from loket.settings.components import (
    AlertsSettings,
    Connection,
    EmitterSettings,
    Settings,
    SinkSettings,
    TopicsSettings,
    WorkerSettings,
)
from loket.settings.loading import SettingsError, load

__all__ = [
    "AlertsSettings",
    "Connection",
    "EmitterSettings",
    "Settings",
    "SettingsError",
    "SinkSettings",
    "TopicsSettings",
    "WorkerSettings",
    "load",
]
