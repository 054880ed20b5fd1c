"""A forgotten password: a link by mail, a new password, every browser signed out."""

import asyncio

from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.callers import find_caller, forget_everybody
from onetoken_app.settings import Settings
from tests.console.asgi_calls import Answered, post
from tests.console.conftest import PASSWORD, a_signed_in
from tests.console.mails import mailed_secret, mails

NEW_PASSWORD = "another horse another day"
RESET = "/account/password/reset"


async def sign_in(routes: AccountRoutes, email: str, password: str) -> Answered:
    """Sign in from an address of its own."""
    return await post(routes, "/account/sign-in", {"email": email, "password": password}, peer="192.0.2.44")


class TestForgotten:
    async def test_a_stranger_cannot_tell_whether_an_address_is_known(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        person = await a_signed_in(routes)
        known = await post(routes, "/account/password/forgotten", {"email": person.email})
        unknown = await post(routes, "/account/password/forgotten", {"email": "no@company.example"})
        assert (known.status, known.body) == (unknown.status, unknown.body) == (202, b"{}")
        subjects = {letter.recipient: letter.subject for letter in await mails(sqlite_settings)}
        assert subjects == {
            person.email: "Choose a new OneToken password",
            "no@company.example": "There is no OneToken account under this address",
        }


class TestReset:
    async def test_the_new_password_signs_in_and_every_browser_is_signed_out(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        person = await a_signed_in(routes)
        await post(routes, "/account/password/forgotten", {"email": person.email})
        secret = await mailed_secret(sqlite_settings)
        look = await post(routes, "/account/password/look", {"secret": secret})
        assert look.json == {"email": person.email}
        assert (await post(routes, RESET, {"secret": secret, "password": NEW_PASSWORD})).status == 200
        forget_everybody()
        assert await find_caller(person.cookie) is None
        assert (await sign_in(routes, person.email, PASSWORD)).status == 401
        assert (await sign_in(routes, person.email, NEW_PASSWORD)).status == 200
        (told,) = await mails(sqlite_settings)
        assert (told.recipient, told.subject) == (person.email, "Your OneToken password was changed")

    async def test_the_owner_gets_in_although_somebody_guessed(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        person = await a_signed_in(routes)
        for number in range(8):
            guess = {"email": person.email, "password": "guess"}
            await post(routes, "/account/sign-in", guess, peer=f"192.0.2.{number}")
        await post(routes, "/account/password/forgotten", {"email": person.email})
        secret = await mailed_secret(sqlite_settings)
        assert (await post(routes, RESET, {"secret": secret, "password": NEW_PASSWORD})).status == 200
        assert (await sign_in(routes, person.email, NEW_PASSWORD)).status == 200

    async def test_a_weak_password_leaves_the_link_good(self, routes: AccountRoutes, sqlite_settings: Settings) -> None:
        person = await a_signed_in(routes)
        await post(routes, "/account/password/forgotten", {"email": person.email})
        secret = await mailed_secret(sqlite_settings)
        for password, code in (
            ("short", "weak_password"),
            ("password1234", "common_password"),
            ("pat@test.example", "personal_password"),
            ("test ltd 2026", "personal_password"),
        ):
            weak = await post(routes, RESET, {"secret": secret, "password": password})
            assert (weak.status, weak.json["code"]) == (400, code)
        assert (await sign_in(routes, person.email, PASSWORD)).status == 200
        assert (await post(routes, RESET, {"secret": secret, "password": NEW_PASSWORD})).status == 200

    async def test_a_link_is_good_once(self, routes: AccountRoutes, sqlite_settings: Settings) -> None:
        person = await a_signed_in(routes)
        await post(routes, "/account/password/forgotten", {"email": person.email})
        form = {"secret": await mailed_secret(sqlite_settings), "password": NEW_PASSWORD}
        answers = await asyncio.gather(*(post(routes, RESET, form) for _ in range(2)))
        assert sorted(answer.status for answer in answers) == [200, 410]
        assert (await post(routes, "/account/password/look", {"secret": form["secret"]})).status == 410
