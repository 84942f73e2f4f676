"""The same shop and bank as the services' tests."""

from __future__ import annotations

from tests.services.conftest import bank, bank_server, shop

__all__ = ["bank", "bank_server", "shop"]
