"""Writing settings: comments and order survive, nothing else changes, and nobody's writing is lost."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.app.config import FILE, parse
from pos.app.settingsfile import SettingsFile, edited
from pos.domain.errors import BadInput, Broken

TEXT = """# Corner Café, set up in May
[shop]
name = "Corner Café"   # as on the receipts
currency = "INR"

[gateways.stripe]   # the first one
mode = "test"       # until June
# left by the technician
api_base = "http://127.0.0.1:8420"

[till]
id = "2"
"""
MODES = st.sampled_from(["test", "live"])
COMMENTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=12)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.booleans(),
        "mode": MODES,
        "qr": st.sampled_from(["auto", "relay", "gateway"]),
        "rank": st.integers(0, 9),
        "api_base": st.sampled_from(["", "https://a.example", "http://127.0.0.1:1"]),
    },
)


def home(tmp_path: Path, text: str = TEXT) -> Path:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    return tmp_path


def test_one_value_changes_and_every_comment_stays(tmp_path: Path) -> None:
    settings = SettingsFile(home(tmp_path)).change([(("gateways", "stripe", "mode"), "live")])
    assert settings.gateways["stripe"].mode == "live"
    assert (tmp_path / FILE).read_text(encoding="utf-8") == TEXT.replace('mode = "test"', 'mode = "live"')


def test_a_new_gateway_and_a_new_section_are_written_where_there_were_none(tmp_path: Path) -> None:
    file = SettingsFile(home(tmp_path, '[shop]\nname = "A"\n'))
    file.change([(("gateways", "stripe", "mode"), "test"), (("sync", "every_minutes"), 10.0)])
    settings = file.read()
    assert (settings.gateways["stripe"].mode, settings.sync.every_minutes) == ("test", 10.0)
    assert file.change([(("gateways", "stripe"), None)]).gateways == {}


def test_what_cannot_work_is_not_written(tmp_path: Path) -> None:
    file = SettingsFile(home(tmp_path))
    with pytest.raises(BadInput) as caught:
        file.change([(("gateways", "acme", "mode"), "live")])
    assert "cannot share books" in caught.value.title
    assert (tmp_path / FILE).read_text(encoding="utf-8") == TEXT
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_mode_and_link_of_the_file_stay(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere"
    real.mkdir()
    (home(real) / FILE).chmod(0o640)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / FILE).symlink_to(real / FILE)
    SettingsFile(tmp_path / "home").change([(("till", "id"), "3")])
    assert (tmp_path / "home" / FILE).is_symlink()
    assert stat.S_IMODE((real / FILE).stat().st_mode) == 0o640
    assert 'id = "3"' in (real / FILE).read_text(encoding="utf-8")


class Busy(SettingsFile):
    """Somebody saves the file between our reading and our writing, `times` times."""

    def __init__(self, home: Path, times: int) -> None:
        super().__init__(home)
        self.path = home / FILE
        self.times = times

    def _bytes(self) -> bytes:
        read = super()._bytes()
        if self.times:
            self.times -= 1
            self.path.write_bytes(read + f"# saved {self.times}\n".encode())
        return read


def test_a_file_that_changed_meanwhile_is_read_again_and_not_overwritten(tmp_path: Path) -> None:
    Busy(home(tmp_path), 2).change([(("till", "id"), "7")])
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert 'id = "7"' in text
    assert "# saved 1" in text
    assert "# saved 0" in text


def test_a_file_that_never_rests_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(Broken) as caught:
        Busy(home(tmp_path), 99).change([(("till", "id"), "7")])
    assert "editor" in caught.value.hint
    assert 'id = "7"' not in (tmp_path / FILE).read_text(encoding="utf-8")


def test_a_byte_order_mark_and_windows_lines_stay(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()
    (tmp_path / FILE).write_bytes(raw)
    SettingsFile(tmp_path).change([(("gateways", "stripe", "mode"), "live")])
    assert (tmp_path / FILE).read_bytes() == raw.replace(b'mode = "test"', b'mode = "live"')


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    file = SettingsFile(home(tmp_path))
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(Broken):
            file.change([(("till", "id"), "7")])
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    "text",
    [
        'gateways.stripe.mode = "test"\n[shop]\nname = "A"\n',
        '[gateways]\nstripe = { mode = "test" }\n',
        '[gateways.stripe]\nmode = "test"\n[shop]\nname = "A"\n[gateways.acme]\nenabled = false\n',
    ],
)
def test_every_way_to_write_it_is_understood(text: str) -> None:
    changes = [(("gateways", "stripe", "qr"), "relay"), (("gateways", "acme", "enabled"), False)]
    found = tomllib.loads(edited(text, changes))["gateways"]
    assert found["stripe"] == {"mode": "test", "qr": "relay"}
    assert found["acme"]["enabled"] is False


def test_what_cannot_be_changed_safely_is_left_to_a_person() -> None:
    with pytest.raises(BadInput) as caught:
        edited('gateways = { stripe = { mode = "test" } }\n', [(("gateways", "acme", "enabled"), False)])
    assert "by hand" in caught.value.hint


@given(values=VALUES, notes=st.lists(COMMENTS, min_size=3, max_size=3), take_away=st.booleans())
def test_any_change_keeps_every_comment_and_every_other_value(
    values: dict[str, object], notes: list[str], take_away: bool
) -> None:
    text = (
        f'# {notes[0]}\n[shop]\nname = "Ä" # {notes[1]}\n\n'
        f'[gateways.stripe]\nqr = "relay"\n# {notes[2]}\n[till]\nid = "9"\n'
    )
    changes: list[tuple[tuple[str, ...], object]] = [
        (("gateways", "acme", key), value) for key, value in values.items()
    ]
    if take_away:
        changes.append((("gateways", "stripe", "qr"), None))
    after = edited(text, changes)
    for note in notes:
        assert f"# {note}" in after
    found = tomllib.loads(after)
    assert found["shop"] == {"name": "Ä"}
    assert found["till"] == {"id": "9"}
    assert found["gateways"].get("acme", {}) == values
    assert edited(after, changes) == after, "writing it twice changes nothing"
    if values.get("mode", "test") == "test":
        assert parse(after).till.id == "9"
