"""The configuration that Kerberos' programs share."""

from pathlib import Path


def write_configuration(centre):
    realm = centre["kerberos"]["domain"]
    path = Path("krb5.conf").absolute()
    path.write_text(
        f"""[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
[realms]
{realm} = {{
    kdc = {centre["ip"]}
}}
"""
    )
    return path
