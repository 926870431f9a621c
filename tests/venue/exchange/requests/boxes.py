"""Marks a test with the boxes of the seed (avitus-two-step) that it proves; the test's id carries them."""

import pytest


def box(*names: str) -> pytest.MarkDecorator:
    """Runs the test once per box, e.g. `deposit.execute.j`; the test takes the argument `box`."""
    return pytest.mark.parametrize("box", names, ids=names)
