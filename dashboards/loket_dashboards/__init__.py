"""Dashboards, rules and alerts as code: what staff look at all day, and what tells them while people still wait.

`python -m loket_dashboards FOLDER` writes everything; what is in dashboards/generated is its committed output.
"""
