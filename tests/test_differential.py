"""The model against closed forms: one trial for each of 250 random settings of each case, 2 750 in all."""

import pytest
from closed_form_oracle import CASES, Setting

_SETTINGS = 250


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_model_is_the_closed_form(case):
    for number in range(_SETTINGS):
        setting = Setting.draw(number)
        try:
            case(setting)
        except AssertionError as error:
            raise AssertionError(f"{setting}: {error}") from None
