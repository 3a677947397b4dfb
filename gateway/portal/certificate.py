"""How long the edge's certificate is still good: asked of the edge itself, as any browser would.

The file holds the private key and is the edge's alone. Whether the certificate is one that browsers trust is not asked here.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator

from cryptography.x509 import load_der_x509_certificate

from services.kit.catalogue import gauge
from services.kit.service import Reading, Runtime, Sample

TIMEOUT_SECONDS = 5.0
CERTIFICATE_EXPIRES_SECONDS = gauge(
    "tabian_certificate_expires_seconds",
    "Until the certificate ends that the edge shows; negative when it has ended",
    unit="seconds",
    served="the portal's api with TABIAN_EDGE_TLS",
    across="min",
)


def expires_at(address: str) -> float:
    """When the certificate shown at `host:port` ends, in Unix time. Raises OSError where none is shown."""
    host, _, port = address.rpartition(":")
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE  # also one that ended tells when
    with (
        socket.create_connection((host, int(port)), TIMEOUT_SECONDS) as line,
        anybody.wrap_socket(line, server_hostname=host) as shown,
    ):
        certificate = shown.getpeercert(binary_form=True)
    if certificate is None:
        raise OSError("no certificate was shown")
    return load_der_x509_certificate(certificate).not_valid_after_utc.timestamp()


def read_certificate(runtime: Runtime) -> Iterator[Sample]:
    """Of the edge that `parts["edge"]` names, if it names one."""
    if edge := runtime.parts.get("edge"):
        yield CERTIFICATE_EXPIRES_SECONDS, (), expires_at(edge) - time.time()


READINGS = (Reading("certificate", 60, read_certificate),)
