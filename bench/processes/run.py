#!/usr/bin/env python3
"""Server CPU per connection, a request each, 20 at once: ours beside tcpserver and a one-thread C epoll server.

Builds the small C programs here, starts each server in turn, five interleaved rounds, and prints the median and its ratio to C epoll.
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
PORT = 7911
ROUNDS = 5


def build():
    BUILD.mkdir(parents=True, exist_ok=True)
    for name, flags in (("upper", ["-static"]), ("epoll", []), ("load", ["-pthread"])):
        subprocess.run(["gcc", "-O3", "-march=native", *flags, "-o", BUILD / name, HERE / f"{name}.c"], check=True)


def listening():
    wanted = f":{PORT:04X}"
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


def measure(command, connections):
    """Microseconds of CPU for a connection; what it takes to start is left out."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not listening():
        if server.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{command[0]} does not listen")
        time.sleep(0.01)
    subprocess.run([BUILD / "load", str(PORT), "100", "20"], check=True)
    before = cpu_of(server.pid)
    load = subprocess.run([BUILD / "load", str(PORT), str(connections), "20"], check=False)
    time.sleep(0.1)  # the last processes end
    used = cpu_of(server.pid) - before
    server.send_signal(signal.SIGTERM)
    server.wait()
    if load.returncode != 0:
        sys.exit(f"{command[0]} gave wrong answers")
    while listening():
        time.sleep(0.01)
    return used * 1e6 / connections


def main():
    build()
    upper = str(BUILD / "upper")
    endpoint = f"tcp://127.0.0.1:{PORT}"
    servers = {
        "C epoll": ([BUILD / "epoll", str(PORT)], 40000),
        "doorbell prefork": ([DOORBELL, "serve", endpoint, "--model", "prefork"], 40000),
        "doorbell pool": ([DOORBELL, "serve", endpoint, "--model", "pool"], 40000),
        "doorbell loop": ([DOORBELL, "serve", endpoint, "--model", "loop", "--workers", "1"], 40000),
        "doorbell --exec": ([DOORBELL, "serve", endpoint, "--exec", upper], 3000),
        "tcpserver": (["tcpserver", "-HRl0", "-c", "100", "127.0.0.1", str(PORT), upper], 3000),
        "doorbell process": ([DOORBELL, "serve", endpoint, "--model", "process"], 300),
    }
    results = {name: [] for name in servers}
    for _ in range(ROUNDS):
        for name, (command, connections) in servers.items():
            results[name].append(measure([str(part) for part in command], connections))
    yardstick = statistics.median(results["C epoll"])
    print(f"{'server':18} {'CPU a connection':>17} {'lowest':>9} {'highest':>9} {'to C epoll':>11}")
    for name, rounds in results.items():
        median = statistics.median(rounds)
        print(f"{name:18} {median:14.1f} us {min(rounds):9.1f} {max(rounds):9.1f} {median / yardstick:10.2f}x")


main()
