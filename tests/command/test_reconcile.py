"""``onetoken reconcile``: imports and reports, as an operator sees them."""

import pytest
from sqlmodel import select

from onetoken_app.catalog.models import Channel
from onetoken_app.command.opening import in_database
from onetoken_app.database import read_session
from onetoken_app.settings import Settings
from tests.command.conftest import Onetoken
from tests.command.test_commands import FILE, assert_refused
from tests.reconciliation.test_compare import attempted
from tests.reconciliation.test_read_bill import HEAD
from tests.support.builders import BuiltModel

BILL = f"{HEAD}\n2026-11-20,vendor-large,1,10,5,0.0000003,USD\n"
DAYS = ("--since", "2026-11-20", "--until", "2026-11-20")


@pytest.fixture
def channel(onetoken: Onetoken) -> str:
    """The channel of the file that was applied."""
    assert onetoken("apply", "-", stdin=FILE).exit_code == 0
    return FILE.split("channels:\n  - name: ")[1].split("\n")[0]


class TestImport:
    def test_it_says_what_was_imported_and_when_nothing_was(self, onetoken: Onetoken, channel: str) -> None:
        first = onetoken("reconcile", "import", "-", "--channel", channel, stdin=BILL)
        assert first.output == "bill 1: 1 lines, 2026-11-20 to 2026-11-20, imported\n"
        again = onetoken("reconcile", "import", "-", "--channel", channel, "--json", stdin=BILL).json()
        assert again == {
            "bill_id": 1, "is_new": False, "line_count": 1, "first_on": "2026-11-20", "last_on": "2026-11-20",
        }  # fmt: skip

    def test_bad_lines_are_one_line(self, onetoken: Onetoken, channel: str) -> None:
        bad = BILL + "today,m,1,1,1,1,USD\n"
        assert_refused(onetoken("reconcile", "import", "-", "--channel", channel, stdin=bad), "line 3: day is no date")
        assert_refused(onetoken("reconcile", "import", "-", "--channel", "nowhere", stdin=BILL), "no channel")
        assert_refused(onetoken("reconcile", "import", "nothing.csv", "--channel", channel), "cannot be read")


class TestReport:
    def test_a_difference_ends_with_one(self, onetoken: Onetoken, channel: str) -> None:
        onetoken("reconcile", "import", "-", "--channel", channel, stdin=BILL)
        done = onetoken("reconcile", "report", *DAYS)
        assert done.exit_code == 1
        assert done.output == (
            f"only_billed: 2026-11-20 {channel} vendor-large: ours nothing, billed 1 requests, 10 in and 5 out, "
            "0.0000003 USD\n1 lines, 1 differ\n"
        )

    def test_equal_books_end_with_zero(self, onetoken: Onetoken, channel: str) -> None:
        onetoken("reconcile", "import", "-", "--channel", channel, stdin=BILL)

        async def attempt() -> None:
            async with read_session() as session:
                (channel_id,) = await session.exec(select(Channel.id))
            await attempted(BuiltModel(id="mdl_1", name="large", channel_id=channel_id, price_version_id=1))

        in_database(Settings(), attempt)
        told = onetoken("reconcile", "report", *DAYS, "--channel", channel, "--json")
        (line,) = told.json()["lines"]
        assert (told.exit_code, line["standing"], line["cost_difference"]) == (0, "same", "0.00")
        assert onetoken("reconcile", "report", *DAYS, "--differences").output == "1 lines, 0 differ\n"

    @pytest.mark.usefixtures("channel")
    def test_what_cannot_be_read_is_one_line(self, onetoken: Onetoken) -> None:
        assert_refused(onetoken("reconcile", "report", "--since", "1.11.", "--until", "2026-11-20"), "like 2026-11-27")
        assert_refused(onetoken("reconcile", "report", *DAYS, "--channel", "nowhere"), "no channel")
