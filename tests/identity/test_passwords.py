"""Passwords: hashed at the stated cost, two at a time, silent about who exists."""

import asyncio
import threading

import pytest

from onetoken_app.identity import passwords
from onetoken_app.identity.passwords import (
    PASSWORD_CHARACTERS_MAX,
    WeakPassword,
    check_password_rules,
    hash_password,
    verify_password,
)

PASSWORD = "correct horse battery"


class TestHashPassword:
    async def test_is_argon2id_at_the_floor(self) -> None:
        assert (await hash_password(PASSWORD)).startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    async def test_the_same_password_has_another_hash_each_time(self) -> None:
        assert await hash_password(PASSWORD) != await hash_password(PASSWORD)

    async def test_fits_the_column(self) -> None:
        assert len(await hash_password("密" * PASSWORD_CHARACTERS_MAX)) <= 256

    async def test_at_most_two_are_hashed_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        running, most, lock = 0, 0, threading.Lock()

        class Hasher:
            @staticmethod
            def hash(password: str) -> str:
                nonlocal running, most
                with lock:
                    running += 1
                    most = max(most, running)
                sum(range(200_000))
                with lock:
                    running -= 1
                return password

        monkeypatch.setattr(passwords, "_hasher", Hasher)
        await asyncio.gather(*(hash_password(PASSWORD) for _ in range(20)))
        assert 1 <= most <= 2


class TestVerifyPassword:
    async def test_knows_the_password(self) -> None:
        assert await verify_password(PASSWORD, await hash_password(PASSWORD))

    @pytest.mark.parametrize(
        "wrong", ["", "Correct horse battery", PASSWORD + " ", PASSWORD + "\0", "\ud800" * 12, "x" * 10_000]
    )
    async def test_refuses_another(self, wrong: str) -> None:
        assert not await verify_password(wrong, await hash_password(PASSWORD))

    async def test_nobody_is_refused_at_the_same_cost(self) -> None:
        assert not await verify_password(PASSWORD, None)
        costs = (await hash_password(PASSWORD)).split("$")[1:4]
        assert passwords._NOBODYS_HASH.split("$")[1:4] == costs

    async def test_the_loop_goes_on_meanwhile(self) -> None:
        verifying = asyncio.create_task(verify_password(PASSWORD, None))
        turns = 0
        while not verifying.done():
            turns += 1
            await asyncio.sleep(0)
        assert turns > 10


class TestCheckPasswordRules:
    @pytest.mark.parametrize("password", ["x1" * 6, "y2" * 128, "密码密码密码密码密码密码"])
    def test_admits_what_is_long_enough(self, password: str) -> None:
        check_password_rules(password, email="owner@bench.example")

    @pytest.mark.parametrize(
        "password",
        [
            pytest.param("x1" * 5, id="too short"),
            pytest.param("y2" * 129, id="too long"),
            pytest.param("Owner@Bench.example", id="the e-mail address"),
            pytest.param("a" * 20, id="one character"),
            pytest.param("x1" * 6 + "\0", id="a NUL"),
            pytest.param("x1" * 6 + "\ud800", id="half a surrogate pair"),
        ],
    )
    def test_refuses(self, password: str) -> None:
        with pytest.raises(WeakPassword):
            check_password_rules(password, email="owner@bench.example")
