"""One side of a takeover, which dies (SIGKILL) at a step: takeover.py old|new STEP PATH [PORT].

The old one says "listening" when it can be asked. Messages: S with sockets, E, R, G, V (Doorbell.Sockets.TakeoverMessages).
"""
import os
import socket
import sys
import time


def die():
    os.kill(os.getpid(), 9)


def old(step, path, port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    door = socket.socket(socket.AF_UNIX)
    door.bind(path)
    door.listen()
    print("listening", flush=True)
    if step == "held":
        # As a process between clone and exec does, a child holds what its dead parent had.
        sys.stdin.readline()
        if os.fork() == 0:
            time.sleep(0.3)
            os._exit(0)
        die()
    connection, _ = door.accept()
    if step == "asked":
        die()
    socket.send_fds(connection, [b"S"], [listener.fileno()])
    if step == "sent":
        die()
    connection.send(b"E")
    if step == "sent-all":
        die()
    assert connection.recv(1) == b"R"
    if step == "ready":
        die()
    door.close()
    os.unlink(path)
    connection.send(b"G")
    if step == "gone":
        die()
    connection.recv(1)
    die()


def new(step, path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    if step == "asked":
        die()
    what = b"S"
    while what == b"S":
        what, _, _, _ = socket.recv_fds(connection, 1, 64)
        if step == "sent":
            die()
    if step == "sent-all":
        die()
    connection.send(b"R")
    if step == "ready":
        die()
    assert connection.recv(1) == b"G"
    die()


if sys.argv[1] == "old":
    old(sys.argv[2], sys.argv[3], int(sys.argv[4]))
else:
    new(sys.argv[2], sys.argv[3])
