"""A camera that streams a test picture by RTSP, with GStreamer's server under the name of the description."""

import os
import sys

# The bindings of GStreamer belong to the system's Python.
if sys.prefix != "/usr":
    os.execv("/usr/bin/python3", ["/usr/bin/python3", "-B", *sys.argv])

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

from plan import DEVICES, THIS, credential

Gst.init(None)
login = credential(DEVICES["recorder-1"])


def name_server(client, session, message):
    message.remove_header(GstRtsp.RTSPHeaderField.SERVER, -1)
    message.add_header(GstRtsp.RTSPHeaderField.SERVER, THIS["rtsp"]["http_server"])


video = GstRtspServer.RTSPMediaFactory()
picture = "video/x-raw,format=I420,width=160,height=120"
video.set_launch(f"( videotestsrc is-live=true ! {picture} ! jpegenc ! rtpjpegpay name=pay0 )")
viewer = GstRtspServer.RTSPToken()
viewer.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
rights = GstRtspServer.RTSPPermissions()
rights.add_permission_for_role("viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
rights.add_permission_for_role("viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
video.set_permissions(rights)
logins = GstRtspServer.RTSPAuth()
logins.add_basic(GstRtspServer.RTSPAuth.make_basic(login["user"], login["secret"]), viewer)
server = GstRtspServer.RTSPServer(address=THIS["ip"], service="554")
server.set_auth(logins)
server.get_mount_points().add_factory("/door", video)
server.connect("client-connected", lambda server, client: client.connect("send-message", name_server))
server.attach(None)
GLib.MainLoop().run()
