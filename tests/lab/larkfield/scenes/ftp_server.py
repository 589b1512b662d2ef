"""Runs vsftpd for anonymous users; it asks others for a password and lets none in."""

import os
from pathlib import Path

from plan import THIS

root, empty = Path("ftp").absolute(), Path("empty").absolute()
root.mkdir()
empty.mkdir()
root.chmod(0o555)
(root / "notice.txt").write_text("Notice\n")
Path("vsftpd.conf").write_text(
    f"""listen=YES
listen_address={THIS["ip"]}
background=NO
anonymous_enable=YES
local_enable=YES
userlist_enable=NO
anon_root={root}
secure_chroot_dir={empty}
seccomp_sandbox=NO
xferlog_enable=NO
"""
)
os.execvp("vsftpd", ["vsftpd", str(Path("vsftpd.conf").absolute())])
