"""A device's own web page: plain, behind a password, or over TLS, as the device is described."""

import base64
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from certificate import write_certificate
from plan import THIS, credential, DEVICES

WEB = THIS["web"]
PAGE = f"<html><head><title>{THIS['host_name']}</title></head><body>{THIS['name']}</body></html>\n".encode()


def _wanted():
    """The header that opens the page, where there is a realm."""
    if "realm" not in WEB:
        return None
    service = credential(DEVICES["biomed-1"])
    return "Basic " + base64.b64encode(f"{service['user']}:{service['secret']}".encode()).decode()


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wanted = _wanted()

    def version_string(self):
        return WEB["server"]

    def do_GET(self):
        allowed = self.wanted in (None, self.headers["Authorization"])
        body = PAGE if allowed else b""
        self.send_response(200 if allowed else 401)
        if not allowed:
            self.send_header("WWW-Authenticate", f'Basic realm="{WEB["realm"]}"')
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer((THIS["ip"], WEB["port"]), Page)
if "tls" in WEB:
    key_and_certificate = write_certificate(WEB["certificate_subject"], WEB.get("expired", False))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    newest = {"1.0": ssl.TLSVersion.TLSv1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[WEB["tls"]]
    if newest < ssl.TLSVersion.TLSv1_2:
        # Today's library speaks the versions of old devices only when told that security is no matter.
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = newest
    context.maximum_version = newest
    context.load_cert_chain(key_and_certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
