"""Looks for services by multicast DNS and fails when one has nobody."""

import sys
import threading

from zeroconf import IPVersion, ServiceBrowser, ServiceListener, Zeroconf

from plan import THIS

found = {service: threading.Event() for service in sys.argv[1:]}


class Listener(ServiceListener):
    def add_service(self, zc, type_, name):
        zc.get_service_info(type_, name)
        found[type_].set()

    def update_service(self, zc, type_, name):
        pass

    def remove_service(self, zc, type_, name):
        pass


running = Zeroconf(interfaces=[THIS["ip"]], ip_version=IPVersion.V4Only)
ServiceBrowser(running, list(found), Listener())
missing = [service for service, event in found.items() if not event.wait(5)]
running.close()
if missing:
    sys.exit(f"nobody offers {', '.join(missing)}")
