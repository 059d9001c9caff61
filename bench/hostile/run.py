#!/usr/bin/env python3
"""Clients that hold connections and do nothing useful with them, and honest newcomers beside them.

usage: run.py COMMAND [CLIENTS [KIND [ARGUMENT...]]]

COMMAND is the doorbell command; further arguments are its server's. CLIENTS, 12000 unless given, connect to
`COMMAND serve capitalize`. They are of one KIND, or of all (mixed):
  silent  sends nothing            byte   sends a byte of a line every 3 seconds
  empty   sends an empty line every 3 seconds          half   sends half a line, then nothing
  deaf    sends lines as long as it can, reads nothing
Those that the server closes connect again a second later. When all have connected, 100 honest clients connect in
turn, ask once, and leave. Printed: how long each waited for its answer, and what the server counted.
"""
import json
import os
import random
import resource
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time

KINDS = ("silent", "byte", "empty", "half", "deaf")
LINE = b"x" * 1023 + b"\n"
HONEST = 100


class Rude:
    def __init__(self, kind):
        self.kind, self.socket, self.again = kind, None, 0.0


def connect(port):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", port))
    return client


def act(rude, first):
    """What it does when it has connected, and every 3 seconds."""
    try:
        if rude.kind == "byte":
            rude.socket.send(b"x")
        elif rude.kind == "empty":
            rude.socket.send(b"\n")
        elif rude.kind == "half" and first:
            rude.socket.send(b"half a li")
        elif rude.kind == "deaf":
            for _ in range(8):
                rude.socket.send(LINE)
    except BlockingIOError:
        pass
    except OSError:
        return False
    return True


def be_rude(port, kinds, state):
    all_of_them = [Rude(kind) for kind in kinds]
    selector = selectors.EpollSelector()
    waiting, round_ = list(all_of_them), 0
    connected = set()
    while not state["over"]:
        began = time.monotonic()
        due = [rude for rude in waiting if rude.again <= began][:1000]
        for rude in due:
            rude.socket = connect(port)
            selector.register(rude.socket, selectors.EVENT_READ, rude)
            connected.add(rude)
        gone = set(due)
        waiting = [rude for rude in waiting if rude not in gone]
        time.sleep(0.05)
        for rude in due:
            act(rude, True)
        for key, _ in selector.select(0):
            rude = key.data
            try:
                closed = rude.kind != "deaf" and not rude.socket.recv(4096)
                if rude.kind == "deaf":
                    closed = not rude.socket.recv(1, socket.MSG_PEEK) or key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not closed:
                        selector.unregister(rude.socket)
            except OSError:
                closed = True
            if closed:
                selector.unregister(rude.socket)
                rude.socket.close()
                connected.discard(rude)
                rude.again = time.monotonic() + 1
                waiting.append(rude)
        state["connected"] = len(connected)
        round_ += 1
        if round_ % 60 == 0:
            for rude in list(connected):
                if not act(rude, False):
                    connected.discard(rude)
                    rude.socket.close()
                    rude.again = time.monotonic() + 1
                    waiting.append(rude)


def memory(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def waited_for_processor(pid):
    """Seconds that threads of a process were ready to run and did not (run_delay, Documentation/scheduler/sched-stats)."""
    waited = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as stat:
            waited += int(stat.read().split()[1])
    return waited / 1e9


def be_honest(port):
    """A process of its own: Python's threads wait for each other, and that is not the server's time."""
    waits, connects, queues, lost = [], [], [], 0
    for _ in range(HONEST):
        queued = waited_for_processor("self")
        began = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as honest:
                connected = time.monotonic()
                honest.settimeout(10)
                honest.sendall(b"hello\n")
                if honest.recv(100) != b"HELLO\n":
                    lost += 1
                    continue
        except OSError:
            lost += 1
            continue
        waits.append((time.monotonic() - began) * 1000)
        connects.append((connected - began) * 1000)
        queues.append((waited_for_processor("self") - queued) * 1000)
        time.sleep(0.02)
    if not waits:
        print(f"honest: none answered, {lost} not")
        return
    within = sum(wait <= 100 for wait in waits)
    print(f"honest: {len(waits)} answered, {lost} not; {within} within 100 ms; median {at(waits, .5):.1f} ms, 90th {at(waits, .9):.1f} ms, "
          f"longest {max(waits):.1f} ms; to connect: median {at(connects, .5):.1f} ms, longest {max(connects):.1f} ms; "
          f"waited for a processor itself: median {at(queues, .5):.1f} ms, longest {max(queues):.1f} ms")


def at(values, part):
    return sorted(values)[int(len(values) * part)]


def main():
    if sys.argv[1] == "honest":
        be_honest(int(sys.argv[2]))
        return
    command = sys.argv[1]
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 12000
    kind = sys.argv[3] if len(sys.argv) > 3 else "mixed"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    kinds = [random.Random(i).choice(KINDS) if kind == "mixed" else kind for i in range(clients)]
    server = subprocess.Popen(
        [*(["dotnet"] if command.endswith(".dll") else []), os.path.abspath(command), "serve", "capitalize", "tcp://127.0.0.1:0", "--json", *sys.argv[4:]],
        stdout=subprocess.PIPE, text=True)
    port = None
    while port is None:
        event = json.loads(server.stdout.readline() or "0")
        if event.get("event") in ("serving", "listening"):
            port = int(str(event.get("endpoint", event.get("door", ""))).rsplit(":", 1)[1])
    before = memory(server)
    state = {"over": False, "connected": 0}
    thread = threading.Thread(target=be_rude, args=(port, kinds, state))
    thread.start()
    deadline = time.monotonic() + 60
    while state["connected"] < clients * 0.95 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(5)
    print(f"{state['connected']} of {clients} rude clients ({kind}) are connected; server memory {before} -> {memory(server)} MB")
    queued = [waited_for_processor(pid) for pid in (server.pid, os.getpid())]
    began = time.monotonic()
    print(subprocess.run([sys.executable, os.path.abspath(__file__), "honest", str(port)], stdout=subprocess.PIPE, text=True, check=True).stdout, end="")
    took = time.monotonic() - began
    server_waited, clients_waited = (waited_for_processor(pid) - before for pid, before in zip((server.pid, os.getpid()), queued))
    print(f"waited for a processor meanwhile, all threads: server {server_waited / took:.1%}, rude clients {clients_waited / took:.1%} of the time")
    print(f"server memory {memory(server)} MB")
    state["over"] = True
    thread.join()
    os.kill(server.pid, signal.SIGINT)
    print(server.stdout.read().strip().splitlines()[-1][:600])
    server.wait()


main()
