# SPDX-License-Identifier: Apache-2.0
"""Engines to run a test with, and assertions that hold under `python -O` in the helpers too."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("snp_asserts", "snp_world", "snp_evidence", "snp_vectors")

from attestcore import engines  # noqa: E402 - after the registration, before the helpers are imported


@pytest.fixture(params=engines.available())
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)
