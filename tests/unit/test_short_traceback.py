"""What a user sees of an error: their own line, and the message."""

import inspect
import pickle
import traceback
import warnings

import pytest

import funnelkit as fk
from funnelkit.errors import with_short_traceback


def test_an_error_shows_the_line_that_calls_and_none_of_the_frames_inside():
    with pytest.raises(fk.UnknownNameError) as told:
        fk.evaluate(fk.demo(), "revenu")
    frames = traceback.extract_tb(told.value.__traceback__)
    assert [frame.name for frame in frames][1:] == ["called"]
    assert frames[0].filename == __file__


def test_the_cause_of_an_error_is_kept_and_other_errors_are_left_alone():
    def fails(error):
        raise error from OSError("no disk")

    with pytest.raises(fk.DataError) as told:
        with_short_traceback(fails)(fk.DataError("it is empty"))
    assert isinstance(told.value.__cause__, OSError)
    with pytest.raises(ZeroDivisionError) as own:
        with_short_traceback(fails)(ZeroDivisionError())
    assert len(traceback.extract_tb(own.value.__traceback__)) == 3


def test_a_public_function_keeps_its_name_its_signature_and_can_be_pickled():
    assert "shop" in inspect.signature(fk.evaluate).parameters
    assert (fk.evaluate.__module__, fk.evaluate.__qualname__) == ("funnelkit", "evaluate")
    assert fk.evaluate.__doc__.startswith("Compute metrics of a shop.")
    assert pickle.loads(pickle.dumps(fk.evaluate)) is fk.evaluate


def test_a_warning_points_at_the_line_that_asks():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fk.evaluate(fk.demo(), "new_customers", start="2022-06-01")
    files = {warning.filename for warning in caught}
    assert files <= {__file__}
    assert caught
