"""Fakes and builders that ship, so that whoever extends Loket can test with them.

`builders` makes events, `clock` is a clock that stands still, `strategies` (needs Hypothesis) makes whole logs.
"""
