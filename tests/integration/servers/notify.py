# Sends its arguments to the notify socket as the lines of one message, like systemd-notify(1).
import os, socket, sys

channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
channel.sendto("\n".join(sys.argv[1:]).encode(), os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
