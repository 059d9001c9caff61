#!/usr/bin/env python3
"""Clients that send a long question and never read its answer: what memory they take, and whether it comes back.

usage: never_read.py COMMAND [CLIENTS [SECONDS [ARGUMENT...]]]

COMMAND is the doorbell command; further arguments are its server's. CLIENTS, 9500 unless given, connect to
`COMMAND serve echo`. Each sends 1 MiB, as far as the server takes it, and reads nothing. When the server takes no more
for SECONDS, 5 unless given, they leave. Printed, in MiB: the resident memory of the server's processes before, at the
peak, and 5, 15 and 30 s after the last client has left; how much each client holds; and how the server ended their
connections. With "haproxy" as COMMAND it is HAProxy in TCP mode in front of an echo server of this script, whose
memory is not counted. The kernel's socket buffers are not the server's memory, and are not in these figures.
"""
import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

QUESTION = b"x" * (64 * 1024)
QUESTION_BYTES = 1024 * 1024

HAPROXY = """
global
    maxconn {most}
defaults
    mode tcp
    timeout connect 5s
    timeout client 300s
    timeout server 300s
listen echo
    bind 127.0.0.1:{listen} backlog 10000
    server echo 127.0.0.1:{echo}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def resident(pid):
    """Of a process and those below it, in MiB."""
    total = 0
    pids = [pid]
    while pids:
        each = pids.pop()
        try:
            with open(f"/proc/{each}/statm", encoding="ascii") as file:
                total += int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            with open(f"/proc/{each}/task/{each}/children", encoding="ascii") as file:
                pids += [int(child) for child in file.read().split()]
        except FileNotFoundError:
            pass
    return total / 2**20


def echo(listener):
    """A server that sends back what comes, and holds one piece for each connection."""
    selector = selectors.EpollSelector()
    selector.register(listener, selectors.EVENT_READ, None)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                connection, _ = listener.accept()
                connection.setblocking(False)
                selector.register(connection, selectors.EVENT_READ, bytearray())
                continue
            held = key.data
            try:
                if not held:
                    held += key.fileobj.recv(16384)
                    if not held:
                        raise OSError
                del held[:key.fileobj.send(held)]
            except BlockingIOError:
                pass
            except OSError:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                continue
            selector.modify(key.fileobj, selectors.EVENT_WRITE if held else selectors.EVENT_READ, held)


def start(command, arguments, clients, folder):
    """The server, and the port that it serves."""
    if command != "haproxy":
        server = subprocess.Popen([command, "serve", "echo", "tcp://127.0.0.1:0", "--json", *arguments],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return server, int(json.loads(server.stdout.readline())["endpoint"].rsplit(":", 1)[1])
    listener = socket.create_server(("127.0.0.1", 0), backlog=10000)
    listener.setblocking(False)
    threading.Thread(target=echo, args=(listener,), daemon=True).start()
    listen = free_port()
    path = os.path.join(folder, "haproxy.cfg")
    with open(path, "w", encoding="ascii") as file:
        file.write(HAPROXY.format(most=clients + 200, listen=listen, echo=listener.getsockname()[1]))
    server = subprocess.Popen(["haproxy", "-db", "-f", path])
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", listen)).close()
            return server, listen
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise SystemExit("haproxy does not listen")


def crowd(port, clients, calm, pid):
    """Lets them come and ask until the server takes no more; the peak of its memory, and how many were still connected."""
    selector = selectors.EpollSelector()
    left = {}
    peak, taken_at, looked_at = 0, time.monotonic(), 0
    while (now := time.monotonic()) - taken_at < calm:
        for _ in range(min(200, clients - len(left))):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            selector.register(client, selectors.EVENT_WRITE)
            left[client] = QUESTION_BYTES
        for key, _ in selector.select(0.02):
            client = key.fileobj
            try:
                sent = client.send(QUESTION[:left[client]])
                left[client] -= sent
                taken_at = now
            except BlockingIOError:
                continue
            except OSError:
                left[client] = 0
            if left[client] == 0:
                selector.unregister(client)
        if now - looked_at > 0.2:
            looked_at, peak = now, max(peak, resident(pid))
    open_ = sum(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x01" for client in left)
    for client in left:
        client.close()
    return max(peak, resident(pid)), open_


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    command = sys.argv[1]
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 9500
    calm = float(sys.argv[3]) if len(sys.argv) > 3 else 5
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder:
        server, port = start(command, sys.argv[4:], clients, folder)
        time.sleep(1)
        before = resident(server.pid)
        peak, open_ = crowd(port, clients, calm, server.pid)
        gone = time.monotonic()
        after = []
        for seconds in (5, 15, 30):
            time.sleep(max(0, gone + seconds - time.monotonic()))
            after.append(resident(server.pid))
        print(f"{clients} clients, {open_} of them connected to the end")
        print(f"before {before:.0f} MiB, peak {peak:.0f}, after 5 s {after[0]:.0f}, 15 s {after[1]:.0f}, 30 s {after[2]:.0f}")
        print(f"{(peak - before) * 1024 / clients:.0f} KiB a client at the peak")
        server.send_signal(signal.SIGTERM)
        if command != "haproxy":
            summary = json.loads(server.stdout.read().splitlines()[-1])
            print(", ".join(f"{name} {count}" for name, count in summary["connectionsClosed"].items() if count))
        server.wait()


main()
