"""How fast Loket is, as ratios against a baseline that runs beside it: `python -m benchmarks`."""
