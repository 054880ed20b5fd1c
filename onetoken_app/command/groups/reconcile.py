"""``onetoken reconcile``: what upstreams bill, beside our own figures."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from onetoken_app.command.invocation import AsJson, print_json, read_file, read_settings

reconcile_commands = typer.Typer(no_args_is_help=True, help="What upstreams bill, beside our own figures.")


@reconcile_commands.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file; - reads standard input.", allow_dash=True)],
    *,
    channel: Annotated[str, typer.Option(help="The channel that it is the bill of.")],
    time_zone: Annotated[str, typer.Option(help="In which its days are cut, such as Asia/Shanghai.")] = "UTC",
    as_json: AsJson = False,
) -> None:
    """Import an upstream's usage export: columns day, model, requests, input_tokens, output_tokens, cost, currency.

    All of it or nothing; bad lines are named by their number. The same file again changes nothing. A day that an
    earlier file of the channel named counts as this one says. docs/operations.md shows one.
    """
    from onetoken_app.command.opening import in_database, owned_installation
    from onetoken_app.command.reconcile import import_bill_file

    settings, content = read_settings(), read_file(file)
    with owned_installation(settings):
        imported = in_database(settings, lambda: import_bill_file(content, channel=channel, time_zone=time_zone))
    if as_json:
        print_json(asdict(imported) | {"first_on": str(imported.first_on), "last_on": str(imported.last_on)})
        return
    verdict = "imported" if imported.is_new else "imported before; nothing was changed"
    typer.echo(
        f"bill {imported.bill_id}: {imported.line_count} lines, {imported.first_on} to {imported.last_on}, {verdict}"
    )


@reconcile_commands.command("report")
def report(
    *,
    since: Annotated[str, typer.Option(help="The first day, such as 2026-11-01.")],
    until: Annotated[str, typer.Option(help="The last day.")],
    channel: Annotated[str | None, typer.Option(help="Only of this channel.")] = None,
    differences_only: Annotated[bool, typer.Option("--differences", help="Leave out what is the same.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare what upstreams billed with our attempts, by day, channel and the provider's model.

    Exit code 1 when a day that is billed differs. Also while a relay runs.
    """
    from onetoken_app.command.opening import check_tables, in_database
    from onetoken_app.command.reconcile import compare_days, compared_object, compared_words, is_difference

    settings = read_settings()
    check_tables(settings)
    compared = in_database(settings, lambda: compare_days(since=since, until=until, channel=channel))
    shown = [line for line in compared if is_difference(line) or not differences_only]
    if as_json:
        print_json({"lines": [compared_object(line) for line in shown]})
    else:
        for line in shown:
            typer.echo(compared_words(line))
        typer.echo(f"{len(compared)} lines, {sum(map(is_difference, compared))} differ")
    if any(map(is_difference, compared)):
        raise typer.Exit(1)
