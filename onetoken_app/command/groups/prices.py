"""``onetoken prices``: drafts of prices, proposed, looked at, published."""

from dataclasses import asdict
from typing import Annotated

import typer

from onetoken_app.command.invocation import AsJson, print_json, read_settings

price_commands = typer.Typer(no_args_is_help=True, help="Prices: proposed as drafts, looked at, published.")


@price_commands.command("import")
def import_prices(
    *,
    provider: Annotated[
        str | None, typer.Option(help="The provider in genai-prices. [default: by the address of each channel]")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only this model; may be given again.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a draft of the public prices of the catalog's models, as the package genai-prices has them.

    Prints what would change, and what was not taken over. Nothing is in force until `onetoken prices publish`.
    """
    from onetoken_app.command.opening import in_database, owned_installation
    from onetoken_app.command.prices import import_prices as import_public_prices

    settings = read_settings()
    with owned_installation(settings):
        imported = in_database(settings, lambda: import_public_prices(provider=provider, models=frozenset(model or ())))
    if as_json:
        print_json(asdict(imported))
        return
    for line in (*imported.remarks, *imported.difference):
        typer.echo(line)
    typer.echo("nothing differs" if imported.draft_id is None else f"draft {imported.draft_id} made")


@price_commands.command("show")
def show_prices(
    draft: Annotated[int | None, typer.Argument(help="A draft's number; without it, all drafts are listed.")] = None,
) -> None:
    """Print drafts of prices, or what one of them would change if it were published now."""
    from onetoken_app.command.opening import check_tables, in_database
    from onetoken_app.command.prices import list_drafts, show_draft

    settings = read_settings()
    check_tables(settings)
    if draft is not None:
        for line in in_database(settings, lambda: show_draft(draft)) or ["nothing differs"]:
            typer.echo(line)
        return
    for view in in_database(settings, list_drafts):
        typer.echo(f"{view.id}: {view.state.value}, {view.model_count} models, {view.currency.value}, {view.source}")


@price_commands.command("publish")
def publish_prices(
    draft: Annotated[int, typer.Argument(help="The draft's number.")],
    *,
    effective_at: Annotated[
        str | None, typer.Option(help="From when on, such as 2027-01-01T00:00+08:00. [default: now]")
    ] = None,
) -> None:
    """Publish a draft of prices. A published version is never changed; a later one supersedes it."""
    from onetoken_app.command.opening import in_database, owned_installation
    from onetoken_app.command.prices import publish_draft

    settings = read_settings()
    with owned_installation(settings):
        version = in_database(settings, lambda: publish_draft(draft, effective_at=effective_at))
    typer.echo("nothing differs; no version was made" if version is None else f"published as version {version}")


@price_commands.command("discard")
def discard_prices(draft: Annotated[int, typer.Argument(help="The draft's number.")]) -> None:
    """Give a draft of prices up."""
    from onetoken_app.command.opening import in_database, owned_installation
    from onetoken_app.command.prices import discard_draft

    settings = read_settings()
    with owned_installation(settings):
        in_database(settings, lambda: discard_draft(draft))
    typer.echo(f"draft {draft} discarded")
