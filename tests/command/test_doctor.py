"""``onetoken doctor`` looks at everything, changes nothing, and says what to do about each trouble."""

import json

import pytest

from onetoken_app.settings import get_settings
from tests.command.conftest import Onetoken
from tests.support.installation import apply_file

FILE = apply_file(base_url="http://127.0.0.1:9/v1")


class TestDoctor:
    def test_a_closed_upstream_is_trouble_that_says_what_to_do(self, onetoken: Onetoken) -> None:
        onetoken("apply", "-", stdin=FILE)
        done = onetoken("doctor", "--json")
        findings = {finding["subject"]: finding for finding in json.loads(done.output)["findings"]}
        assert done.exit_code == 1
        assert findings["database"]["verdict"] == "ok"
        assert findings["upstream upstream"]["verdict"] == "trouble"
        assert "is it running?" in findings["upstream upstream"]["words"]

    def test_a_fresh_folder_is_no_trouble(self, onetoken: Onetoken) -> None:
        assert onetoken("doctor").exit_code == 0

    def test_bad_settings_are_its_first_finding(self, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ONETOKEN_LOG_LEVEL", "loud")
        done = onetoken("doctor")
        assert done.exit_code == 1
        assert "ONETOKEN_LOG_LEVEL" in done.output

    def test_without_a_mail_server_it_says_what_waits(self, onetoken: Onetoken) -> None:
        onetoken("apply", "-", stdin=FILE)
        findings = json.loads(onetoken("doctor", "--json").output)["findings"]
        (mail,) = [finding for finding in findings if finding["subject"] == "mail"]
        assert mail["verdict"] == "note"
        assert "0 mails wait" in mail["words"]

    def test_it_says_that_nobody_is_named_to_ask(self, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch) -> None:
        def finding() -> dict[str, str]:
            findings = json.loads(onetoken("doctor", "--json").output)["findings"]
            return next(finding for finding in findings if finding["subject"] == "contact")

        monkeypatch.setenv("ONETOKEN_OPERATOR_NAME", "Example Ltd")
        assert finding()["verdict"] == "note"
        assert finding()["words"].endswith("set ONETOKEN_CONTACT_EMAIL")
        monkeypatch.setenv("ONETOKEN_CONTACT_EMAIL", "help@ops.example")
        get_settings.cache_clear()
        assert (finding()["verdict"], finding()["words"]) == ("ok", "Example Ltd, help@ops.example")

    def test_a_mail_server_that_is_away_is_trouble(
        self, onetoken: Onetoken, monkeypatch: pytest.MonkeyPatch, unused_port: int
    ) -> None:
        monkeypatch.setenv("ONETOKEN_SMTP_URL", f"smtp://127.0.0.1:{unused_port}")
        monkeypatch.setenv("ONETOKEN_MAIL_FROM", "no-reply@test.example")
        onetoken("apply", "-", stdin=FILE)
        findings = json.loads(onetoken("doctor", "--json").output)["findings"]
        (mail,) = [finding for finding in findings if finding["subject"] == "mail"]
        assert mail["verdict"] == "trouble"

    @pytest.mark.parametrize(
        ("variables", "verdict", "words"),
        [
            pytest.param({}, "note", "ONETOKEN_STRIPE_SECRET_KEY, ONETOKEN_STRIPE_WEBHOOK_SECRET", id="off"),
            pytest.param({"SECRET_KEY": "sk_1"}, "trouble", "set ONETOKEN_STRIPE_WEBHOOK_SECRET", id="half set up"),
            pytest.param({"SECRET_KEY": "sk_1", "WEBHOOK_SECRET": ""}, "trouble", "off, though", id="an empty secret"),
            pytest.param({"SECRET_KEY": "sk_1", "WEBHOOK_SECRET": "whsec_1"}, "note", "on, but", id="on"),
        ],
    )
    def test_it_says_of_a_payment_provider_whether_it_is_on(
        self,
        onetoken: Onetoken,
        monkeypatch: pytest.MonkeyPatch,
        variables: dict[str, str],
        verdict: str,
        words: str,
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"ONETOKEN_STRIPE_{name}", value)
        done = onetoken("doctor", "--json")
        findings = {finding["subject"]: finding for finding in json.loads(done.output)["findings"]}
        assert findings["payments stripe"]["verdict"] == verdict
        assert words in findings["payments stripe"]["words"]
        assert "sk_1" not in done.output
