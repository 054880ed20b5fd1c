"""Expected trouble in the words of one line. Anything else is a fault of ours and keeps its traceback."""

import sqlite3

from sqlalchemy.exc import SQLAlchemyError

from onetoken_app.command.failure import CommandFailed
from onetoken_app.console.front_end import FrontEndNotBuilt
from onetoken_app.database import DatabaseInUse, disk_trouble
from onetoken_app.database_home import NotAtHome
from onetoken_app.database_upgrade import CannotUpgrade
from onetoken_app.demo.model_server import NoWeights
from onetoken_app.demo.small_model import ModelDidNotStart
from onetoken_app.errors import OneTokenError
from onetoken_app.settings import BadSettings

_IN_ITS_OWN_WORDS = (
    CommandFailed,
    BadSettings,
    DatabaseInUse,
    CannotUpgrade,
    NotAtHome,
    FrontEndNotBuilt,
    NoWeights,
    ModelDidNotStart,
)


def words_for(error: Exception) -> str | None:
    """Return what to tell the operator, or nothing when the error is not one to expect."""
    if isinstance(error, _IN_ITS_OWN_WORDS):
        return str(error)
    if isinstance(error, OneTokenError):
        return error.public_message
    if isinstance(error, SQLAlchemyError | sqlite3.Error):
        return disk_trouble(error) or (
            f"the database cannot be used ({type(error).__name__}); onetoken doctor looks closer"
        )
    if isinstance(error, OSError):
        return f"{error.filename or 'the system'}: {error.strerror}"
    return None
