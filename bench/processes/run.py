#!/usr/bin/env python3
"""Server CPU per connection, a request each, 20 at once: ours beside tcpserver and a one-thread C epoll server.

Builds the small C programs here and starts all servers; each in its turn has a short burst of connections, so that whatever else the
machine does meets all of them alike. Prints the median of five blocks of turns, the lowest, the highest, and the ratio to C epoll.
CPU is user and system time of the server and all it started. Needs gcc, and
tcpserver (Debian: ucspi-tcp); the native executable is artifacts/native/doorbell, which ./test leaves.
"""
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "artifacts" / "bench" / "processes"
DOORBELL = ROOT / "artifacts" / "native" / "doorbell"
FIRST_PORT = 7911
BLOCKS = 5
TURNS = 12  # in a block


def build():
    BUILD.mkdir(parents=True, exist_ok=True)
    for name, flags in (("upper", ["-static"]), ("epoll", []), ("load", ["-pthread"])):
        subprocess.run(["gcc", "-O3", "-march=native", *flags, "-o", BUILD / name, HERE / f"{name}.c"], check=True)


def listening(port):
    wanted = f":{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(line.split()[1].endswith(wanted) and line.split()[3] == "0A" for line in table.readlines()[1:])


def cpu_of(pid):
    """Seconds that a process, its descendants, and those of them that were reaped have used."""
    parents, used = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = pathlib.Path("/proc", entry, "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry)] = int(fields[1])
            used[int(entry)] = sum(int(field) for field in fields[11:15])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(member, 0) for member in family) / os.sysconf("SC_CLK_TCK")


def load(port, connections):
    if subprocess.run([BUILD / "load", str(port), str(connections), "20"], check=False).returncode != 0:
        sys.exit(f"wrong answers on port {port}")


class Server:
    """One that runs; what it takes to start, and its first connections, are left out."""

    def __init__(self, command, port, connections):
        self.port, self.connections, self.blocks = port, connections, []
        command = [str(part).replace("PORT", str(port)) for part in command]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not listening(port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{command[0]} does not listen")
            time.sleep(0.01)
        load(port, 100)

    def turn(self):
        before = cpu_of(self.process.pid)
        load(self.port, self.connections)
        time.sleep(0.02)  # the last processes end
        self.blocks[-1] += (cpu_of(self.process.pid) - before) * 1e6 / self.connections / TURNS

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def main():
    build()
    upper = BUILD / "upper"
    serve = [DOORBELL, "serve", "tcp://127.0.0.1:PORT"]
    commands = {
        "C epoll": ([BUILD / "epoll", "PORT"], 2000),
        "doorbell prefork": ([*serve, "--model", "prefork"], 2000),
        "doorbell pool": ([*serve, "--model", "pool"], 2000),
        "doorbell loop": ([*serve, "--model", "loop", "--workers", "1"], 2000),
        "doorbell --exec": ([*serve, "--exec", upper], 400),
        "tcpserver": (["tcpserver", "-HRl0", "-c", "100", "127.0.0.1", "PORT", upper], 400),
        "doorbell process": ([*serve, "--model", "process"], 20),
    }
    servers = {name: Server(command, FIRST_PORT + at, connections) for at, (name, (command, connections)) in enumerate(commands.items())}
    for _ in range(BLOCKS):
        for server in servers.values():
            server.blocks.append(0)
        for turn in range(TURNS):
            for server in list(servers.values())[:: 1 if turn % 2 == 0 else -1]:
                server.turn()
    yardstick = statistics.median(servers["C epoll"].blocks)
    print(f"{'server':18} {'CPU a connection':>17} {'lowest':>9} {'highest':>9} {'to C epoll':>11}")
    for name, server in servers.items():
        server.end()
        median = statistics.median(server.blocks)
        print(f"{name:18} {median:14.1f} us {min(server.blocks):9.1f} {max(server.blocks):9.1f} {median / yardstick:10.2f}x")


main()
