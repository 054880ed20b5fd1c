"""``onetoken outbox`` shows what waits, for an installation without a mail server."""

import json
from pathlib import Path

from onetoken_app.command.opening import in_database
from onetoken_app.database import unit_of_work
from onetoken_app.notifications import letters
from onetoken_app.notifications.service import post_letter
from onetoken_app.settings import Settings, get_settings
from onetoken_app.vault import load_root_secrets
from tests.command.conftest import Onetoken

LINK = "http://localhost:8000/sign-up/continue#somewhere"


def post(settings: Settings) -> None:
    """Put a mail into the outbox."""

    async def work() -> None:
        async with unit_of_work() as session:
            await post_letter(
                session,
                key_encryption_key=load_root_secrets(settings).key_encryption_key,
                recipient="li@company.example",
                letter=letters.confirm_address("en", link=LINK, hours=24),
            )

    in_database(settings, work)


class TestOutbox:
    def test_shows_the_link_of_a_mail_that_waits(self, onetoken: Onetoken) -> None:
        onetoken("db", "upgrade")
        assert onetoken("outbox").output == "0 mails wait.\n"
        post(get_settings())
        shown = onetoken("outbox")
        assert shown.exit_code == 0
        assert LINK in shown.output.splitlines()
        (letter,) = json.loads(onetoken("outbox", "--json").output)["letters"]
        assert (letter["recipient"], LINK in letter["words"]) == ("li@company.example", True)

    def test_a_folder_without_a_database_is_one_line_and_stays_empty(self, onetoken: Onetoken, tmp_path: Path) -> None:
        done = onetoken("outbox")
        assert (done.exit_code, done.output) == (1, "")
        assert done.errors.startswith("onetoken: there is no database yet")
        assert done.errors.count("\n") == 1
        assert list(tmp_path.iterdir()) == []
