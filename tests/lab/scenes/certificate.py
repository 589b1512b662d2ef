"""Self-signed certificates, as devices make them for themselves."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from plan import SITE, THIS


def write_certificate(subject, expired):
    """Writes a key and its certificate into one file and returns its path."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    names = [(NameOID.ORGANIZATION_NAME, SITE["name"]), (NameOID.COMMON_NAME, subject)]
    name = x509.Name([x509.NameAttribute(oid, text) for oid, text in names])
    end = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    end += timedelta(days=-200 if expired else 900)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=3650))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = Path(f"{THIS['name']}.pem")
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
