"""``onetoken organization``: suspended and resumed from the server, as reviewers do in the console."""

from typing import Annotated

import typer

from onetoken_app.command.invocation import read_settings

organization_commands = typer.Typer(
    no_args_is_help=True,
    help="Organizations: suspended and resumed. While OneToken runs on its built-in database, use the console.",
)
Organization = Annotated[str, typer.Argument(help="Its registration code, or its id.")]
Words = Annotated[str, typer.Option(help="Why, in words of your own.")]


@organization_commands.command("suspend")
def suspend(
    organization: Organization,
    *,
    cause: Annotated[
        str,
        typer.Option(help="prohibited_use, security, particulars, overdue, legal, requested or other."),
    ],
    words: Words,
) -> None:
    """Refuse an organization's calls from now on. Its people read cause and words above every page of the console."""
    from onetoken_app.command.opening import in_database, owned_installation
    from onetoken_app.command.standing import suspend_by_command

    settings = read_settings()
    with owned_installation(settings):
        name = in_database(settings, lambda: suspend_by_command(settings, organization, cause=cause, words=words))
    typer.echo(f"{name} is suspended; its owners and administrators get a mail")


@organization_commands.command("resume")
def resume(organization: Organization, *, words: Words) -> None:
    """Admit an organization's calls again."""
    from onetoken_app.command.opening import in_database, owned_installation
    from onetoken_app.command.standing import resume_by_command

    settings = read_settings()
    with owned_installation(settings):
        name = in_database(settings, lambda: resume_by_command(settings, organization, words=words))
    typer.echo(f"{name} is suspended no longer; its owners and administrators get a mail")
