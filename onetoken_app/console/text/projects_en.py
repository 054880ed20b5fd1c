"""English of projects."""

from collections.abc import Mapping

PROJECTS_ENGLISH: Mapping[str, str] = {
    "error.project_archived": "This project is archived and takes no keys. Choose another one. Nothing was changed.",
    "error.project_form_used": "This form created another project before. Nothing was created; send it once more.",
    "error.project_in_use": (
        "This project has keys that are not revoked. Nothing was archived. Revoke them or move them to another "
        "project first."
    ),
    "error.project_name_taken": "A project of this name exists, maybe an archived one. Choose another name.",
    "keys.move": "Move",
    "keys.move_effect": "Calls from now on count for the other project. What was counted stays where it was.",
    "keys.move_title": "Move this key to another project",
    "nav.projects": "Projects",
    "project_standing.active": "Active",
    "project_standing.archived": "Archived",
    "projects.archive": "Archive",
    "projects.archive_confirm": "Archive this project",
    "projects.archive_consequence": (
        "No key can be created in it any more. Its calls and charges stay on usage and statements. This cannot be "
        "undone."
    ),
    "projects.archive_title": "Archive this project?",
    "projects.ask_developer": "Owners, administrators and developers of your organization create and change projects.",
    "projects.close": "Close",
    "projects.default": "Default",
    "projects.in_use": (
        "This project has keys that are not revoked: {count}. Revoke them or move them to another project first; then "
        "it can be archived."
    ),
    "projects.keys": "Keys in use",
    "projects.lead": "Projects keep the keys, calls and charges of your applications and teams apart.",
    "projects.name": "Name",
    "projects.name_hint": "Such as the application or the team that it is for; at most 64 characters.",
    "projects.new": "New project",
    "projects.none": "There is no project yet.",
    "projects.none_next": "Create one before its keys, or create a key first: the default project comes with it.",
    "projects.rename": "Rename",
    "projects.rename_effect": "The new name stands everywhere but on statements that are closed.",
    "projects.rename_title": "Rename the project",
    "projects.submit": "Create project",
    "projects.title": "Projects",
    "projects.to_keys": "Go to the keys",
}
