"""Makes a restored or copied database the one that serves; what it holds open is recovered by the next start."""

from onetoken_app.audit import service as audit
from onetoken_app.command.opening import check_data_dir, in_database
from onetoken_app.database import own_database, unit_of_work
from onetoken_app.database_home import is_at_home, make_home
from onetoken_app.database_upgrade import upgrade_database
from onetoken_app.settings import Settings


def take_over_here(settings: Settings) -> str:
    """Take a database over, and return what to tell the operator. One that is at home stays as it is.

    Raises:
        CommandFailed: The data folder cannot be written.
        DatabaseInUse: A running ``up`` or ``relay`` owns the embedded database.
        CannotUpgrade: The database does not answer, or is newer than this code.
    """
    check_data_dir(settings.data_dir)
    with own_database(settings):
        upgrade_database(settings)
        return in_database(settings, lambda: _take_over(settings))


async def _take_over(settings: Settings) -> str:
    """Change the home, and say so in the audit log first: the act is the operator's."""
    if await is_at_home(settings):
        return "the database is at home here already; nothing was changed"
    async with unit_of_work() as session:
        await audit.record(session, actor=audit.OPERATOR, action="database_taken_over", subject_id="database")
    await make_home(settings)
    return "the database serves from here now; the next start closes the calls that were open when it was copied"
