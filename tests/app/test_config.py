"""Settings are read strictly; what cannot work is refused with its line and a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos.app.config import EXAMPLE, Settings, load, parse
from pos.domain.errors import BadInput


def test_the_example_reads() -> None:
    settings = parse(EXAMPLE)
    assert settings.shop.currency == "INR"
    assert settings.gateways["stripe"].mode == "test"
    assert settings.test_mode


def test_an_empty_file_gives_the_defaults() -> None:
    assert parse("") == Settings()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[shop]\nname = "A"\ncolour = "red"\n', "line 3"),
        ("[shop]\nname = 3\n", "line 2"),
        ('[shop]\nname = "A"\n[shopp]\n', "line 3"),
        ("[shop\n", "TOML"),
        ('[shop]\ntime_zone = "Mars/Base"\n', "line 2"),
        ('[shop]\nday_cut_off = "25:00"\n', "line 2"),
        ("[sync]\nevery_minutes = 0\n", "line 2"),
        ("[sync]\nevery_minutes = -5\n", "line 2"),
        ("[sync]\nevery_minutes = 120\nlook_back_hours = 1\n", "line 3"),
        ('[till]\nid = "a b"\n', "line 2"),
        ('[gateways.stripe]\nmode = "liive"\n', "line 2"),
        ('[gateways.stripe]\nmode = "test"\nsecret_key = "sk_x"\n', "line 3"),
        ('[shop]\ncurrency = "INR"\n[people]\nsecond_person_above = "-5"\n', "line 4"),
        ('[shop]\ncurrency = "JPY"\n[people]\nsecond_person_above = "5.50"\n', "line 4"),
        ("[people]\nsecond_person_above = 500\n", "line 2"),
        ('[shop]\ncash_tolerance = "a bit"\n', "line 2"),
        ('[shop]\ncurrency = "JPY"\npayout_tolerance = "0.50"\n', "line 3"),
        ('[people]\nopen_pass = true\n[gateways.stripe]\nmode = "live"\n', "line 2"),
    ],
)
def test_what_cannot_work_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert says in caught.value.title
    assert caught.value.hint


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(BadInput, match="currency"):
        parse('[shop]\ncurrency = "XXY"\n')


def test_no_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no shop") as caught:
        load(tmp_path)
    assert "demo" in caught.value.hint


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_bytes(b"\xef\xbb\xbf" + EXAMPLE.encode())
    assert load(tmp_path).shop.name == "Corner Café"


def test_the_limit_of_one_person_is_in_the_shops_currency() -> None:
    settings = parse('[shop]\ncurrency = "KWD"\n[people]\nsecond_person_above = "2.5"\n')
    assert (settings.second_above_minor, parse("").second_above_minor) == (2_500, None)
