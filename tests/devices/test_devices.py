"""Sound, paper and files: real small devices, and plain words when one is missing."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import stat
import threading
import wave
from pathlib import Path

import pytest

from pos.devices import tones
from pos.devices.desk import MachineDesk
from pos.devices.printer import EscPosPrinter, NoPrinter, printer, slip
from pos.devices.sound import SOUNDS, Speaker
from pos.domain.errors import Broken, Unreachable

WAIT_S = 5.0


@pytest.mark.parametrize("name", tones.SOUNDS)
def test_every_sound_is_the_one_that_is_made(name: str) -> None:
    assert (SOUNDS / f"{name}.wav").read_bytes() == tones.sound(name)


@pytest.mark.parametrize("name", tones.SOUNDS)
def test_a_sound_is_short_quiet_and_whole(name: str) -> None:
    with wave.open(io.BytesIO(tones.sound(name))) as file:
        assert file.getnframes() / file.getframerate() < 0.6
        samples = memoryview(file.readframes(file.getnframes())).cast("h")
    assert 0 < max(samples) < 16_000
    assert samples[0] == samples[-1] == 0


def player(folder: Path) -> tuple[str, Path]:
    """A player that writes down what it was asked to play."""
    heard, script = folder / "heard", folder / "player"
    script.write_text(f'#!/bin/sh\necho "$1" >> {heard}\n', encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script), heard


def test_a_sound_is_played_by_the_machines_player(tmp_path: Path) -> None:
    script, heard = player(tmp_path)
    speaker = Speaker(player=script)
    speaker.play("paid")
    assert speaker._playing is not None
    speaker._playing.wait(WAIT_S)
    assert heard.read_text(encoding="utf-8").strip() == str(SOUNDS / "paid.wav")
    speaker.hush()


def test_a_player_gets_no_keys_to_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody's program may stand behind that name."""
    script, heard = tmp_path / "player", tmp_path / "heard"
    script.write_text(f"#!/bin/sh\nenv > {heard}\n", encoding="utf-8")
    script.chmod(0o700)
    for name in ("POS_SECRET_GATEWAYS_STRIPE_SECRET_KEY", "POS_SECRETS_FILE", "pos_secret_relay_till_token"):
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("PULSE_SERVER", "unix:/run/here")
    speaker = Speaker(player=str(script))
    speaker.play("paid")
    assert speaker._playing is not None
    speaker._playing.wait(WAIT_S)
    told = heard.read_text(encoding="utf-8")
    assert "canary" not in told
    assert "PULSE_SERVER=unix:/run/here" in told
    speaker.hush()


def test_a_new_sound_cuts_the_last_short(tmp_path: Path) -> None:
    script = tmp_path / "slow"
    script.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    script.chmod(0o700)
    speaker = Speaker(player=str(script))
    speaker.play("paid")
    first = speaker._playing
    assert first is not None
    speaker.play("error")
    assert first.returncode is not None
    speaker.hush()
    assert speaker._playing is None


@pytest.mark.parametrize("found", ["", "/no/such/player"])
def test_silence_is_no_error(found: str) -> None:
    Speaker(player=found).play("paid")


def test_an_unknown_sound_is_silence(tmp_path: Path) -> None:
    speaker = Speaker(player=player(tmp_path)[0])
    speaker.play("no-such-sound")
    assert speaker._playing is None


# Paper ----------------------------------------------------------------------------------------------------------------


def test_a_slip_is_escpos_and_ends_with_a_cut() -> None:
    data = slip("Receipt", ["Flat white   360.00 €", "\x1b@ evil\x07"])
    assert data.startswith(b"\x1b@")
    assert data.endswith(b"\x1dV\x42\x00")
    assert "360.00 €".encode("cp858") in data
    assert data.count(b"\x1b@") == 1, "a product's name must not command the printer"


def test_a_network_printer_gets_every_byte() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WAIT_S)
        got: list[bytes] = []

        def take() -> None:
            connection, _ = server.accept()
            with connection:
                while part := connection.recv(4096):
                    got.append(part)

        thread = threading.Thread(target=take)
        thread.start()
        EscPosPrinter(f"127.0.0.1:{server.getsockname()[1]}").print_slip("Receipt", ["one", "two"])
        thread.join(WAIT_S)
    assert b"".join(got) == slip("Receipt", ["one", "two"])


def test_a_printer_that_does_not_answer_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable) as caught:
        EscPosPrinter(f"127.0.0.1:{port}").print_slip("Receipt", ["one"])
    assert caught.value.hint


def test_a_printer_at_a_device_file(tmp_path: Path) -> None:
    device = tmp_path / "lp0"
    device.touch()
    EscPosPrinter(str(device)).print_slip("Receipt", ["one"])
    assert device.read_bytes() == slip("Receipt", ["one"])


def test_no_printer_says_what_to_do_instead() -> None:
    assert isinstance(printer(""), NoPrinter)
    with pytest.raises(Unreachable, match="PDF"):
        printer("").print_slip("Receipt", [])


# Files ----------------------------------------------------------------------------------------------------------------


def desk(home: Path) -> MachineDesk:
    return MachineDesk(home, Speaker(player=""), printer(""))


def test_a_file_is_kept_whole_in_the_homes_receipts(tmp_path: Path) -> None:
    path = asyncio.run(desk(tmp_path).save("receipt-1-00001.pdf", b"%PDF"))
    assert Path(path) == tmp_path / "receipts" / "receipt-1-00001.pdf"
    assert [entry.name for entry in (tmp_path / "receipts").iterdir()] == ["receipt-1-00001.pdf"]


def test_a_name_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    path = asyncio.run(desk(tmp_path).save("../../etc/evil", b"x"))
    assert Path(path) == tmp_path / "receipts" / "evil"


def test_a_disk_that_does_not_take_it_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "receipts").write_text("in the way", encoding="utf-8")
    with pytest.raises(Broken) as caught:
        asyncio.run(desk(tmp_path).save("a.pdf", b"x"))
    assert caught.value.hint
    assert os.listdir(tmp_path) == ["receipts"]
