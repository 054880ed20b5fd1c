"""The tests, a folder for each room of ``onetoken_app``."""
