"""Somebody opens a console by Telnet and types a name and a password that the server does not know."""

import subprocess
import sys

from plan import DEVICES, THIS, credential

login = credential(THIS)
telnet = subprocess.Popen(
    ["telnet", DEVICES[sys.argv[1]]["ip"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
)


def wait_for(words):
    shown = b""
    while not shown.endswith(words):
        octet = telnet.stdout.read(1)
        if not octet:
            sys.exit(f"no {words} behind {shown}")
        shown += octet


wait_for(b"login: ")
telnet.stdin.write(f"{login['user']}\n".encode())
wait_for(b"Password: ")
telnet.stdin.write(f"{login['secret']}\n".encode())
wait_for(b"Login incorrect")
telnet.kill()
