"""Where networks run."""

from __future__ import annotations

import pytest

from benchsuite.core.errors import SuiteError
from benchsuite.estimators.torchtools.devices import check_device


def test_a_device_that_is_not_there_is_refused_in_one_line():
    check_device("cpu")
    for name in ("no device", "meta:x", "cuda:99"):
        with pytest.raises(SuiteError, match="cannot be used here") as caught:
            check_device(name)
        assert "\n" not in str(caught.value)
