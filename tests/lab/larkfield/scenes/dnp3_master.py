"""Reads a remote terminal unit by DNP3, with OpenDNP3's master."""

import sys
import threading

import opendnp3

from plan import DEVICES, THIS

unit = DEVICES[sys.argv[1]]
has_answered = threading.Event()


class Values(opendnp3.ISOEHandler):
    def BeginFragment(self, info):
        pass

    def EndFragment(self, info):
        has_answered.set()


manager = opendnp3.DNP3Manager(1)
channel = manager.AddTCPClient(
    "station",
    opendnp3.levels.NOTHING,
    opendnp3.ChannelRetry.Default(),
    [opendnp3.IPEndpoint(unit["ip"], 20000)],
    THIS["ip"],
    opendnp3.IChannelListener(),
)
settings = opendnp3.MasterStackConfig()
settings.link.LocalAddr = 1
settings.link.RemoteAddr = unit["dnp3"]["dnp3_address"]
values = Values()
master = channel.AddMaster("station", values, opendnp3.IMasterApplication(), settings)
# It asks for everything as soon as it is connected.
master.Enable()
answered = has_answered.wait(10)
manager.Shutdown()
if not answered:
    sys.exit("the unit did not answer")
