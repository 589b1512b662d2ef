"""Sends one kind of HL7 v2 message feed over MLLP to the interface engine and checks the acknowledgements."""

import sys

import hl7
from hl7.client import MLLPClient

from messages import FEEDS
from plan import DEVICES

engine = DEVICES["engine-1"]
with MLLPClient(engine["ip"], engine["hl7"]["port"]) as client:
    for message in FEEDS[sys.argv[1]]():
        framed = client.send_message(hl7.parse(message))
        answer = hl7.parse(framed.decode().strip("\x0b\x1c\r"))
        if answer["MSA"][0][1][0] != "AA":
            sys.exit(f"not accepted: {answer}")
