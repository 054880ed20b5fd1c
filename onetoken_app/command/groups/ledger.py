"""``onetoken ledger``: the books, recomputed."""

from dataclasses import asdict
from typing import Annotated

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


@ledger_commands.command("explain")
def explain(
    request_id: Annotated[str, typer.Argument(help="The call, such as req_01jdd3f7k2m9x4v8w5t6y7z8ab.")],
    *,
    organization: Annotated[
        str | None, typer.Option(help="Whose call it has to be, by id or name. [default: anybody's]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute a call's charge again, step by step, from its metadata; exit code 1 when the journal has another one.

    Shows counts, prices with version and tier, ratio, exchange rate and rounding, then hold, close and postings, with
    what each balance and lot paid. Also while a relay runs.
    """
    from onetoken_app.command.ledger_explain import explain as explain_by_metadata
    from onetoken_app.command.ledger_explain import explanation_lines, explanation_object
    from onetoken_app.command.opening import check_tables, in_database

    settings = read_settings()
    check_tables(settings)
    explained = in_database(settings, lambda: explain_by_metadata(request_id, organization=organization))
    if as_json:
        print_json(explanation_object(explained))
    else:
        for line in explanation_lines(explained):
            typer.echo(line)
    if explained.differences:
        raise typer.Exit(1)
