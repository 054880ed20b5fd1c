"""Passwords: hashed at the stated cost, two at a time, silent about who exists."""

import asyncio
import threading

import pytest

from onetoken_app.identity import password_strength, passwords
from onetoken_app.identity.passwords import (
    PASSWORD_CHARACTERS_MAX,
    CommonPassword,
    PersonalPassword,
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
    @pytest.mark.parametrize(
        "password",
        [
            pytest.param("nine red kites", id="unrelated words"),
            pytest.param("kV8#qz!mT2pw", id="twelve characters at random"),
            pytest.param("白马过桥听雨声落满山前门外", id="words of another language"),
            pytest.param("owner of nine red kites and a boat", id="long, and the name is little of it"),
            pytest.param("x7Qp" * 3 + "nine red kites over the bay" * 8, id="as long as may be"),
        ],
    )
    async def test_admits(self, password: str) -> None:
        await check_password_rules(password, email="owner@bench.example", known_as=["Pat Li", "Lantern Ltd"])

    @pytest.mark.parametrize(
        "password",
        [
            pytest.param("x1" * 5, id="too short"),
            pytest.param("y2" * 129, id="too long"),
            pytest.param("x1" * 6 + "\0", id="a NUL"),
            pytest.param("x1" * 6 + "\ud800", id="half a surrogate pair"),
        ],
    )
    async def test_refuses_what_cannot_be_one(self, password: str) -> None:
        with pytest.raises(WeakPassword) as caught:
            await check_password_rules(password, email="owner@bench.example")
        assert caught.value.code == "weak_password"

    @pytest.mark.parametrize(
        "password",
        [
            pytest.param("password1234", id="a common one with a number"),
            pytest.param("P@ssw0rd2026", id="with signs for letters and a year"),
            pytest.param("qwertyuiop12", id="a row of keys"),
            pytest.param("123456789012", id="a count"),
            pytest.param("a" * 20, id="one character"),
            pytest.param("y2" * 100, id="a repetition"),
            pytest.param("密码密码密码密码密码密码", id="a repetition in another language"),
            pytest.param("iloveyou2026", id="a sentence that everybody knows"),
        ],
    )
    async def test_refuses_what_is_common(self, password: str) -> None:
        with pytest.raises(CommonPassword, match="easily guessed"):
            await check_password_rules(password, email="owner@bench.example")

    @pytest.mark.parametrize(
        "password",
        [
            pytest.param("Owner@Bench.example", id="the address"),
            pytest.param("patli19900101", id="the name and a birthday"),
            pytest.param("Lantern2026!!", id="the organization and a year"),
            pytest.param("北京示例科技有限公司2026", id="the organization in Chinese"),
            pytest.param("onetoken2026", id="what it is for"),
        ],
    )
    async def test_refuses_what_is_known_of_the_person(self, password: str) -> None:
        with pytest.raises(PersonalPassword, match="name"):
            await check_password_rules(
                password, email="owner@bench.example", known_as=["Pat Li", "Lantern Ltd", "北京示例科技有限公司"]
            )

    def test_what_is_measured_is_bounded(self) -> None:
        signs = "@({[<!|$+%"
        measured = password_strength._measured(signs * 25)
        assert len(measured) == password_strength.MEASURED_CHARACTERS_MAX
        assert set(measured) == {*signs[:3], "_"}
        assert len(password_strength.personal_parts(["a b " * 1_000, *map(str, range(10_000))])) <= 40
