"""The gateway contract on the Razorpay adapter, against the bank in the box as a process of its own."""

from __future__ import annotations

import pytest

from pos.gateways.contract import GatewayContract

GATEWAY = "razorpay"
pytestmark = pytest.mark.xdist_group("razorpay-sandbox")


class TestRazorpay(GatewayContract):
    """Everything every adapter must do."""
