"""How long the next guess at a password has to wait. Pure; the counts live in ``identity_sign_in_throttle``.

An account bears at most ten guesses in any fifteen minutes, whatever addresses they come from: four at once, then one
after 30, 60 and 120 seconds, then one every three minutes. No lock-out: whoever knows the password gets in after the
delay. An address is slowed only after twenty failures, because an office shares one. A mailbox gets at most three
mails in an hour that somebody not signed in asked for.
"""

import hashlib
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address

FORGOTTEN_AFTER = timedelta(hours=1)
"""A subject without failures for this long begins afresh."""
_FREE_FAILURES_OF_AN_ACCOUNT = 4
_FREE_FAILURES_OF_AN_ADDRESS = 20
_FREE_MAILS_OF_A_MAILBOX = 3
_FIRST_DELAY_SECONDS = 30
_DELAY_SECONDS_MAX = 180


def account_subject(email: str) -> str:
    """Name an account in the table of failures, known or not, without keeping what was typed."""
    return f"account:{_digest(email.strip().lower())}"


def address_subject(caller_ip: str) -> str:
    """Name an address in the table of failures; an IPv6 network counts as one address."""
    return f"address:{_digest(_network_of(caller_ip))}"


def mailbox_subject(email: str) -> str:
    """Name a mailbox in the table, whoever it belongs to."""
    return f"mailbox:{_digest(email.strip().lower())}"


def asking_subject(caller_ip: str) -> str:
    """Name an address that asks for mails; its guesses at passwords are counted apart."""
    return f"asking:{_digest(_network_of(caller_ip))}"


def delay_seconds(subject: str, failure_count: int) -> int:
    """Return how long after its last failure a subject has to wait, in seconds.

    Args:
        subject: Made by one of the functions above.
        failure_count: Failures, or mails, since it last began afresh.
    """
    if subject.startswith("mailbox:"):
        return 0 if failure_count < _FREE_MAILS_OF_A_MAILBOX else int(FORGOTTEN_AFTER.total_seconds())
    free = _FREE_FAILURES_OF_AN_ACCOUNT if subject.startswith("account:") else _FREE_FAILURES_OF_AN_ADDRESS
    if failure_count < free:
        return 0
    return min(_FIRST_DELAY_SECONDS << min(failure_count - free, 10), _DELAY_SECONDS_MAX)


def remaining_seconds(subject: str, *, failure_count: int, last_failure_at: datetime, now: datetime) -> int:
    """Return how many whole seconds are left to wait, rounded up; 0 when the next guess may be made."""
    delay = delay_seconds(subject, failure_count)
    # Without a delay nothing is left to wait, also when the row was made a moment after ``now`` was read.
    if delay == 0 or now - last_failure_at >= FORGOTTEN_AFTER:
        return 0
    allowed_at = last_failure_at + timedelta(seconds=delay)
    return max(0, -((now - allowed_at) // timedelta(seconds=1)))


def _digest(text: str) -> str:
    """Shorten to a fixed length; half a surrogate pair, which JSON may carry, is counted like any other text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _network_of(caller_ip: str) -> str:
    """Take the first 64 bits of an IPv6 address: its owner has all of the rest."""
    try:
        address = ip_address(caller_ip)
    except ValueError:
        return caller_ip
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(int(address) >> 64)
