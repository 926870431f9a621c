"""Venues and the contract they share; its assertions are explained like those of tests."""

import pytest

pytest.register_assert_rewrite("tests.venue.perp.bench", "tests.venue.perp.contract", "tests.venue.perp.contract_edges")
