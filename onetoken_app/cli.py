"""The ``onetoken`` command: what an operator types. Each verb is a module of ``onetoken_app.command``; those of larger
groups stand in ``onetoken_app.command.groups``.

A verb imports its module when it runs, so that help and a restarted relay do not wait for the others' packages.
"""

import importlib.metadata
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from onetoken_app.command.failure import CommandFailed
from onetoken_app.command.groups.ledger import ledger_commands
from onetoken_app.command.groups.organization import organization_commands
from onetoken_app.command.groups.prices import price_commands
from onetoken_app.command.groups.reconcile import reconcile_commands
from onetoken_app.command.invocation import AsJson, print_json, read_file, read_settings

app = typer.Typer(
    name="onetoken",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help=(
        "OneToken: an API relay for organizations.\n\n"
        "Settings are ONETOKEN_… variables or a .env file in the current folder; .env.example lists them all. "
        "Begin with: onetoken up --demo, then open the address that it prints."
    ),
)
statement_commands = typer.Typer(no_args_is_help=True, help="Statements of months that are over.")
app.add_typer(statement_commands, name="statements")
database_commands = typer.Typer(no_args_is_help=True, help="Look after the database's tables.")
staff_commands = typer.Typer(no_args_is_help=True, help="People on the operator's side.")
app.add_typer(database_commands, name="db")
app.add_typer(staff_commands, name="staff")
app.add_typer(ledger_commands, name="ledger")
app.add_typer(price_commands, name="prices")
app.add_typer(organization_commands, name="organization")
app.add_typer(reconcile_commands, name="reconcile")

Host = Annotated[str | None, typer.Option(help="Address to listen on. [default: ONETOKEN_HOST, else 127.0.0.1]")]
Port = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port to listen on. [default: ONETOKEN_PORT, else 8000]")
]

usage_commands = typer.Typer(no_args_is_help=True, help="What calls used and came to.")
app.add_typer(usage_commands, name="usage")


def _say_version(is_wanted: bool) -> None:  # noqa: FBT001 # the form that typer calls
    """Print the version and end."""
    if is_wanted:
        typer.echo(f"onetoken {importlib.metadata.version('onetoken')}")
        raise typer.Exit


@app.callback()
def _before_each_verb(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Take what stands before the verb."""


@app.command()
def up(
    *,
    demo: Annotated[bool, typer.Option("--demo", help="Add a demo organization and a small real model.")] = False,
    host: Host = None,
    port: Port = None,
) -> None:
    """Start console and relay on one port; checks, tables and the console's pages come first.

    Stays until Ctrl-C or SIGTERM; open calls may end within ONETOKEN_DRAIN_SECONDS.
    """
    from onetoken_app.command.up import run_up, use_demo_settings

    if demo:
        use_demo_settings()
    run_up(read_settings(host=host, port=port), with_demo=demo, say=typer.echo)


@app.command()
def relay(
    *,
    host: Host = None,
    port: Port = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; more than one needs PostgreSQL.")] = 1,
) -> None:
    """Start the relay alone, without the console."""
    from onetoken_app.command.serve_relay import serve_relay

    serve_relay(read_settings(host=host, port=port), worker_count=workers)


@app.command()
def pages() -> None:
    """Build the console's pages, where `up` will not be able to write: for an image or a service."""
    from onetoken_app.console import front_end

    if front_end.is_current():
        typer.echo("the console's pages are current already")
        return
    front_end.build(read_settings(), say=typer.echo)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="A YAML file; - reads standard input.", allow_dash=True)],
    *,
    as_json: AsJson = False,
) -> None:
    """Add and change what a file names: channels, models, prices, organizations, people, credit, keys.

    Removes nothing, and does all of it or nothing. A key's secret is printed once, when the key is minted; --json
    prints {"keys": [{"organization": …, "name": …, "secret": …}]}. docs/operations.md shows a whole file.
    """
    from onetoken_app.command.apply import apply as apply_content
    from onetoken_app.command.opening import in_database, owned_installation

    settings = read_settings()
    content = read_file(file)
    try:
        with owned_installation(settings):
            applied = in_database(settings, lambda: apply_content(content, settings=settings))
    except CommandFailed as error:
        message = f"{file}: {error}"
        raise CommandFailed(message) from error
    if as_json:
        print_json({"keys": [asdict(key) for key in applied.keys]})
        return
    for line in applied.changes or ("everything is so already; nothing was changed",):
        typer.echo(line)
    for key in applied.keys:
        typer.echo(f"key {key.name} of {key.organization}, shown this once: {key.secret}")


@statement_commands.command("close")
def close_months(*, as_json: AsJson = False) -> None:
    """Close the statements of months that are over, as the job of a running OneToken does within the hour."""
    from onetoken_app.command.statements_close import close_statements

    closed = close_statements(read_settings())
    if as_json:
        print_json({"closed": [asdict(month) for month in closed]})
        return
    for month in closed:
        typer.echo(f"{month.organization_id} {month.month} {month.currency}")
    typer.echo(f"{len(closed)} months closed")


@database_commands.command("upgrade")
def upgrade() -> None:
    """Create the tables or bring them up to date. `up`, `relay` and `apply` do so by themselves."""
    from onetoken_app.command.opening import owned_installation
    from onetoken_app.database_upgrade import database_revision

    settings = read_settings()
    before = database_revision(settings)
    with owned_installation(settings):
        pass
    typer.echo(f"tables are at {before.head}" + (" already" if before.is_current else ""))


@database_commands.command("take-over")
def take_over() -> None:
    """Let a database that was restored or copied serve from here. Stop the original for good before."""
    from onetoken_app.command.take_over import take_over_here

    typer.echo(take_over_here(read_settings()))


@staff_commands.command("add")
def add(
    email: Annotated[str, typer.Argument(help="What they sign in with.")],
    *,
    role: Annotated[
        str, typer.Option(help="What they may do: administrator, reviewer, finance, support or auditor.")
    ] = "administrator",
    name: Annotated[str, typer.Option(help="What they are called.")] = "",
    password_env: Annotated[
        str | None, typer.Option(help="The variable that holds the password; without it, the password is asked for.")
    ] = None,
) -> None:
    """Add a member of the staff; for somebody who exists, add the role or change the password."""
    from onetoken_app.command.opening import in_database, owned_installation
    from onetoken_app.command.staff import StaffRequest, add_staff, staff_role

    settings = read_settings()
    request = StaffRequest(email=email, role=staff_role(role), name=name, password=_password(password_env))
    with owned_installation(settings):
        added = in_database(settings, lambda: add_staff(request))
    password = "new password" if added.has_new_password and not added.is_new else ""
    typer.echo(" ".join(filter(None, (added.email, "added" if added.is_new else "is", "as", role, password))))


@app.command()
def backup(
    file: Annotated[
        Path | None, typer.Argument(help="A file that is not there yet. [default: backups/ in the data folder]")
    ] = None,
) -> None:
    """Copy the database into one file, also while OneToken runs. Generated secrets are not in it: keep them apart.

    The file's folder has to be there: a mistyped path, or a disk that is not mounted, gives no backup.
    """
    from onetoken_app.command.backup import back_up

    typer.echo(back_up(read_settings(), file))


@app.command()
def outbox(*, as_json: AsJson = False) -> None:
    """Print the mails that wait to be sent, with their links: for an installation without a mail server."""
    from onetoken_app.command.outbox import waiting

    letters = waiting(read_settings())
    if as_json:
        print_json({"letters": [asdict(letter) for letter in letters]})
        return
    for letter in letters:
        typer.echo(f"{letter.created_at}  {letter.recipient}\n{letter.subject}\n\n{letter.words}")
    typer.echo(f"{len(letters)} mails wait.")


@usage_commands.command("rebuild")
def usage_rebuild(*, as_json: AsJson = False) -> None:
    """Make the sums of usage anew from the journal and the records of calls; exit code 1 when they still differ."""
    from onetoken_app.command.opening import in_database, owned_installation
    from onetoken_app.command.usage_rebuild import rebuild

    settings = read_settings()
    with owned_installation(settings):
        report = in_database(settings, rebuild)
    if as_json:
        print_json(asdict(report))
    else:
        typer.echo(report.in_words())
    if report.first_wrong_row:
        raise typer.Exit(1)


@app.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Look at settings, secrets, database, front end and upstreams, and say what to do; exit code 1 on trouble."""
    from onetoken_app.command.doctor import Verdict, examine

    findings = examine()
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            typer.echo(f"{finding.verdict.value:8} {finding.subject}: {finding.words}")
    if any(finding.verdict is Verdict.TROUBLE for finding in findings):
        raise typer.Exit(1)


def main() -> None:
    """Run the command; expected trouble is one line on standard error and exit code 1; JSON too, if wanted."""
    try:
        app()
    except Exception as error:
        from onetoken_app.command.trouble import words_for

        words = words_for(error)
        if words is None:
            raise
        if "--json" in sys.argv:
            print_json({"error": words})
        typer.echo(f"onetoken: {words}", err=True)
        sys.exit(1)


def _password(variable: str | None) -> str | None:
    """Take a password from a variable, or ask for it; without a terminal nobody can be asked."""
    if variable is not None:
        password = os.environ.get(variable)
        if not password:
            message = f"--password-env: {variable} is not set"
            raise CommandFailed(message)
        return password
    if not sys.stdin.isatty():
        return None
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
