"""The pure heart of Loket: the only code that turns events into stages, durations and outcomes.

It knows neither clocks nor files nor networks: every figure is a function of (state, now).
"""
