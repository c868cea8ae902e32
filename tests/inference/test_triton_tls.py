"""Mutual TLS between us and Triton."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from backend.inference.triton_process import ServerTls, TritonProcess
from tests.triton import SHIPPED, as_inputs, golden_case, triton_of

MODEL = "symptom_xgboost"
VERSION = max(int(path.name) for path in (SHIPPED / MODEL).glob("[0-9]*"))
Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(name: str, folder: Path, signer: Signed | None = None) -> Signed:
    """An hour's certificate for 127.0.0.1 in <name>.pem, its key in <name>.key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = (signer[0].subject, signer[1]) if signer else (subject, key)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(signer is None, None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]),
            critical=False,
        )
        .sign(signing, hashes.SHA256())
    )
    text = serialization.Encoding.PEM
    (folder / f"{name}.pem").write_bytes(made.public_bytes(text))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            text,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made, key


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonProcess]:
    """A server that speaks mutual TLS only; beside it lies a stranger's certificate."""
    folder = tmp_path_factory.mktemp("tls")
    root = certificate("root", folder)
    for name in ("server", "client"):
        certificate(name, folder, root)
    certificate("stranger", folder, certificate("other", folder))
    tls = ServerTls(
        certificate=folder / "server.pem",
        key=folder / "server.key",
        root=folder / "root.pem",
        client_certificate=folder / "client.pem",
        client_key=folder / "client.key",
    )
    models = {MODEL: [VERSION]}
    with triton_of(SHIPPED, folder, tls=tls, models=models) as running:
        yield running


def test_triton_serves_who_shows_a_certificate(guarded: TritonProcess) -> None:
    inputs, expected = golden_case(MODEL, VERSION)
    with contextlib.closing(guarded.client()) as client:
        answer = client.infer(MODEL, as_inputs(inputs), client_timeout=10)
    for name, known in expected.items():
        np.testing.assert_allclose(answer.as_numpy(name), known, atol=1e-4)


@pytest.mark.parametrize("who", ["plain text", "no certificate", "stranger"])
def test_triton_refuses_everyone_else(guarded: TritonProcess, who: str) -> None:
    tls = guarded.options.tls
    assert tls
    shown = str(tls.root.with_name("stranger")) if who == "stranger" else None
    client = InferenceServerClient(
        guarded.grpc_url,
        ssl=who != "plain text",
        root_certificates=None if who == "plain text" else str(tls.root),
        certificate_chain=shown and f"{shown}.pem",
        private_key=shown and f"{shown}.key",
    )
    inputs, _ = golden_case(MODEL, VERSION)
    with (
        contextlib.closing(client),
        pytest.raises(InferenceServerException, match="UNAVAILABLE"),
    ):
        client.infer(MODEL, as_inputs(inputs), client_timeout=5)
