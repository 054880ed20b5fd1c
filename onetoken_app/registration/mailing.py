"""What every mail with a link needs: where the console is, and the key that seals the mail while it waits.

A link's secret stands in the fragment of its address: browsers send fragments to no server, so no log can hold it.
"""

from dataclasses import dataclass

from onetoken_app.settings import Settings
from onetoken_app.vault import load_root_secrets


@dataclass(frozen=True, slots=True, repr=False)
class Mailing:
    """How mails are written in this installation."""

    console_url: str
    key_encryption_key: bytes

    @property
    def sign_in(self) -> str:
        """Address of the sign-in."""
        return f"{self.console_url}/sign-in"

    @property
    def sign_up(self) -> str:
        """Address of the sign-up."""
        return f"{self.console_url}/sign-up"

    @property
    def forgotten(self) -> str:
        """Address where a new password is asked for."""
        return f"{self.console_url}/password/forgotten"

    def sign_up_link(self, secret: str) -> str:
        """Address where a sign-up goes on."""
        return f"{self.console_url}/sign-up/continue#{secret}"

    def reset_link(self, secret: str) -> str:
        """Address where a new password is chosen."""
        return f"{self.console_url}/password/reset#{secret}"

    def invitation_link(self, secret: str) -> str:
        """Address where an invitation is accepted."""
        return f"{self.console_url}/invitation#{secret}"


def mailing_of(settings: Settings) -> Mailing:
    """Read it from the settings.

    Raises:
        BadSettings: A root secret is missing.
    """
    return Mailing(console_url=settings.console_url, key_encryption_key=load_root_secrets(settings).key_encryption_key)
