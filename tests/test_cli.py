"""The command `loket` finds its commands and speaks clearly when something is wrong."""

from importlib.metadata import EntryPoint, EntryPoints

import pytest
import typer

from loket import cli
from loket.errors import LoketError, UsageError


class NotToday(LoketError):
    """An error with a status of its own."""

    exit_status = 3


def _raises(error: Exception) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fail() -> None:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "status"), [(LoketError("[a] is wrong: mend b"), 1), (UsageError("[a]"), 2), (NotToday("[a]"), 3)]
)
def test_an_error_of_the_tree_is_one_message_and_its_exit_status(
    error: LoketError, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "build_app", lambda: _raises(error))

    with pytest.raises(SystemExit) as ended:
        cli.main([])

    assert ended.value.code == status
    assert capsys.readouterr() == ("", f"{error}\n")


def test_a_fault_of_loket_itself_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "build_app", lambda: _raises(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main([])


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("loket 0.")


def test_a_wrong_call_has_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["no-such-command"])
    assert ended.value.code == 2
    assert "no-such-command" in capsys.readouterr().err


def test_a_component_that_cannot_be_imported_takes_no_other_command_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = EntryPoint("broken", "no_such_component.commands:register", cli.ENTRY_POINT_GROUP)
    monkeypatch.setattr(cli, "entry_points", lambda group: EntryPoints([broken]))

    cli.build_app()

    said = capsys.readouterr().err
    assert said == "the commands of no_such_component are not available: No module named 'no_such_component'\n"


def test_help_fills_the_width_that_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main(["try", "--help"])
    assert "what the metrics say with what the record says. Nothing is left behind." in capsys.readouterr().out
