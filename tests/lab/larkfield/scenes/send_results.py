"""An analyser sends a result by ASTM with the header that its series sends, as labmcp simulates analysers. One frame is
damaged on its way and sent again."""

import socket
import sys

from labmcp_astm_lis.simulator import ASTMAnalyzerSimulator

from plan import DEVICES, PATIENTS, THIS

patient = PATIENTS[0]
sender = f"{THIS['model']}^{THIS['versions'][0]}^{THIS['serial']}^^^^{THIS['astm']['equipment_id']}"
message = [
    rf"H|\^&|||{sender}||||||||E1394-97",
    f"P|1|||{patient['id']}|^{patient['given']}^{patient['family']}||{patient['born']}|{patient['sex']}",
    "O|1|4711||^^^^WBC|R",
    "R|1|^^^^WBC^1|6.85|10*3/uL||N||F",
    "L|1|N",
]
analyser = ASTMAnalyzerSimulator([message], corrupt=((0, 2),))
link = socket.create_connection((DEVICES[sys.argv[1]]["ip"], 15200), timeout=10)
analyser.attach(link.sendall)
while not analyser.messages_sent:
    answer = link.recv(64)
    if not answer:
        sys.exit("the system hung up")
    link.sendall(analyser.handle_bytes(answer))
if analyser.naks_received != 1:
    sys.exit(f"{analyser.naks_received} frames were refused")
