"""The one error of commands: a line for the operator, without a traceback."""


class CommandFailed(Exception):
    """The command did not do its work; the message says why and what to do, and never shows a secret."""
