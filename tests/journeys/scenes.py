"""Everything that a person can get to see: each page as each kind of reader, each dialog, each state of a row.

Pages come from the console's own list, so that a new page is among the scenes by itself; a dialog that no scene opens
fails ``test_scenes``.
"""

import re
from decimal import Decimal

from playwright.sync_api import Page as Tab

from onetoken_app.console.navigation import STAFF_HOME
from onetoken_app.console.pages import PAGES
from onetoken_app.console.shown.invoices import InvoiceStanding
from onetoken_app.money import format_amount
from onetoken_app.payments.models import OrderState
from onetoken_app.verification.models import CaseState
from tests.journeys.scene import NOBODY, Scene, Step, look_at
from tests.journeys.staged_business import (
    CASE_OWNERS,
    DEBTOR,
    FAPIAO,
    NEWCOMER,
    OWNER,
    PAYS_IN_YUAN,
    REFUNDED,
    STAFF,
    SUSPENDED,
    UNSIGNED,
    VIEWER,
    Secrets,
)
from tests.journeys.staged_payments import HOSTED_NANOS

WRONG_PASSWORD = "not the password"


def page_scenes() -> list[Scene]:
    """Return every page, as everybody who has it in their menu."""
    found = []
    for page in PAGES:
        area = page.body.__module__.split(".")[-2]
        route = "/no-such-page" if page.route == "404" else page.route
        words = route.removeprefix("/staff").strip("/").replace("/", "-") or "home"
        readers = {
            "public": ((NOBODY, "public"),),
            "customer": ((OWNER, "owner"), (NEWCOMER, "new"), (VIEWER, "viewer")),
            "staff": ((STAFF, "staff"),),
        }
        found += [Scene(f"{name}-{words}", route, who) for who, name in readers[area]]
    return found


def bare_scenes() -> list[Scene]:
    """Return what is to be seen where there is no customer, no model and nothing to do yet."""
    wanted = {
        "margins",
        "reconciliation",
        "home",
        "models",
        "status",
        "reviews",
        "top-ups",
        "organizations",
        "channels",
        "prices",
        "invoices",
        "adjustments",
        "payments",
    }
    found = [one for one in page_scenes() if one.name.partition("-")[2] in wanted and one.who in {NOBODY, STAFF}]
    return [Scene(f"bare-{one.name}", one.route, one.who) for one in found]


def state_scenes(secrets: Secrets) -> list[Scene]:
    """Return what depends on more than the page: dialogs, states of rows, refusals, mailed links."""
    return [
        *[
            Scene(f"link-{route.strip('/').replace('/', '-')}", f"{route}#{secret}")
            for route, secret in secrets.links.items()
        ],
        Scene("sign-in-refused", "/sign-in", step=_sign_in_wrongly),
        Scene("sign-up-sent", "/sign-up", step=_ask_for_a_link),
        *_standing_scenes(),
        *[Scene(f"case-{state}", "/verification", email) for state, email in CASE_OWNERS.items()],
        *[_dialog("/keys", name) for name in ("mint-key", "restrict-key", "move-key", "revoke-key")],
        Scene("project-renaming", "/projects", OWNER, step=_rename_a_project),
        Scene("dialog-archive-project", "/projects", OWNER, step=_archive("Staging"), opens="archive-project"),
        Scene("dialog-archive-project-in-use", "/projects", OWNER, step=_archive("Website"), opens="archive-project"),
        *_credit_scenes(),
        Scene("key-minted", "/keys", OWNER, step=_mint, opens="mint-key"),
        *[_dialog("/members", name) for name in ("invite-member", "change-role", "remove-member")],
        *[_dialog("/members", name) for name in ("resend-invitation", "withdraw-invitation")],
        Scene("top-up-refused-amount", "/top-up", OWNER, step=_order_wrongly),
        *[Scene(f"order-{state}", "/top-up", OWNER, step=look_at(_ORDERS[state])) for state in OrderState],
        Scene("order-expired", "/top-up", OWNER, step=look_at("7,000.00")),
        *[
            Scene(f"order-stripe-{kind}", "/top-up", OWNER, step=look_at(words))
            for kind, words in _HOSTED_ORDERS.items()
        ],
        Scene("order-alipay", "/top-up", PAYS_IN_YUAN, step=look_at(_ALIPAY)),
        Scene("order-code", "/top-up", PAYS_IN_YUAN, step=_show_the_code),
        Scene("dialog-cancel-order", "/top-up", OWNER, step=_cancel_order, opens="cancel-order"),
        Scene("refunds-asked", "/refunds", REFUNDED),
        Scene("refund-requested", "/staff/refunds", STAFF, step=look_at("110.50", place="#open-order .card")),
        Scene("refund-held", "/staff/refunds", STAFF, step=look_at("220.00", place="#open-order .card")),
        Scene("statements-running-lines", "/statements", FAPIAO, step=_open_running_month),
        Scene("statements-owed", "/statements", DEBTOR),
        Scene("statements-month", "/statements", DEBTOR, step=look_at("-", place="#open-month .card")),
        *[
            Scene(f"invoice-{standing}", "/invoices", OWNER, step=look_at(amount, place="#open-invoice .card"))
            for standing, amount in _INVOICES.items()
        ],
        Scene("dialog-withdraw-request", "/invoices", OWNER, step=_withdraw, opens="withdraw-request"),
        Scene("invoice-form-of-orders", "/invoices", FAPIAO, step=_choose_orders),
        Scene("invoice-refused-amount", "/invoices", FAPIAO, step=_ask_for_too_much),
        Scene("playground-answered", "/playground", OWNER, step=_ask(secrets.api_key)),
        Scene("playground-refused", "/playground", OWNER, step=_ask("otk_live_wrong")),
        Scene("usage-older", "/usage", OWNER, step=_turn_the_page),
        *[
            Scene(f"review-{state}", "/staff/reviews", STAFF, step=look_at(f"Case {state.replace('_', ' ')} "))
            for state in CaseState
            if state is not CaseState.DRAFT
        ],
        Scene("dialog-approve-case", "/staff/reviews", STAFF, step=_approve_case, opens="approve-case"),
        *[_dialog("/staff/channels", name, who=STAFF) for name in ("take-channel-out", "put-channel-back")],
        *_finance_scenes(),
    ]


def _finance_scenes() -> list[Scene]:
    """Return what the desks of finance open."""
    return [
        Scene("transfer-first-look", "/staff/top-ups", STAFF, step=look_at("88,888.88")),
        Scene("transfer-second-look", "/staff/top-ups", STAFF, step=look_at("250,000.00")),
        *[
            Scene(
                f"invoice-desk-{standing}", "/staff/invoices", STAFF, step=look_at(amount, place="#open-invoice .card")
            )
            for standing, amount in _INVOICES.items()
            if standing is not InvoiceStanding.WITHDRAWN
        ],
        *[
            Scene(f"adjustment-{name}", "/staff/adjustments", STAFF, step=look_at(words, place=".open-order .card"))
            for name, words in (("own", "150,000.00"), ("of-a-colleague", "12.34"), ("made", "75.00"))
        ],
        Scene("payments-searched", "/staff/payments", STAFF, step=_search_for_a_payment),
        *[
            Scene(f"terms-{name}", "/staff/plans", STAFF, step=look_at(words, place=f"#open-{place} .card"))
            for name, words, place in (
                ("own", "Sun Mei", "terms"),
                ("of-a-colleague", "Ada Okafor", "terms"),
                ("organization", "91350100M000100Y43", "payer"),
            )
        ],
        Scene("models-own", "/models", OWNER),
        Scene("draft-own", "/staff/prices", STAFF, step=_look_at_draft("Sun Mei")),
        Scene("draft-of-a-colleague", "/staff/prices", STAFF, step=_look_at_draft("genai-prices")),
        Scene("dialog-publish-draft", "/staff/prices", STAFF, step=_ask_about_draft("publish"), opens="publish-draft"),
        Scene("dialog-discard-draft", "/staff/prices", STAFF, step=_ask_about_draft("discard"), opens="discard-draft"),
    ]


def _standing_scenes() -> list[Scene]:
    """Return what is in the way of an organization or a reader: texts to accept, a wrong role, a suspension."""
    return [
        Scene("unsigned-overview", "/overview", UNSIGNED),
        Scene("unsigned-overview-later", "/overview", UNSIGNED, step=_put_off),
        Scene("unsigned-agreements", "/agreements", UNSIGNED),
        Scene("wrong-role-customer", "/staff/prices", OWNER),
        Scene("wrong-role-staff", "/keys", STAFF),
        Scene("suspended-overview", "/overview", SUSPENDED),
        Scene("suspended-top-up", "/top-up", SUSPENDED),
        *[
            Scene(f"organization-{standing}", STAFF_HOME, STAFF, step=look_at(name, place="#open-order .card"))
            for standing, name in (("suspended", "Stopped Trading"), ("verified", "Meridian Robotics"))
        ],
    ]


def _credit_scenes() -> list[Scene]:
    """Return what depends on more than the page about budgets, credit and packages."""
    return [
        Scene("budget-changing", "/budgets", OWNER, step=_change_a_budget),
        _dialog("/budgets", "remove-budget"),
        _dialog("/credit", "buy-package"),
        Scene("credit-bought", "/credit", OWNER, step=_buy_a_package),
        Scene("credit-frozen", "/credit", DEBTOR),
        _dialog("/staff/packages", "withdraw-package", who=STAFF),
        Scene(
            "credit-desk-open", "/staff/credit", STAFF, step=look_at("91350100M000100Y43", place="#open-order .stats")
        ),
        Scene("credit-desk-frozen", "/staff/credit", STAFF, step=look_at("Harbour", place="#open-order .stats")),
    ]


_ORDERS = {
    OrderState.OPEN: "12,345.67",
    OrderState.REPORTED: "88,888.88",
    OrderState.CREDITED: "20,000.50",
    OrderState.REFUSED: "5,000.00",
    OrderState.CANCELLED: "1.00",
}
"""The amount by which the staged order of a state is found."""
_INVOICES = {
    InvoiceStanding.REFUSED: "111.00",
    InvoiceStanding.WITHDRAWN: "222.00",
    InvoiceStanding.RED_LETTERED: "333.00",
    InvoiceStanding.PARTLY_REVERSED: "444.00",
    InvoiceStanding.ISSUED: "555.00",
    InvoiceStanding.IN_WORK: "666.00",
    InvoiceStanding.REQUESTED: "777.00",
}
"""The amount by which the staged invoice of a standing is found."""
_HOSTED_ORDERS = {kind: f"{Decimal(format_amount(nanos)):,}" for kind, nanos in HOSTED_NANOS.items()}
"""The same of those at a payment provider."""
_ALIPAY, _WECHAT_PAY = re.compile("支付宝|Alipay"), re.compile("微信支付|WeChat Pay")


def _dialog(route: str, name: str, *, who: str = OWNER) -> Scene:
    """Open a dialog by the first button that does."""

    def step(page: Tab) -> None:
        page.locator(f"[data-opens={name}]").first.click()
        page.locator(f"#{name}[open]").wait_for()

    return Scene(f"dialog-{name}", route, who, step=step, opens=name)


def _rename_a_project(page: Tab) -> None:
    page.locator("tbody tr").filter(has_text="Website").locator("[data-shows=open-project]").click()
    page.locator("#open-project [name=name]").wait_for()


def _change_a_budget(page: Tab) -> None:
    page.locator("tbody tr [data-shows=open-budget]").first.click()
    page.locator("#open-budget [name=limit]").wait_for()


def _buy_a_package(page: Tab) -> None:
    page.locator("tbody tr").filter(has_text="Starter").locator("[data-opens=buy-package]").first.click()
    page.locator("#buy-package[open] .button.primary").click()
    page.locator("main .note[role=status]").wait_for()


def _archive(name: str) -> Step:
    """Open the dialog about a project."""

    def step(page: Tab) -> None:
        page.locator("tbody tr").filter(has_text=name).locator("[data-opens=archive-project]").click()
        page.locator("#archive-project[open]").filter(has_text=name).wait_for()

    return step


def _sign_in_wrongly(page: Tab) -> None:
    page.locator("input[name=email]").fill("nobody@lantern.example")
    page.locator("input[name=password]").fill(WRONG_PASSWORD)
    page.locator("form button[type=submit]").click()
    page.locator("[data-when].is-shown").wait_for()


def _ask_for_a_link(page: Tab) -> None:
    page.locator("input[name=email]").fill("somebody@company.example")
    page.locator("form button[type=submit]").click()
    page.locator(".is-done, [data-when].is-shown").first.wait_for()


def _put_off(page: Tab) -> None:
    page.locator("main button.quiet").first.click()
    page.locator(".stats").wait_for()


def _mint(page: Tab) -> None:
    """Mint a key, whose name is free however often pictures are taken."""
    page.locator("[data-opens=mint-key]").first.click()
    page.locator("#mint-key [name=name]").fill(f"batch {page.evaluate('Date.now()')}")
    page.locator("#mint-key [type=submit]").click()
    page.locator("#mint-key.is-minted").wait_for()


def _order_wrongly(page: Tab) -> None:
    page.locator("[name=amount]").fill("12,5")
    page.locator("[name=consent]").check()
    page.locator(".order-form [type=submit]").click()
    page.locator("[role=alert]").filter(has_text="12").or_(page.locator(".refusal")).first.wait_for()


def _cancel_order(page: Tab) -> None:
    look_at(_ORDERS[OrderState.OPEN])(page)
    page.locator("[data-opens=cancel-order]").click()
    page.locator("#cancel-order[open]").wait_for()


def _open_running_month(page: Tab) -> None:
    page.locator("main [data-shows=open-month]").first.click()
    page.locator("#open-month .card").wait_for()


def _withdraw(page: Tab) -> None:
    look_at(_INVOICES[InvoiceStanding.REQUESTED], place="#open-invoice .card")(page)
    page.locator("[data-opens=withdraw-request]").click()
    page.locator("#withdraw-request[open]").wait_for()


def _choose_orders(page: Tab) -> None:
    page.locator("[name=by][value=orders]").check()
    page.locator(".when-orders [type=checkbox]").first.check()
    page.locator(".invoice-form summary").click()
    page.locator("[name=bank_account]").wait_for()


def _ask_for_too_much(page: Tab) -> None:
    page.locator("[name=amount]").fill("9999999")
    page.locator(".invoice-form [type=submit]").click()
    page.locator("#refusal").wait_for()


def _show_the_code(page: Tab) -> None:
    """Have the code shown that an order is paid with."""
    look_at(_WECHAT_PAY)(page)
    page.locator(".pay-facts .button.primary").click()
    page.locator(".pay-code").wait_for()


def _ask(secret: str) -> Step:
    """Ask the model something."""

    def step(page: Tab) -> None:
        page.locator("[data-key]").fill(secret)
        page.locator("[data-question]").fill("What is a relay?")
        page.locator("[data-talks] [type=submit]").click()
        page.locator("[data-figures]:not(:empty), [data-when].is-shown").first.wait_for()

    return step


def _turn_the_page(page: Tab) -> None:
    page.locator(".pager button").last.click()
    page.locator(".pager button").first.and_(page.locator(":enabled")).wait_for()


def _approve_case(page: Tab) -> None:
    look_at("Case in review ")(page)
    page.locator("[data-opens=approve-case]").click()
    page.locator("#approve-case[open]").wait_for()


def _search_for_a_payment(page: Tab) -> None:
    """Look for the payment of the first notification that is listed."""
    page.locator("[name=sought]").fill(page.locator("tbody .long-id").first.inner_text())
    page.locator(".search-form [type=submit]").click()
    page.locator("section", has=page.locator("tbody tr:only-child")).first.wait_for()


def _look_at_draft(words: str) -> Step:
    """Open the draft whose row has these words."""

    def step(page: Tab) -> None:
        page.locator("tbody tr").filter(has_text=words).first.locator(".actions button").click()
        page.locator("#open-draft tbody tr").first.wait_for()

    return step


def _ask_about_draft(verb: str) -> Step:
    """Open a dialog about the draft that a colleague made."""

    def step(page: Tab) -> None:
        _look_at_draft("genai-prices")(page)
        page.locator(f"[data-opens={verb}-draft]").click()
        page.locator(f"#{verb}-draft[open]").wait_for()

    return step
