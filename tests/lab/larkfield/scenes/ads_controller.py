"""A controller that speaks ADS, as the server of pyads plays it."""

import time

from pyads.testserver import AdsTestServer, AdvancedHandler

from plan import THIS

with AdsTestServer(AdvancedHandler(), ip_address=THIS["ip"]):
    while True:
        time.sleep(60)
