"""Errors of reconciliation."""

from onetoken_app.errors import BadRequest

COMPLAINTS_MAX = 20
"""How many bad lines are named; a file of another kind has them all bad."""


class BadBill(BadRequest):
    """A file is no upstream's usage export in the columns that are read here; nothing of it was imported."""

    code = "bad_bill"

    def __init__(self, complaints: list[str]) -> None:
        """Name what is wrong, by line."""
        shown = complaints[:COMPLAINTS_MAX]
        more = len(complaints) - len(shown)
        words = "; ".join(shown) + (f"; and {more} more lines" if more else "")
        super().__init__(f"Nothing was imported: {words}.")
        self.complaints = complaints
