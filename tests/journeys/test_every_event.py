"""Every event of every State, found mechanically and called over a raw socket by whoever must not call it.

Whoever adds an event need not think of this file: it is called here as nobody, as each role that does not suffice, and
by the owner of another organization with the ids of the first one's rows. The whole database is compared.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.registry import RegistrationContext

from onetoken_app import clock
from onetoken_app.console.callers import Role
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import required_role
from onetoken_app.console.text.catalogues import Locale
from onetoken_app.verification.particulars import CHARACTERS_MAX
from tests.journeys.conftest import RunningConsole
from tests.journeys.one_form import one_form
from tests.journeys.test_raw_socket import RawTab, a_tab, event, named_events, owner_cookie
from tests.support.installation import PASSWORD, Installation, apply_file
from tests.verification.files import PDF

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]
OWNER, OTHER = "owner@test.example", "other@other.example"
INVOICES_TO = "books@test.example"
"""Where the first organization wants its invoices."""
MAY: dict[str, set[Role]] = {
    "nobody": set(),
    "viewer": {Role.PERSON, Role.VIEWER},
    "billing": {Role.PERSON, Role.VIEWER, Role.BILLING},
    "developer": {Role.PERSON, Role.VIEWER, Role.DEVELOPER},
    "support": {Role.PERSON, Role.STAFF, Role.STAFF_SUPPORT},
    "reviewer": {Role.PERSON, Role.STAFF, Role.STAFF_REVIEWER},
    "finance": {Role.PERSON, Role.STAFF, Role.STAFF_FINANCE},
    "auditor": {Role.PERSON, Role.STAFF},
}
"""What else each may call: the rest is tried."""
STORAGE = "reflex___state____state.reflex___state____update_vars_internal_state.update_vars_internal"
MEMBERS, STAFF = ("viewer", "billing", "developer"), ("support", "reviewer", "finance", "auditor")
COMES_AND_GOES = {"identity_sign_in_session", "identity_sign_in_throttle", "alembic_version", "usage_rollup_cursor"}
"""Tables in which a sign-in or a job leaves its traces; of the audit log only the lines about it are left out."""
Rows = dict[str, set[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Scene:
    """A console with two organizations, the first of which has a row of everything."""

    console: RunningConsole
    ids: dict[str, str]
    """Of the first one's rows, by the name of an argument."""

    def email_of(self, who: str) -> str:
        """Return whose address it is."""
        return f"{who}@test.example" if who in MEMBERS else f"{who}@ops.example"

    async def cookie_of(self, email: str) -> str:
        """Sign somebody in."""
        return await owner_cookie(replace(self.console, email=email))

    def rows(self) -> Rows:
        """Read the whole database."""
        installation = self.console.installation
        names = [name for (name,) in installation.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {
            name: set(installation.rows(f'SELECT * FROM "{name}"'))
            for name in names
            if name not in COMES_AND_GOES and not name.startswith("sqlite_")
        }
        lines = "SELECT sequence_number, action, subject_id, organization_id FROM audit_entry"
        found["audit_entry"] = set(installation.rows(f"{lines} WHERE action NOT LIKE 'sign%'"))
        return found

    def revisions(self) -> list[int]:
        """Return the revisions that a form of the first organization may carry now."""
        revised = ("verification_case", "payments_order", "payments_refund", "billing_invoice", "payments_adjustment")
        query = " UNION ".join(f"SELECT revision FROM {table}" for table in revised)
        return [int(number) for (number,) in self.console.installation.rows(query)]


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    """A console with two organizations, one member of each role, and one of the staff of each role."""
    installation = Installation(tmp_path_factory.mktemp("every-event"), {"ONETOKEN_PRICE_RISE_NOTICE_DAYS": "0"})
    one = f"people: [{{email: {OWNER}, password_env: TEST_PASSWORD, role: owner}}"
    more = "".join(f", {{email: {role}@test.example, password_env: TEST_PASSWORD, role: {role}}}" for role in MEMBERS)
    other = f"""\
  - name: Other Ltd
    code: 91110000600037341L
    verified: true
    people: [{{email: {OTHER}, password_env: TEST_PASSWORD, role: owner}}]
"""
    file = apply_file(base_url="http://127.0.0.1:9/v1")
    assert one in file
    installation.apply(file.replace(one, one + more) + other)
    _close_a_month(installation)
    for role in STAFF:
        installation.succeed("staff", "add", f"{role}@ops.example", "--role", role, "--password-env", "TEST_PASSWORD")
    installation.succeed(
        "staff", "add", "colleague@ops.example", "--role", "finance", "--password-env", "TEST_PASSWORD"
    )
    with installation.console() as server:
        yield RunningConsole(installation, server, email=OWNER, password=PASSWORD, secret="")


def _close_a_month(installation: Installation) -> None:
    """Let everybody have been here for forty days, and close what is over."""
    moment = clock.iso_instant(clock.utc_now() - timedelta(days=40))
    with closing(sqlite3.connect(installation.data_dir / "onetoken.sqlite3")) as connection, connection:
        connection.execute("UPDATE ledger_account SET created_at = ?", (moment,))
    assert installation.succeed("statements", "close", "--json").json()["closed"]


@pytest.fixture
async def scene(console: RunningConsole) -> Scene:
    """The first organization with a case under review, documents, an order, an invitation; made once."""
    found = Scene(console, {})
    if not console.installation.rows("SELECT id FROM payments_order"):
        await _furnish(found)
    for argument, query in {
        "organization_id": "SELECT id FROM organizations_organization WHERE name = 'Test Ltd'",
        "api_key_id": "SELECT id FROM keys_api_key",
        "project_id": "SELECT project_id FROM keys_api_key",
        "key_id": "SELECT id FROM keys_api_key",
        "model_id": "SELECT id FROM catalog_model",
        "channel_id": "SELECT id FROM catalog_channel",
        "person_id": "SELECT id FROM identity_person WHERE email = 'developer@test.example'",
        "invitation_id": "SELECT id FROM organizations_invitation",
        "case_id": "SELECT id FROM verification_case",
        "document_id": "SELECT min(id) FROM verification_document",
        "order_id": "SELECT id FROM payments_order WHERE state = 'reported'",
        "invoice_id": "SELECT id FROM billing_invoice ORDER BY requested_at LIMIT 1",
        "statement_id": "SELECT id FROM billing_statement WHERE figures_json LIKE '%\"Test Ltd\"%'",
        "draft_id": "SELECT min(id) FROM pricing_draft",
        "terms_id": "SELECT min(id) FROM pricing_terms_draft",
        "refund_id": "SELECT id FROM payments_refund",
        "adjustment_id": "SELECT min(id) FROM payments_adjustment",
        "budget_id": "SELECT max(id) FROM ledger_budget",
        "grant_id": "SELECT id FROM credit_grant",
        "package_id": "SELECT min(id) FROM credit_package",
    }.items():
        (found.ids[argument],) = console.installation.rows(query)[0]
    return found


async def _furnish(scene: Scene) -> None:
    """Do as the owner, and a reviewer, what leaves a row of everything."""
    url, installation = scene.console.url, scene.console.installation
    ((organization_id,),) = installation.rows("SELECT id FROM organizations_organization WHERE name = 'Test Ltd'")
    owner = await scene.cookie_of(OWNER)
    headers = {"Origin": url, "Cookie": owner}
    async with httpx.AsyncClient(trust_env=False, base_url=url, headers=headers) as client:
        offer = {"organization_id": organization_id, "email": "han@company.example", "role": "viewer"}
        assert (await client.post("/account/invitations", json=offer)).status_code == 202
        for kind in ("business_licence", "authorization_letter"):
            document = {"x-organization-id": organization_id, "x-document-kind": kind, "x-document-name": "paper.pdf"}
            answer = await client.post(
                "/account/documents", content=PDF, headers=document | {"content-type": "application/pdf"}
            )
            assert answer.status_code == 201
    await _ask_for_a_refund(scene, owner)
    budget = {"subject": "organization", "window": "month", "limit": "1000"}
    await call(scene, owner, [(_event("budgets_state.put"), {"form": budget})])
    finance = await scene.cookie_of("finance@ops.example")
    await call(scene, finance, [(_event("packages_state.offer"), {"form": _form(scene, 0)})])
    ((package_id,),) = installation.rows("SELECT id FROM credit_package")
    bought = {"package_id": package_id, "submission": "raw-form-0008"}
    await call(scene, owner, [(_event("credit_state.buy"), bought)] * 2)
    assert installation.rows("SELECT package_id FROM credit_package_sale") == [(package_id,)]
    large = _form(scene, 0) | {"organization_id": organization_id, "amount": "5000"}
    colleague = await scene.cookie_of("colleague@ops.example")
    await call(scene, colleague, [(_event("credit_desk_state.give"), {"form": large})])
    assert installation.rows("SELECT state FROM credit_grant") == [("proposed",)]
    particulars = dict.fromkeys(CHARACTERS_MAX, "Wang Fang") | {"registration_code": "91350100M000100Y43"}
    ((revision,),) = installation.rows("SELECT revision FROM verification_case")
    await call(scene, owner, [(_event("verification_state.save"), {"form": particulars | {"revision": str(revision)}})])
    ((revision,),) = installation.rows("SELECT revision FROM verification_case")
    await call(scene, owner, [(_event("verification_state.submit"), {"revision": revision})])
    await call(scene, owner, [(_event("top_up_state.order"), {"form": _form(scene, 0)})])
    ((order_id,),) = installation.rows("SELECT id FROM payments_order WHERE state = 'open'")
    await call(scene, owner, [(_event("top_up_state.report"), {"form": _form(scene, 0) | {"order_id": order_id}})])
    await _have_invoiced(scene, owner)
    ((case_id, revision),) = installation.rows("SELECT id, revision FROM verification_case")
    reviewer, take = await scene.cookie_of("reviewer@ops.example"), {"case_id": case_id, "revision": revision}
    looks = (_event("reviews_state.look"), {"case_id": case_id})
    await call(scene, reviewer, [looks, (_event("reviews_state.take"), take)])
    colleague = await scene.cookie_of("colleague@ops.example")
    ((model_id,),) = installation.rows("SELECT id FROM catalog_model")
    await call(scene, colleague, [(_event("prices_state.propose"), {"form": _form(scene, 0) | {"model_id": model_id}})])
    await call(scene, colleague, [(_event("plans_state.propose"), {"form": _form(scene, 0)})])
    assert installation.rows("SELECT state FROM pricing_terms_draft") == [("open",)]
    adjustment = _form(scene, 0) | {"organization": organization_id}
    await call(scene, colleague, [(_event("adjustments_state.propose"), {"form": adjustment})])
    assert installation.rows("SELECT state FROM payments_adjustment") == [("proposed",)]
    assert installation.rows("SELECT state FROM pricing_draft") == [("open",)]
    assert installation.rows("SELECT state FROM verification_case") == [("in_review",)]
    assert set(installation.rows("SELECT state FROM payments_order")) == {("reported",), ("credited",)}
    assert installation.rows("SELECT stage FROM payments_refund") == [("requested",)]


async def _have_invoiced(scene: Scene, owner: str) -> None:
    """Pay a second order, ask for an invoice of a part of it, and for another that is withdrawn."""
    form = _form(scene, 0) | {"submission_id": "raw-form-0002", "amount": "50", "received": "50", "bank_entry": "E-2"}
    await call(scene, owner, [(_event("top_up_state.order"), {"form": form})])
    query = "SELECT id, revision FROM payments_order WHERE state = 'open'"
    ((form["order_id"], revision),) = scene.console.installation.rows(query)
    await call(scene, owner, [(_event("top_up_state.report"), {"form": form})])
    approval = {"form": form | {"revision": str(revision + 1)}}
    looks = (_event("top_ups_state.look"), {"order_id": form["order_id"]})
    finance = await scene.cookie_of("finance@ops.example")
    await call(scene, finance, [looks, (_event("top_ups_state.approve"), approval)])
    asked = form | {"amount": "1", "email": INVOICES_TO}
    await call(scene, owner, [(_event("invoices_state.request"), {"form": asked})])
    await call(scene, owner, [(_event("invoices_state.request"), {"form": asked | {"submission_id": "raw-form-0004"}})])
    ((invoice_id,),) = scene.console.installation.rows(
        "SELECT id FROM billing_invoice WHERE submission_id = 'raw-form-0004'"
    )
    await call(scene, owner, [(_event("invoices_state.withdraw"), {"invoice_id": invoice_id})])
    states = scene.console.installation.rows("SELECT state FROM billing_invoice ORDER BY requested_at")
    assert states == [("requested",), ("withdrawn",)]


async def _ask_for_a_refund(scene: Scene, owner: str) -> None:
    """Have an order credited and ask for a part of it back, before a case that is open would be in the way."""
    form = _form(scene, 0) | {"submission_id": "raw-form-0003"}
    await call(scene, owner, [(_event("top_up_state.order"), {"form": form})])
    ((order_id,),) = scene.console.installation.rows("SELECT id FROM payments_order")
    await call(scene, owner, [(_event("top_up_state.report"), {"form": form | {"order_id": order_id}})])
    ((revision,),) = scene.console.installation.rows("SELECT revision FROM payments_order")
    approval = form | {"order_id": order_id, "revision": str(revision), "bank_entry": "E-0"}
    finance = await scene.cookie_of("finance@ops.example")
    verbs = {"load": {}, "look": {"order_id": order_id}, "approve": {"form": approval}}
    await call(scene, finance, [(_event(f"top_ups_state.{verb}"), how) for verb, how in verbs.items()])
    wanted = form | {"order_id": order_id, "amount": "10"}
    await call(scene, owner, [(_event("refunds_state.ask"), {"form": wanted})])


def _event(ending: str) -> str:
    """Return the whole name of one event."""
    (found,) = [name for name in named_events() if name.endswith(f"____{ending}")]
    return found


def _form(scene: Scene, revision: int) -> dict[str, Any]:
    """Write one form about the first organization's rows."""
    return one_form(scene.ids, revision)


def calls_of(scene: Scene, names: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Write every call of some events that could have an effect: with the right ids, and each revision there is."""
    usual = {
        "submission": "raw-form-0009",
        "role": "viewer",
        "is_restricted": True,
        "consents": True,
        "period": "today",
        "moment": "",
    }
    written = []
    for name in names:
        arguments = named_events()[name]
        variants = scene.revisions() if {"revision", "form"} & set(arguments) else [0]
        for revision in variants:
            usual["model_ids"] = [scene.ids["model_id"]]
            known = {**usual, **scene.ids, "revision": revision, "form": _form(scene, revision)}
            if unknown := [one for one in arguments if one.endswith("_id") and one not in known]:
                pytest.fail(f"{name}: give {unknown} a row of the first organization in this file")
            written.append((name, {one: known.get(one, "x") for one in arguments}))
    return written


async def call(scene: Scene, cookie: str, calls: list[tuple[str, dict[str, Any]]]) -> str:
    """Call events one after the other in a tab, until the last is done; return everything that came back."""
    name = f"every-event-{abs(hash((cookie, tuple(one for one, _ in calls))))}"
    async with a_tab(scene.console.url, cookie=cookie, name=name, path="/overview") as tab:
        await tab.begin()
        for number, (one, arguments) in enumerate(calls):
            await tab.send(event(one, **arguments))
            await _until_done(tab, Locale.CHINESE if number % 2 == 0 else Locale.ENGLISH)
        return tab.words


async def _until_done(tab: RawTab, mark: Locale) -> None:
    """Wait for the end of what was sent: a tab's events run in order, and this one changes the language it shows."""
    seen = len(tab.received)
    await tab.send(event(STORAGE, vars={f"{LocaleState.get_full_name()}.chosen{FIELD_MARKER}": mark.value}))

    def is_marked() -> bool:
        deltas = [update.get("delta") or {} for update in tab.received[seen:]]
        shown = [delta.get(LocaleState.get_full_name(), {}) for delta in deltas]
        return any(changed.get(f"code{FIELD_MARKER}") == mark for changed in shown)

    await tab.until(is_marked)


def changes(before: Rows, after: Rows) -> dict[str, set[tuple[Any, ...]]]:
    """Return the rows that are in one of two databases only."""
    found = {name: before.get(name, set()) ^ after.get(name, set()) for name in before.keys() | after.keys()}
    return {name: rows for name, rows in found.items() if rows}


class TestEveryEvent:
    def test_is_found(self) -> None:
        registered = RegistrationContext.ensure_context().event_handlers
        ours = {name for name, one in registered.items() if required_role(one.handler) not in {None, Role.NOBODY}}
        assert set(named_events()) == ours
        assert named_events()[_event("reviews_state.take")] == ["case_id", "revision"]
        assert named_events()[_event("keys_state.select")] == ["api_key_id"]

    @pytest.mark.parametrize("who", list(MAY))
    async def test_has_no_effect_for_whoever_must_not_call_it(self, scene: Scene, who: str) -> None:
        registered = RegistrationContext.ensure_context().event_handlers
        names = [name for name in named_events() if required_role(registered[name].handler) not in MAY[who]]
        assert len(names) >= 10
        cookie = "onetoken=made-up" if who == "nobody" else await scene.cookie_of(scene.email_of(who))
        before = scene.rows()
        received = await call(scene, cookie, calls_of(scene, names))
        assert changes(before, scene.rows()) == {}
        if who not in MEMBERS:
            assert _secrets(scene, received) == []

    async def test_has_no_effect_on_another_organization(self, scene: Scene) -> None:
        cookie = await scene.cookie_of(OTHER)
        before = scene.rows()
        received = await call(scene, cookie, calls_of(scene, list(named_events())))
        of_everybody = {scene.ids[one] for one in ("model_id", "channel_id", "draft_id", "terms_id", "package_id")}
        first = set(scene.ids.values()) - of_everybody | _people(scene)
        reached = {
            name: row
            for name, rows in changes(before, scene.rows()).items()
            for row in rows
            if first & set(map(str, row))
        }
        assert reached == {}
        assert _secrets(scene, received) == []

    async def test_has_its_effects_when_the_right_people_call(self, scene: Scene) -> None:
        """What was sent above would have done something: this is what proves the rest."""
        touched: set[str] = set()
        for email in ("finance@ops.example", "reviewer@ops.example", OWNER):
            before = scene.rows()
            await call(scene, await scene.cookie_of(email), calls_of(scene, list(named_events())))
            touched |= {f"{email.partition('@')[0]} {name}" for name in changes(before, scene.rows())}
        assert touched >= {
            "finance payments_approval", "finance payments_order", "finance notifications_letter",
            "finance pricing_version", "finance pricing_rate", "finance pricing_draft",
            "finance pricing_plan", "finance pricing_terms_draft",
            "finance payments_refund", "finance billing_invoice", "finance payments_adjustment",
            "finance credit_package", "finance credit_grant", "finance credit_freeze", "finance billing_contract",
            "reviewer verification_case", "reviewer organizations_suspension",
            "owner verification_case", "owner keys_api_key", "owner keys_project",
            "owner organizations_membership", "owner organizations_invitation",
            "owner organizations_declared_scenario", "owner billing_invoice", "owner ledger_budget",
            "owner credit_balance_alert",
        }  # fmt: skip
        states = {state for (state,) in scene.console.installation.rows("SELECT state FROM billing_invoice")}
        assert states == {"in_work", "requested", "withdrawn"}


def _people(scene: Scene) -> set[str]:
    """Return the ids of the first organization's members."""
    query = f"SELECT person_id FROM organizations_membership WHERE organization_id = '{scene.ids['organization_id']}'"
    return {str(found) for (found,) in scene.console.installation.rows(query)}


def _secrets(scene: Scene, received: str) -> list[str]:
    """Return what came back of the first organization that was not sent."""
    ((reference,),) = scene.console.installation.rows("SELECT reference_code FROM payments_order ORDER BY id LIMIT 1")
    own = [
        "Test Ltd",
        reference,
        "developer@test.example",
        "han@company.example",
        "paper.pdf",
        "Wang Fang",
        INVOICES_TO,
    ]
    return [words for words in own if re.search(re.escape(words), received)]
