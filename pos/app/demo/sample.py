"""The sample shop: its settings and its products."""

from __future__ import annotations

from pathlib import Path

from pos.app.products import read_csv
from pos.domain.catalogue import Product

SAMPLE = Path(__file__).resolve().parents[3] / "resources" / "samples" / "cafe.csv"


def sample_products(currency: str) -> list[Product]:
    products, _ = read_csv(SAMPLE, currency)
    return products


def settings_text(bank: str, relay: str, public: str = "") -> str:
    """`settings.toml` of the sample shop, which sells through two gateways; no secret stands in it."""
    public_line = f'public_url = "{public}"\n' if public else ""
    return f"""[shop]
name = "Corner Café"
currency = "INR"
time_zone = "Asia/Kolkata"
locale = "en_IN"

[till]
id = "2"

[relay]
url = "{relay}"
{public_line}
[sync]
every_minutes = 5
look_back_hours = 24

[people]
open_pass = true

[gateways.stripe]
mode = "test"
api_base = "{bank}"

[gateways.razorpay]
mode = "test"
api_base = "{bank}"
"""
