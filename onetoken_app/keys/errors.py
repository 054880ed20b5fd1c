"""Errors of keys and projects that a page says in words of its own."""

from onetoken_app.errors import Conflict


class ProjectNameTaken(Conflict):
    """Another project of the organization has this name, archived ones included."""

    code = "project_name_taken"


class ProjectInUse(Conflict):
    """The project has keys that are not revoked."""

    code = "project_in_use"


class ProjectArchived(Conflict):
    """The project takes no keys any more."""

    code = "project_archived"


class ProjectFormUsed(Conflict):
    """The form made another project before."""

    code = "project_form_used"
