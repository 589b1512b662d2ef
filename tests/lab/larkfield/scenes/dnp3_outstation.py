"""A remote terminal unit that speaks DNP3 on TCP, with OpenDNP3's outstation."""

import time

import opendnp3

from plan import THIS

manager = opendnp3.DNP3Manager(1)
channel = manager.AddTCPServer(
    "unit",
    opendnp3.levels.NOTHING,
    opendnp3.ServerAcceptMode.CloseExisting,
    opendnp3.IPEndpoint(THIS["ip"], 20000),
    opendnp3.IChannelListener(),
)
settings = opendnp3.OutstationStackConfig(opendnp3.DatabaseConfig(4))
settings.link.LocalAddr = THIS["dnp3"]["dnp3_address"]
settings.link.RemoteAddr = 1
unit = channel.AddOutstation("unit", opendnp3.ICommandHandler(), opendnp3.IOutstationApplication(), settings)
unit.Enable()
while True:
    time.sleep(60)
