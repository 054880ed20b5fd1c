"""``onetoken ledger``: the books, recomputed."""

from dataclasses import asdict

import typer

from onetoken_app.command.invocation import AsJson, print_json, read_settings

ledger_commands = typer.Typer(no_args_is_help=True, help="The books.")


@ledger_commands.command("verify")
def verify(*, as_json: AsJson = False) -> None:
    """Recompute every balance, hold, charge and hash, also while a relay runs; exit code 1 when something is wrong."""
    from onetoken_app.command.ledger_verify import verify_books
    from onetoken_app.command.opening import check_tables, in_database

    settings = read_settings()
    check_tables(settings)
    report = in_database(settings, verify_books)
    if as_json:
        print_json(asdict(report))
    else:
        typer.echo(report.in_words())
    if not report.ok:
        raise typer.Exit(1)
