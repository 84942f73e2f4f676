"""The gateway contract on the Stripe adapter, against the bank in the box as a process of its own."""

from __future__ import annotations

import pytest

from pos.gateways.contract import GatewayContract

pytestmark = pytest.mark.xdist_group("gateway-sandbox")


class TestStripe(GatewayContract):
    """Everything every adapter must do."""
