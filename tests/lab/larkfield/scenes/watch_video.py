"""A recorder takes a few pictures of a camera by RTSP, with GStreamer's client and a password."""

import subprocess
import sys

from plan import DEVICES, THIS, credential

login = credential(THIS)
source = {
    "location": f"rtsp://{DEVICES[sys.argv[1]]['ip']}/door",
    "user-agent": THIS["rtsp"]["http_user_agent"],
    "user-id": login["user"],
    "user-pw": login["secret"],
    "protocols": "tcp",
}
settings = [f"{name}={value}" for name, value in source.items()]
pictures = ["rtpjpegdepay", "!", "identity", "eos-after=5", "!", "fakesink"]
subprocess.run(["gst-launch-1.0", "-q", "rtspsrc", *settings, "!", *pictures], check=True)
