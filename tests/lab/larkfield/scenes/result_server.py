"""A laboratory's information system that takes what analysers send by ASTM, with the receiver of labmcp."""

import time

from labmcp_astm_lis.driver import ASTMReceiver, ListenTransport, ResultStore

from plan import THIS

receiver = ASTMReceiver(
    lambda: ListenTransport(THIS["ip"], 15200), mode="listen", where="laboratory", store=ResultStore()
)
while True:
    time.sleep(60)
