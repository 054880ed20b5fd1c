"""The catalogues say the same things, and pages say nothing by themselves."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from onetoken_app.billing.details import CHARACTERS_MAX
from onetoken_app.billing.following import ContractStanding
from onetoken_app.billing.invoice_paper import KINDS
from onetoken_app.billing.models import BillingCycle, InvoiceKind
from onetoken_app.console.components.adjustments import ADJUSTMENT_STEPS
from onetoken_app.console.components.countries import country_codes
from onetoken_app.console.components.credit_desk import CREDIT_STEPS
from onetoken_app.console.components.invoice_desk import INVOICE_STEPS
from onetoken_app.console.components.refunds import REFUND_STEPS
from onetoken_app.console.components.suspensions import STANDING_STEPS
from onetoken_app.console.components.terms_desk import LISTS, TERMS_STEPS
from onetoken_app.console.components.wrong_role import PAGE_ROLES
from onetoken_app.console.invoice_requests import BY_ORDERS
from onetoken_app.console.shown.api_keys import KeyStanding
from onetoken_app.console.shown.calls import CallOutcome
from onetoken_app.console.shown.channels import ChannelHealth
from onetoken_app.console.shown.invoices import InvoiceStanding
from onetoken_app.console.shown.margins import MarginStanding
from onetoken_app.console.shown.moments import PeriodName
from onetoken_app.console.shown.platform import OrganizationStanding, PublicService
from onetoken_app.console.shown.prices import PriceUnit
from onetoken_app.console.shown.projects import ProjectStanding
from onetoken_app.console.shown.readings import Operation
from onetoken_app.console.shown.readings import Span as ReadingSpan
from onetoken_app.console.shown.top_ups import OrderStanding
from onetoken_app.console.text.catalogues import (
    CATALOGUES,
    PARTS,
    Locale,
    known_locale,
    plain_text,
    preferred_locale,
)
from onetoken_app.credit.lots import Origin
from onetoken_app.credit.models import GrantKind, GrantState
from onetoken_app.credit.subjects import SubjectKind, Window
from onetoken_app.organizations.models import OrganizationRole, Scenario, SuspensionCause
from onetoken_app.payments.models import (
    AdjustmentReason,
    AdjustmentState,
    NewsKind,
    NewsOutcome,
    OrderState,
    PaymentProvider,
    RefundFailure,
    RefundRefusal,
    RefundStage,
    TransferRefusal,
)
from onetoken_app.payments.refundable import Obstacle
from onetoken_app.payments.refused_notifications import REASONS
from onetoken_app.pricing.drafts import Change
from onetoken_app.pricing.models import Scope, TermsKind
from onetoken_app.reconciliation.queries import BillStanding
from onetoken_app.token_usage import TokenKind
from onetoken_app.usage.channel_health import FAILURES
from onetoken_app.verification.models import CaseState, DocumentKind, MissingPart, ReviewReason

CONSOLE = Path(__file__).parents[2] / "onetoken_app" / "console"
KEYS_BY_PREFIX = {
    "error.": {key for key in CATALOGUES[Locale.ENGLISH] if key.startswith("error.")},
    "attempt_outcome.": {f"attempt_outcome.{kind}" for kind in FAILURES},
    "channel_health.": {f"channel_health.{kind}" for kind in ChannelHealth},
    "outcome.": {f"outcome.{kind}" for kind in CallOutcome},
    "project_standing.": {f"project_standing.{kind}" for kind in ProjectStanding},
    "standing.": {f"standing.{kind}" for kind in KeyStanding},
    "organization_standing.": {f"organization_standing.{kind}" for kind in OrganizationStanding},
    "scenario.": {f"scenario.{kind}" for kind in Scenario},
    "role.": {f"role.{role}" for role in OrganizationRole},
    "role_may.": {f"role_may.{role}" for role in OrganizationRole},
    "public_service.": {f"public_service.{one}" for one in PublicService},
    "order.": {f"order.{one}" for one in OrderStanding},
    "order_next.": {f"order_next.{one}" for one in OrderStanding},
    "payment_provider.": {f"payment_provider.{one}" for one in PaymentProvider},
    "invoice.": {f"invoice.{one}" for one in InvoiceStanding},
    "invoice_next.": {f"invoice_next.{one}" for one in InvoiceStanding},
    "invoice_kind.": {f"invoice_kind.{one}" for one in InvoiceKind},
    "adjustment_done.": {f"adjustment_done.{step}" for step in ADJUSTMENT_STEPS},
    "adjustment_reason.": {f"adjustment_reason.{one}" for one in AdjustmentReason},
    "adjustment_state.": {f"adjustment_state.{one}" for one in AdjustmentState},
    "news_kind.": {f"news_kind.{one}" for one in NewsKind},
    "news_outcome.": {f"news_outcome.{one}" for one in NewsOutcome},
    "news_refusal.": {f"news_refusal.{one}" for one in REASONS},
    "provider_order.": {f"provider_order.{one}" for one in OrderState},
    "invoice_done.": {f"invoice_done.{step}" for step in INVOICE_STEPS},
    "invoice_by.": {"invoice_by.amount", f"invoice_by.{BY_ORDERS}"},
    "buyer_detail.": {f"buyer_detail.{name}" for name in CHARACTERS_MAX},
    "billing_cycle.": {f"billing_cycle.{one}" for one in BillingCycle},
    "refund_stage.": {f"refund_stage.{one}" for one in RefundStage},
    "refund_refusal.": {f"refund_refusal.{one}" for one in RefundRefusal},
    "refund_failure.": {f"refund_failure.{one}" for one in RefundFailure},
    "refund_obstacle.": {f"refund_obstacle.{one}" for one in Obstacle},
    "refund_done.": {f"refund_done.{one}" for one in REFUND_STEPS},
    "contract_standing.": {f"contract_standing.{one}" for one in ContractStanding},
    "credit_done.": {f"credit_done.{one}" for one in CREDIT_STEPS},
    "page_ask.": {f"page_ask.{one}" for one in PAGE_ROLES},
    "page_for.": {f"page_for.{one}" for one in PAGE_ROLES},
    "suspension_cause.": {f"suspension_cause.{one}" for one in SuspensionCause},
    "suspension_done.": {f"suspension_done.{one}" for one in STANDING_STEPS},
    "suspension_next.": {f"suspension_next.{one}" for one in SuspensionCause},
    "grant_kind.": {f"grant_kind.{one}" for one in GrantKind},
    "grant_state.": {f"grant_state.{one}" for one in GrantState},
    "lot_origin.": {f"lot_origin.{one}" for one in Origin},
    "budget_of.": {f"budget_of.{one}" for one in SubjectKind},
    "budget_window.": {f"budget_window.{one}" for one in Window},
    "transfer_refusal.": {f"transfer_refusal.{one}" for one in TransferRefusal},
    "case.": {f"case.{state}" for state in CaseState},
    "next.": {f"next.{state}" for state in CaseState},
    "reason.": {f"reason.{reason}" for reason in ReviewReason},
    "part.": {f"part.{part}" for part in MissingPart},
    "document.": {f"document.{kind}" for kind in DocumentKind},
    "operation.": {f"operation.{kind}" for kind in Operation},
    "overall.": {f"overall.{kind}" for kind in Operation},
    "span.": {f"span.{kind}" for kind in ReadingSpan},
    "period.": {f"period.{kind}" for kind in PeriodName},
    "margin.": {f"margin.{one}" for one in MarginStanding},
    "bill_standing.": {f"bill_standing.{one}" for one in BillStanding},
    "country.": {f"country.{code.lower()}" for code in country_codes()},
    "price_kind.": {f"price_kind.{kind}" for kind in TokenKind},
    "price_unit.": {f"price_unit.{unit}" for unit in PriceUnit},
    "price_scope.": {f"price_scope.{scope}" for scope in Scope},
    "price_change.": {f"price_change.{change}" for change in Change},
    "terms_kind.": {f"terms_kind.{kind}" for kind in TermsKind},
    "terms_propose.": {f"terms_propose.{kind}" for kind in TermsKind},
    "terms_done.": {f"terms_done.{step}" for step in TERMS_STEPS},
    "plans_list.": {f"plans_list.{name}" for name in LISTS},
    "plans_none.": {f"plans_none.{name}" for name in LISTS},
    "plans_none_next.": {f"plans_none_next.{name}" for name in LISTS},
    "region.": {"region.mainland", "region.overseas"},
    "switch.": {"switch.on", "switch.off"},
}
"""Keys that are looked up by the value of a closed enum."""
_SHOWN_BY = {"title", "placeholder", "alt", "label", "aria_label"}
_SAME_EVERYWHERE = {"–", "OneToken", "404", "0", " ", "·", " · ", " → ", "≈", "English", "中文"}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    """Parse the modules of the console."""
    for path in sorted(CONSOLE.rglob("*.py")):
        yield path, ast.parse(path.read_text())


def literal_keys() -> set[str]:
    """Return every key that the console names literally."""
    known = re.compile(r"[a-z_]+\.[a-z_0-9]+")
    return {
        node.value
        for path, tree in sources()
        if path.parent.name != "text"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and known.fullmatch(node.value)
    }


def shown_literals(tree: ast.AST) -> Iterator[str]:
    """Find words that a component would show without asking for the language."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = ast.unparse(node.func)
        if not function.startswith("rx.el."):
            continue
        given = [*node.args, *[keyword.value for keyword in node.keywords if keyword.arg in _SHOWN_BY]]
        for value in given:
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value not in _SAME_EVERYWHERE:
                yield f"{node.lineno} {value.value!r}"


class TestCatalogues:
    def test_have_the_same_keys(self) -> None:
        assert set(CATALOGUES[Locale.ENGLISH]) == set(CATALOGUES[Locale.CHINESE])

    @pytest.mark.parametrize("key", sorted(CATALOGUES[Locale.ENGLISH]))
    def test_ask_for_the_same_values(self, key: str) -> None:
        asked = [
            sorted(name for _, name, _, _ in Formatter().parse(words[key]) if name) for words in CATALOGUES.values()
        ]
        assert asked[0] == asked[1]

    def test_chinese_is_translated_and_uses_its_own_punctuation(self) -> None:
        chinese = CATALOGUES[Locale.CHINESE]
        assert [key for key, words in chinese.items() if not re.search(r"[\u4e00-\u9fff]", words)] == []
        assert [key for key, words in chinese.items() if re.search(r"[\u4e00-\u9fff][,;:?!.]", words)] == []

    def test_are_in_order(self) -> None:
        for words in [part for parts in PARTS.values() for part in parts]:
            assert list(words) == sorted(words)

    def test_name_kinds_of_invoices_as_their_data_sheets_do(self) -> None:
        named = {
            locale: {kind: CATALOGUES[locale][f"invoice_kind.{kind}"] for kind in InvoiceKind} for locale in Locale
        }
        assert named == KINDS

    def test_say_each_thing_once(self) -> None:
        for locale, parts in PARTS.items():
            assert sum(len(part) for part in parts) == len(CATALOGUES[locale])

    def test_hold_exactly_what_is_used(self) -> None:
        by_value = set().union(*KEYS_BY_PREFIX.values())
        used = {key for key in literal_keys() if key in CATALOGUES[Locale.ENGLISH]} | by_value
        assert set(CATALOGUES[Locale.ENGLISH]) - used == set()
        assert by_value - set(CATALOGUES[Locale.ENGLISH]) == set()


class TestPages:
    def test_show_no_words_of_their_own(self) -> None:
        found = [f"{path.name}:{literal}" for path, tree in sources() for literal in shown_literals(tree)]
        assert found == []

    def test_a_planted_word_is_found(self) -> None:
        assert list(shown_literals(ast.parse("rx.el.p('Welcome')")))
        assert list(shown_literals(ast.parse("rx.el.button(icon, title='Close')")))


class TestLocales:
    @pytest.mark.parametrize(
        ("accept_language", "locale"),
        [
            ("zh-CN,zh;q=0.9,en;q=0.8", Locale.CHINESE),
            ("en-GB,en;q=0.9,zh;q=0.8", Locale.ENGLISH),
            ("fr-FR,zh-TW;q=0.5", Locale.CHINESE),
            ("", Locale.ENGLISH),
            (";;,,", Locale.ENGLISH),
        ],
    )
    def test_follow_the_browser(self, accept_language: str, locale: Locale) -> None:
        assert preferred_locale(accept_language) is locale

    def test_anything_else_reads_english(self) -> None:
        assert known_locale("<script>") is Locale.ENGLISH

    def test_plain_text_fills_values_in(self) -> None:
        assert plain_text("chart.calls", "zh-CN", count=3) == "3 次调用"
