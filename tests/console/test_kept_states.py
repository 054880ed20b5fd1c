"""How many States are kept, and how long."""

import time

import pytest
from reflex.istate.manager.token import BaseStateToken
from reflex.state import State

from onetoken_app.console import kept_states
from onetoken_app.console.kept_states import STRANGER_SECONDS, STRANGERS_MAX, TABS_PER_SESSION_MAX, KeptStates
from onetoken_app.console.session import SessionState


def named(name: str) -> BaseStateToken:
    """What Reflex finds a tab's State by."""
    return BaseStateToken(ident=name, cls=State)


async def use(kept: KeptStates, name: str, *, owner: str = "") -> None:
    """Run an event of a tab."""
    async with kept.modify_state(named(name)) as state:
        (await state.get_state(SessionState))._owner = owner


async def end(kept: KeptStates) -> None:
    """Stop looking at deadlines."""
    await kept.close()


def names(kept: KeptStates) -> set[str]:
    """Name the tabs whose States are there."""
    return {key.partition("/")[0] for key in kept.states}


class TestKeptStates:
    async def test_strangers_get_so_many_and_the_oldest_goes_first(self) -> None:
        kept = KeptStates(is_connected=lambda _name: True)
        await use(kept, "member", owner="a" * 64)
        for number in range(STRANGERS_MAX + 5):
            await use(kept, f"s{number}")
            await use(kept, "s0")
        assert len(kept.states) == STRANGERS_MAX + 1
        assert {"member", "s0", f"s{STRANGERS_MAX + 4}"} < names(kept)
        assert not {"s1", "s2", "s3", "s4", "s5"} & names(kept)
        await end(kept)

    async def test_a_session_has_so_many_tabs_and_takes_nobody_elses(self) -> None:
        kept = KeptStates(is_connected=lambda _name: False)
        await use(kept, "other", owner="b" * 64)
        for number in range(TABS_PER_SESSION_MAX + 3):
            await use(kept, f"t{number}", owner="a" * 64)
        assert len(kept.states) == TABS_PER_SESSION_MAX + 1
        assert "other" in names(kept)
        await end(kept)

    async def test_all_together_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kept_states, "STATES_MAX", 3)
        kept = KeptStates(is_connected=lambda _name: False)
        for number in range(5):
            await use(kept, f"t{number}", owner=f"{number}" * 64)
        assert names(kept) == {"t2", "t3", "t4"}
        assert len(kept._owners) == len(kept._keys_by_owner) == len(kept._token_expires_at) == 3
        await end(kept)

    async def test_none_goes_that_an_event_works_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kept_states, "STRANGERS_MAX", 1)
        kept = KeptStates(is_connected=lambda _name: False)
        async with kept.modify_state(named("busy")):
            await use(kept, "s1")
            await use(kept, "s2")
            assert names(kept) == {"busy", "s1", "s2"} - {"s1"}
        await end(kept)

    @pytest.mark.parametrize(
        ("owner", "seconds", "is_connected", "stays"),
        [
            pytest.param("", STRANGER_SECONDS + 1, False, False, id="a stranger who left"),
            pytest.param("", STRANGER_SECONDS + 1, True, True, id="a stranger who looks on"),
            pytest.param("a" * 64, STRANGER_SECONDS + 1, False, True, id="somebody who left a minute ago"),
            pytest.param("a" * 64, 3601, False, False, id="somebody who left an hour ago"),
            pytest.param("a" * 64, 86_400, True, True, id="somebody whose tab has been open for a day"),
        ],
    )
    async def test_stay_as_long_as(
        self, monkeypatch: pytest.MonkeyPatch, *, owner: str, seconds: float, is_connected: bool, stays: bool
    ) -> None:
        kept = KeptStates(is_connected=lambda _name: is_connected)
        await use(kept, "tab", owner=owner)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + seconds)
        kept._sweep()
        assert names(kept) == ({"tab"} if stays else set())
        await end(kept)
