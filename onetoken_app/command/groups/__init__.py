"""Groups of verbs under one word of the ``onetoken`` command; ``onetoken_app.cli`` joins them into the menu."""
