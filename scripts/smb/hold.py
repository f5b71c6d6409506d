# Opens a file of a share as a Windows program does that denies it to others, says "held", and closes it when its input ends.
# Neither smbclient nor the Linux CIFS client can deny.
import sys

from samba.credentials import Credentials
from samba.samba3 import libsmb_samba_internal, param

config, share, path, shared, username, password = sys.argv[1:]
# [MS-SMB2] 2.2.13: ShareAccess and DesiredAccess.
SHARE = {"read": 1, "write": 2, "delete": 4}
READ_AND_WRITE_DATA = 0x3

settings = param.get_context()
settings.load(config)
credentials = Credentials()
credentials.set_username(username)
credentials.set_password(password)
credentials.guess(settings)

connection = libsmb_samba_internal.Conn("127.0.0.1", share, lp=settings, creds=credentials)
handle = connection.create(
    path.replace("/", "\\"),
    DesiredAccess=READ_AND_WRITE_DATA,
    ShareAccess=sum(SHARE[name] for name in shared.split(",") if name),
)
print("held", flush=True)
sys.stdin.read()
connection.close(handle)
