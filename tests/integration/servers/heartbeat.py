# Serves HTTP on the inherited socket, one request per connection, and sends WATCHDOG=1 twice in each WATCHDOG_USEC. Exits
# on SIGTERM. With the argument `idle` it accepts nothing, so that no client is affected by it.
import os, selectors, signal, socket, sys

channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
channel.connect(os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
listener = socket.socket(fileno=3)
listener.setblocking(False)  # another worker may take the connection first
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
period = int(os.environ["WATCHDOG_USEC"]) / 2e6
selector = selectors.DefaultSelector()
if "idle" not in sys.argv:
    selector.register(listener, selectors.EVENT_READ)
channel.send(b"READY=1")
signal.signal(signal.SIGALRM, lambda *_: channel.send(b"WATCHDOG=1"))
signal.setitimer(signal.ITIMER_REAL, period, period)

while True:
    selector.select()
    try:
        client, _ = listener.accept()
    except BlockingIOError:
        continue
    client.setblocking(True)
    request = client.makefile("rb")
    while request.readline().strip():
        pass
    client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nOK")
    try:
        client.shutdown(socket.SHUT_WR)
        request.read()
    except OSError:  # the client has already closed the connection
        pass
    client.close()
