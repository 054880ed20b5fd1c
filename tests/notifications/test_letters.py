"""Every mail exists in both languages, carries its link on a line of its own, and quotes nothing it should not."""

import re
from collections.abc import Callable

import pytest

from onetoken_app.notifications import credit_letters, letters, price_letters, standing_letters
from onetoken_app.notifications.letters import Letter
from onetoken_app.notifications.models import LetterKind

LINK = "https://console.test.example/here"
WRITTEN: dict[LetterKind, Callable[[str], Letter]] = {
    LetterKind.CONFIRM_ADDRESS: lambda locale: letters.confirm_address(locale, link=LINK, hours=24),
    LetterKind.ALREADY_SIGNED_UP: lambda locale: letters.already_signed_up(
        locale, sign_in=LINK, forgotten="https://console.test.example/there"
    ),
    LetterKind.RESET_PASSWORD: lambda locale: letters.reset_password(locale, link=LINK, minutes=60),
    LetterKind.NO_ACCOUNT: lambda locale: letters.no_account(locale, sign_up=LINK),
    LetterKind.PASSWORD_CHANGED: lambda locale: letters.password_changed(locale, forgotten=LINK),
    LetterKind.INVITATION: lambda locale: letters.invitation(
        locale, organization_name="Example Ltd", invited_by="Pat", link=LINK, days=7
    ),
    LetterKind.CASE_NEWS: lambda locale: letters.case_news(locale, organization_name="Example Ltd", address=LINK),
    LetterKind.CASE_WAITS: lambda locale: letters.case_waits(locale, organization_name="Example Ltd", address=LINK),
    LetterKind.PAYMENT_NEWS: lambda locale: letters.payment_news(locale, organization_name="Example Ltd", address=LINK),
    LetterKind.TRANSFER_WAITS: lambda locale: letters.transfer_waits(
        locale, organization_name="Example Ltd", address=LINK
    ),
    LetterKind.REFUND_WAITS: lambda locale: letters.refund_waits(locale, organization_name="Example Ltd", address=LINK),
    LetterKind.ADJUSTMENT_NEWS: lambda locale: letters.adjustment_news(
        locale, organization_name="Example Ltd", address=LINK
    ),
    LetterKind.ADJUSTMENT_WAITS: lambda locale: letters.adjustment_waits(
        locale, organization_name="Example Ltd", address=LINK
    ),
    LetterKind.INVOICE_NEWS: lambda locale: letters.invoice_news(locale, organization_name="Example Ltd", address=LINK),
    LetterKind.INVOICE_WAITS: lambda locale: letters.invoice_waits(
        locale, organization_name="Example Ltd", address=LINK
    ),
    LetterKind.STATEMENT_CLOSED: lambda locale: letters.statement_closed(
        locale, organization_name="Example Ltd", month="2026-11", address=LINK
    ),
    LetterKind.BALANCE_LOW: lambda locale: credit_letters.balance_low(
        locale, organization_name="Example Ltd", address=LINK
    ),
    LetterKind.CREDIT_NEWS: lambda locale: credit_letters.credit_news(
        locale, organization_name="Example Ltd", address=LINK
    ),
    LetterKind.GRANT_WAITS: lambda locale: credit_letters.grant_waits(
        locale, organization_name="Example Ltd", address=LINK
    ),
    LetterKind.ROLE_CHANGED: lambda locale: letters.role_changed(locale, organization_name="Example Ltd", address=LINK),
    LetterKind.MEMBER_REMOVED: lambda locale: letters.member_removed(
        locale, organization_name="Example Ltd", address=LINK
    ),
    LetterKind.ORGANIZATION_SUSPENDED: lambda locale: standing_letters.organization_suspended(
        locale, organization_name="Example Ltd", address=LINK
    ),
    LetterKind.PRICES_CHANGE: lambda locale: price_letters.prices_change(
        locale, organization_name="Example Ltd", moment="2026-12-04 00:00 UTC", is_dearer=True, address=LINK
    ),
    LetterKind.ORGANIZATION_RESUMED: lambda locale: standing_letters.organization_resumed(
        locale, organization_name="Example Ltd", address=LINK
    ),
}


class TestSigned:
    @pytest.mark.parametrize(
        ("operator_name", "contact_email", "last_line"),
        [
            pytest.param(None, None, "OneToken", id="nobody said who runs it"),
            pytest.param("Example Ltd", None, "OneToken · Example Ltd", id="a name"),
            pytest.param(None, "help@x.example", "OneToken · help@x.example", id="an address"),
            pytest.param("OneToken", "help@x.example", "OneToken · help@x.example", id="a name that stands there"),
        ],
    )
    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    def test_the_last_line_says_who_writes_and_where_to_answer(
        self, locale: str, operator_name: str | None, contact_email: str | None, last_line: str
    ) -> None:
        words = WRITTEN[LetterKind.PASSWORD_CHANGED](locale).words
        said = letters.signed(words, operator_name=operator_name, contact_email=contact_email)
        assert said.splitlines() == [*words.splitlines()[:-1], last_line]


class TestLetters:
    def test_each_kind_is_written(self) -> None:
        assert set(WRITTEN) == set(LetterKind)

    @pytest.mark.parametrize("kind", LetterKind)
    def test_each_speaks_both_languages(self, kind: LetterKind) -> None:
        english, chinese = WRITTEN[kind]("en"), WRITTEN[kind]("zh-CN")
        assert english.kind is chinese.kind is kind
        assert not re.search(r"[\u4e00-\u9fff]", english.subject + english.words)
        for words in (chinese.subject, chinese.words):
            assert re.search(r"[\u4e00-\u9fff]", words)
        assert not re.search(r"\b(the|you|was|and)\b", chinese.words)

    @pytest.mark.parametrize("kind", LetterKind)
    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    def test_the_link_stands_on_a_line_of_its_own(self, kind: LetterKind, locale: str) -> None:
        letter = WRITTEN[kind](locale)
        assert LINK in letter.words.splitlines()
        assert LINK not in repr(letter)
