"""What the form of an adjustment says: an amount, and which way it goes."""

import pytest

from onetoken_app.console.adjustments import amount_of
from onetoken_app.errors import BadRequest
from onetoken_app.money import NANOS_PER_UNIT


class TestAmountOf:
    @pytest.mark.parametrize(("direction", "sign"), [("give", 1), ("take", -1)])
    def test_goes_the_way_that_was_chosen(self, direction: str, sign: int) -> None:
        assert amount_of({"amount": "12.50", "direction": direction}) == sign * 12_500_000_000

    @pytest.mark.parametrize("direction", [None, "", "Take", ["take"]])
    def test_a_form_that_does_not_say_which_way_gives_nothing(self, direction: object) -> None:
        with pytest.raises(BadRequest) as caught:
            amount_of({"amount": "12.50", "direction": direction})
        assert caught.value.parameter == "direction"

    @pytest.mark.parametrize("amount", ["", "-1", "1,5", "1e3", "∞"])
    def test_what_is_no_plain_amount_is_refused(self, amount: str) -> None:
        with pytest.raises(BadRequest) as caught:
            amount_of({"amount": amount, "direction": "give"})
        assert caught.value.parameter == "amount"

    def test_nothing_is_left_to_a_float(self) -> None:
        assert amount_of({"amount": "0.07", "direction": "give"}) == 7 * NANOS_PER_UNIT // 100
