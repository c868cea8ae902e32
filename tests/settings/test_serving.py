from __future__ import annotations

from pathlib import Path

import pytest

from backend.settings import serving


def certificates(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text("pem")
    return folder


def test_without_an_address_models_run_in_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for unset in ("", None):
        if unset is None:
            monkeypatch.delenv("MINDTWIN_TRITON_URL", raising=False)
        else:
            monkeypatch.setenv("MINDTWIN_TRITON_URL", unset)
        assert serving.triton() is None


@pytest.mark.parametrize("url", ["127.0.0.1:8001", "localhost:1", "[::1]:8001"])
def test_on_this_machine_certificates_may_be_left_out(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("MINDTWIN_TRITON_URL", url)
    monkeypatch.setenv("MINDTWIN_TRITON_ADMIN_KEY", "")
    assert serving.triton() == {"url": url, "admin_key": None, "tls": None}


@pytest.mark.parametrize("url", ["triton:8001", "10.0.0.7:8001", "127.0.0.1.evil:8001"])
def test_elsewhere_nothing_leaves_in_the_clear(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("MINDTWIN_TRITON_URL", url)
    with pytest.raises(RuntimeError, match="set MINDTWIN_TRITON_TLS"):
        serving.triton()


def test_certificates_come_from_their_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MINDTWIN_TRITON_URL", "triton:8001")
    monkeypatch.setenv("MINDTWIN_TRITON_ADMIN_KEY", "k")
    monkeypatch.setenv("MINDTWIN_TRITON_TLS", str(certificates(tmp_path, "ca.pem")))
    with pytest.raises(RuntimeError, match=r"lacks client\.key, client\.pem"):
        serving.triton()
    certificates(tmp_path, "client.pem", "client.key")
    assert serving.triton() == {
        "url": "triton:8001",
        "admin_key": "k",
        "tls": {
            "authority": tmp_path / "ca.pem",
            "certificate": tmp_path / "client.pem",
            "key": tmp_path / "client.key",
        },
    }


def test_a_trusted_key_that_is_not_there_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MINDTWIN_TRUSTED_KEYS", "")
    assert serving.trusted_keys() == []
    key = certificates(tmp_path, "ours.pem") / "ours.pem"
    monkeypatch.setenv("MINDTWIN_TRUSTED_KEYS", f"{key},{tmp_path}")
    assert serving.trusted_keys() == [key, tmp_path]
    monkeypatch.setenv("MINDTWIN_TRUSTED_KEYS", f"{key},{tmp_path / 'gone'}")
    with pytest.raises(RuntimeError, match="MINDTWIN_TRUSTED_KEYS"):
        serving.trusted_keys()


def test_the_signing_key_is_named_by_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINDTWIN_SIGNING_KEY", raising=False)
    assert serving.signing_key() is None
    monkeypatch.setenv("MINDTWIN_SIGNING_KEY", "/run/signing_key")
    assert serving.signing_key() == Path("/run/signing_key")
