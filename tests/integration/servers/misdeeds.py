# A worker that abuses what it was handed: `misdeeds.py KIND`. It says READY=1 first, so that its supervisor relies on
# it, and waits for SIGTERM afterwards.
import fcntl, os, select, signal, socket, sys

notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
control = socket.socket(fileno=int(os.environ["HOLDFAST_CONTROL_FD"]))
MALFORMED = [b"no separator", b"=value", b"READY=1\0", b"X_HOLDFAST_IN_FLIGHT=many", b"MAINPID=-4", b"\xff\xfe=1",
             b"EXTEND_TIMEOUT_USEC=99999999999999999999999"]


def say(message):
    control.send(message)
    notify.send(message)


def malformed():
    for message in MALFORMED:
        say(message)
    control.send(b"")
    control.send(b"STATUS=" + b"x" * 70000)


def descriptors():
    # Descriptors nobody announced, among them one whose close would block.
    for _ in range(50):
        socket.send_fds(control, [b"STATUS=with gifts"], [0, 1, 2])
        socket.send_fds(notify, [b"STATUS=with gifts"], [0, 1, 2])


def flood():
    notify.setblocking(False)
    control.setblocking(False)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    message = b"STATUS=" + b"\x1b[2J" * 50
    while not ended:
        for channel in (notify, control):
            try:
                channel.send(message)
            except BlockingIOError:
                select.select([], [notify, control], [], 1)
    sys.exit(0)


def shut_down_listener():
    socket.socket(fileno=3).shutdown(socket.SHUT_RDWR)


def lower_backlog():
    socket.socket(fileno=3).listen(7)


def clear_nonblock():
    while True:
        fcntl.fcntl(3, fcntl.F_SETFL, fcntl.fcntl(3, fcntl.F_GETFL) & ~os.O_NONBLOCK)
        select.select([], [], [], 0.001)


def last_words():
    for _ in range(20000):
        os.write(2, b"x" * 79 + b"\n")
    notify.send(b"STATUS=written")


KINDS = {
    "malformed": malformed,
    "descriptors": descriptors,
    "flood": flood,
    "mainpid-1": lambda: say(b"MAINPID=1"),
    "mainpid-foreign": lambda: say(b"MAINPID=%d" % os.getppid()),
    "never-reads": lambda: say(b"HELLO=1\nX_HOLDFAST_STAGES=lame-duck,pause,run,drain,cancel"),
    "shut-down-listener": shut_down_listener,
    "lower-backlog": lower_backlog,
    "clear-nonblock": clear_nonblock,
    "last-words": last_words,
}
notify.send(b"READY=1")
KINDS[sys.argv[1]]()
notify.send(b"STATUS=did it")
signal.pause()
