"""Alerts: the rules for Prometheus, who is told how by Alertmanager, and what the shift does then."""
