"""Sign-in, sign-out and the minting of keys, past every State."""

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.audit.models import AuditEntry
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.callers import find_caller
from onetoken_app.console.http_exchange import Message
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity import service as identity
from onetoken_app.identity.models import SignInSession
from onetoken_app.keys.minting import has_valid_checksum
from onetoken_app.keys.queries import keys_of
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.settings import Settings
from tests.console.asgi_calls import ORIGIN, post
from tests.console.conftest import PASSWORD, a_signed_in
from tests.support.builders import an_organization


async def audited() -> list[tuple[str, str]]:
    """Return actions and subjects in order."""
    async with read_session() as session:
        rows = await session.exec(select(AuditEntry).order_by(AuditEntry.sequence_number))  # type: ignore[arg-type] # a column
        return [(row.action, row.subject_id) for row in rows]


class TestSignIn:
    async def test_gives_a_cookie_that_no_script_can_read(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        answer = await post(routes, "/account/sign-in", {"email": "PAT@test.example ", "password": PASSWORD})
        cookie = answer.header("set-cookie")
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        assert answer.body == b"{}"
        caller = await find_caller(answer.cookie)
        assert caller is not None
        assert caller.person.person_id == person.person_id

    async def test_demands_tls_of_the_cookie_when_browsers_come_over_tls(self, sqlite_settings: Settings) -> None:
        settings = sqlite_settings.model_copy(update={"public_url": "https://console.test.example"})
        answer = await post(AccountRoutes(settings), "/account/sign-out", {}, origin="https://console.test.example")
        assert answer.header("set-cookie").startswith("__Host-onetoken=;")
        assert "Secure" in answer.header("set-cookie")

    async def test_answers_alike_for_a_wrong_password_and_an_unknown_person(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        wrong = await post(routes, "/account/sign-in", {"email": person.email, "password": "no"}, peer="192.0.2.1")
        unknown = await post(routes, "/account/sign-in", {"email": "x@y.example", "password": "no"}, peer="192.0.2.2")
        assert (wrong.status, wrong.body) == (unknown.status, unknown.body) == (401, b'{"code":"wrong_credentials"}')

    async def test_refuses_a_disabled_person_like_a_wrong_password(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        async with unit_of_work() as session:
            await identity.disable_person(session, person_id=person.person_id)
        answer = await post(routes, "/account/sign-in", {"email": person.email, "password": PASSWORD})
        assert (answer.status, answer.json["code"]) == (401, "wrong_credentials")

    async def test_slows_guessing_down_and_says_for_how_long(self, routes: AccountRoutes) -> None:
        guess = {"email": "pat@test.example", "password": "guess"}
        answers = [await post(routes, "/account/sign-in", guess) for _ in range(12)]
        throttled = [answer for answer in answers if answer.status == 429]
        assert throttled
        assert throttled[0].json["seconds"] == int(throttled[0].header("retry-after")) > 0

    async def test_forwarded_addresses_of_strangers_do_not_help_a_guesser(self, routes: AccountRoutes) -> None:
        answers = [
            await post(
                routes, "/account/sign-in", {"email": "pat@test.example", "password": "guess"},
                headers=((b"x-forwarded-for", f"203.0.113.{number}".encode()),),
            )
            for number in range(12)
        ]  # fmt: skip
        assert answers[-1].status == 429

    async def test_ends_the_session_that_the_browser_had(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        again = await post(
            routes, "/account/sign-in", {"email": person.email, "password": PASSWORD}, cookie=person.cookie
        )
        assert again.cookie != person.cookie
        assert await find_caller(person.cookie) is None
        assert await find_caller(again.cookie) is not None

    async def test_leaves_lines_that_name_no_stranger(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        await post(routes, "/account/sign-in", {"email": "stranger@y.example", "password": "no"})
        assert await audited() == [("signed_in", person.person_id), ("sign_in_failed", "")]
        async with read_session() as session:
            facts = [row.facts for row in await session.exec(select(AuditEntry))]
        assert "stranger" not in "".join(facts)


class TestEveryRoute:
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://localhost:8000.evil.example"])
    async def test_refuses_a_page_of_another_site(self, routes: AccountRoutes, origin: str) -> None:
        assert len(routes._routes) >= 13
        for path in routes._routes:
            answer = await post(routes, path, {}, origin=origin)
            assert (answer.status, answer.json["code"]) == (403, "foreign_origin")

    async def test_refuses_an_empty_form_without_breaking(self, routes: AccountRoutes) -> None:
        for path in routes._routes.keys() - {"/account/sign-out"}:
            answer = await post(routes, path, {})
            assert (answer.status, answer.json["code"]) == (400, "invalid_request"), path

    async def test_refuses_members_of_other_types_without_breaking(self, routes: AccountRoutes) -> None:
        members = (
            "email", "party", "secret", "password", "name", "title", "organization_name", "registration_code",
            "country", "scenarios", "accepted", "locale", "organization_id", "role", "invitation_id", "currency",
            "time_zone",
        )  # fmt: skip
        values: tuple[object, ...] = (1, None, [], {}, [[]], {"a": {}}, "\ud800", "\0", "x" * 3000)
        for path in routes._routes.keys() - {"/account/sign-out"}:
            for value in values:
                answer = await post(routes, path, dict.fromkeys(members, value))
                assert 400 <= answer.status < 500, (path, value)

    async def test_accepts_each_name_of_this_machine(self, routes: AccountRoutes) -> None:
        for origin in (ORIGIN, "http://127.0.0.1:8000"):
            assert (await post(routes, "/account/sign-out", {}, origin=origin)).status == 200

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            pytest.param(b"email=a&password=b", "application/x-www-form-urlencoded", 415, id="a form of the browser"),
            pytest.param(b"{", "application/json", 400, id="broken JSON"),
            pytest.param(b"[" * 4000, "application/json", 400, id="deep JSON"),
            pytest.param(b"[]", "application/json", 400, id="no object"),
            pytest.param(b'{"email": 1, "password": 2}', "application/json", 400, id="wrong types"),
            pytest.param(b'{"a": "' + b"x" * 5000 + b'"}', "application/json", 413, id="over 4 KiB"),
        ],
    )
    async def test_refuses_odd_bodies(self, routes: AccountRoutes, body: bytes, content_type: str, status: int) -> None:
        assert (await post(routes, "/account/sign-in", body, content_type=content_type)).status == status

    async def test_refuses_other_methods_and_paths(self, routes: AccountRoutes) -> None:
        assert (await post(routes, "/account/sign-in", {}, method="GET")).status == 405
        assert (await post(routes, "/account/nothing", {})).status == 404

    async def test_lets_no_cache_keep_an_answer(self, routes: AccountRoutes) -> None:
        assert (await post(routes, "/account/sign-out", {})).header("cache-control") == "no-store"

    async def test_what_breaks_tells_the_browser_nothing_and_the_log_which_route(
        self, routes: AccountRoutes, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async def breaks() -> Message:
            raise RuntimeError("PLANTED")

        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        origin = [(b"origin", ORIGIN.encode()), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/account/sign-in", "headers": origin}
        await routes(scope, breaks, keep)
        assert (sent[0]["status"], sent[1]["body"]) == (500, b'{"code":"internal_error"}')
        written = capsys.readouterr()
        assert "account_route_failed" in written.out + written.err
        assert "path=/account/sign-in" in written.out + written.err


class TestSignOut:
    async def test_ends_the_session_at_once(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        answer = await post(routes, "/account/sign-out", {}, cookie=person.cookie)
        assert "Max-Age=0" in answer.header("set-cookie")
        assert await find_caller(person.cookie) is None
        assert (await audited())[-1] == ("signed_out", person.person_id)

    async def test_does_nothing_for_nobody(self, routes: AccountRoutes) -> None:
        assert (await post(routes, "/account/sign-out", {}, cookie="onetoken=unknown")).status == 200
        assert await audited() == []


class TestMintKey:
    async def test_gives_the_secret_in_the_answer_and_keeps_none(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        form = {"organization_id": person.organization_id, "name": "app", "expires_in_days": 30, "model_ids": None}
        answer = await post(routes, "/account/keys", form, cookie=person.cookie)
        assert answer.status == 201
        assert has_valid_checksum(answer.json["secret"])
        async with read_session() as session:
            (key,) = await keys_of(session, person.organization_id)
        assert key.created_by == person.person_id
        assert key.expires_at is not None
        assert (key.expires_at - clock.utc_now()).days in {29, 30}
        assert (await audited())[-1] == ("api_key_minted", key.id)

    @pytest.mark.parametrize("role", [OrganizationRole.VIEWER, OrganizationRole.BILLING])
    async def test_refuses_a_role_that_does_not_look_after_keys(
        self, routes: AccountRoutes, role: OrganizationRole
    ) -> None:
        person = await a_signed_in(routes, role=role)
        form = {"organization_id": person.organization_id, "name": "app"}
        assert (await post(routes, "/account/keys", form, cookie=person.cookie)).status == 403

    async def test_refuses_another_organization(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        async with unit_of_work() as session:
            other = await an_organization(session)
        form = {"organization_id": other, "name": "app"}
        assert (await post(routes, "/account/keys", form, cookie=person.cookie)).status == 403
        async with read_session() as session:
            assert await keys_of(session, other) == []

    async def test_refuses_nobody(self, routes: AccountRoutes) -> None:
        assert (await post(routes, "/account/keys", {"organization_id": "org_x", "name": "a"})).status == 401

    @pytest.mark.parametrize(
        "odd",
        [
            {"expires_in_days": 0}, {"expires_in_days": True}, {"expires_in_days": "30"}, {"expires_in_days": 10**9},
            {"model_ids": "all"}, {"model_ids": [1]}, {"name": None},
        ],
        ids=str,
    )  # fmt: skip
    async def test_refuses_odd_forms(self, routes: AccountRoutes, odd: dict[str, object]) -> None:
        person = await a_signed_in(routes)
        form = {"organization_id": person.organization_id, "name": "app"} | odd
        assert (await post(routes, "/account/keys", form, cookie=person.cookie)).status == 400

    async def test_says_that_a_name_is_taken(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        form = {"organization_id": person.organization_id, "name": "app"}
        await post(routes, "/account/keys", form, cookie=person.cookie)
        again = await post(routes, "/account/keys", form, cookie=person.cookie)
        assert (again.status, again.json["code"]) == (409, "conflict")


class TestSession:
    async def test_only_a_digest_of_the_secret_is_stored(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        secret = person.cookie.partition("=")[2]
        async with read_session() as session:
            (row,) = await session.exec(select(SignInSession))
        assert secret.encode() not in row.secret_digest
        assert row.secret_digest == identity.session_digest(secret)
