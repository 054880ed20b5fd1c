"""The ``onetoken`` command: one module a verb; ``onetoken_app.cli`` joins them into the menu."""
