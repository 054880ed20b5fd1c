"""Reflex's configuration, filled from the settings.

State lives in the memory of the one process that serves the console: nothing of it is ever written to a disk or to
another server, and a browser that comes back after a restart loads its page anew.
"""

import reflex as rx

from onetoken_app.console.bundle import ConsoleBundle
from onetoken_app.console.origins import allowed_origins
from onetoken_app.settings import get_settings

config = rx.Config(
    app_name="onetoken_app",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    cors_allowed_origins=list(allowed_origins(get_settings())),
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    default_color_mode="system",
    plugins=[ConsoleBundle()],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
