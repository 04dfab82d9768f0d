"""Loket's own commands. Each module of this package has `register(app)`, which adds its commands to the Typer app."""
