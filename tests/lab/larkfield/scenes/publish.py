"""A bed tells a broker how it is, with mosquitto's client."""

import subprocess
import sys

from plan import DEVICES, THIS, credential

login = credential(THIS)
subprocess.run(
    [
        "mosquitto_pub",
        *("-h", DEVICES[sys.argv[1]]["ip"], "-V", "311", "-i", THIS["mqtt"]["mqtt_client_id"]),
        *("-u", login["user"], "-P", login["secret"], "-q", "1", "-t", "beds/4711/exit", "-m", "in"),
    ],
    check=True,
)
