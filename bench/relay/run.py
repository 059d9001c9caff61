#!/usr/bin/env python3
"""CPU of a relay, ours beside HAProxy in TCP mode, a thread each, in front of the one-thread C epoll server.

Builds the C programs of bench/peers and bench/load, starts all relays, and gives each its turn in every round, so that whatever else the
machine does meets all of them alike. Prints the median of the rounds, the lowest, the highest, and the ratio to HAProxy.
CPU is user and system time of the relay's process alone, as its clock says it (clock_getcpuclockid(3)). Needs gcc and haproxy (Debian's
packages of these names); the native executable is artifacts/native/doorbell, which ./test leaves.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BENCH = HERE.parent
BUILD = BENCH.parent / "artifacts" / "bench" / "relay"
DOORBELL = BENCH.parent / "artifacts" / "native" / "doorbell"
CAPITALIZE, ECHO, FIRST_PORT = 7930, 7931, 7932
HAPROXY = """
global
    nbthread 1
    maxconn 4000
defaults
    mode tcp
    timeout connect 10s
    timeout client 300s
    timeout server 300s
listen lines
    bind 127.0.0.1:{lines}
    server upstream 127.0.0.1:{capitalize}
listen bytes
    bind 127.0.0.1:{bytes}
    server upstream 127.0.0.1:{echo}
"""


def build():
    BUILD.mkdir(parents=True, exist_ok=True)
    flags = ["gcc", "-O3", "-march=native", "-Wall", "-Wextra"]
    subprocess.run([*flags, "-o", BUILD / "load", *sorted((BENCH / "load").glob("*.c")), "-lm"], check=True)
    subprocess.run([*flags, "-o", BUILD / "epoll", BENCH / "peers" / "c" / "epoll.c"], check=True)


def listening(port):
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in table.readlines()[1:])


def start(command, *ports):
    taken = [port for port in ports if listening(port)]
    if taken:
        sys.exit(f"port {taken[0]} is taken")
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not all(listening(port) for port in ports):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{command[0]} does not listen")
        time.sleep(0.01)
    return process


class Relay:
    """A relay with a door to the capitalising server and one to the echoing one; ours is a process for each."""

    def __init__(self, name, lines, streams, ports):
        self.name, self.lines, self.streams, self.ports = name, lines, streams, ports

    @staticmethod
    def doorbell(engine, port):
        def of(listen, upstream):
            return start([DOORBELL, "relay", f"tcp://127.0.0.1:{listen}", f"tcp://127.0.0.1:{upstream}", "--engine", engine,
                          "--model", "loop", "--workers", "1"], listen)
        return Relay(f"doorbell {engine}", of(port, CAPITALIZE), of(port + 1, ECHO), (port, port + 1))

    @staticmethod
    def haproxy(port, folder):
        path = pathlib.Path(folder, "haproxy.cfg")
        path.write_text(HAPROXY.format(lines=port, bytes=port + 1, capitalize=CAPITALIZE, echo=ECHO), encoding="utf-8")
        process = start(["haproxy", "-db", "-f", path], port, port + 1)
        return Relay("haproxy", process, process, (port, port + 1))

    def load(self, work, *options):
        door = 1 if work == "stream" else 0
        process = self.streams if door else self.lines
        command = [BUILD / "load", work, "--port", self.ports[door], "--server", process.pid, *options]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{self.name}: {done.stderr.strip()}")
        result = json.loads(done.stdout)
        if result["wrong"] or result["failed"]:
            sys.exit(f"{self.name}: {result['wrong']} wrong answers, {result['failed']} failed")
        return result

    def end(self):
        for process in {self.lines, self.streams}:
            process.terminate()
            process.wait()


def rows(seconds):
    window = ["--warm-up", "0.3", "--seconds", str(seconds)]
    return {
        "ping-pong, 1 connection": ("closed-loop", ["--connections", "1", *window]),
        "ping-pong, 50 connections": ("closed-loop", ["--connections", "50", *window]),
        "16 in flight, 50 connections": ("closed-loop", ["--connections", "50", "--depth", "16", *window]),
        "new connections": ("connect-each", ["--connections", "8", *window]),
        "stream of 512 MiB": ("stream", ["--total", str(512 << 20)]),
    }


def cost(row, result):
    """Microseconds of CPU a request, or milliseconds a GiB."""
    if row.startswith("stream"):
        return result["serverCpu"] / 1e6 * (1 << 30) / result["bytes"]
    return result["serverCpu"] / 1e3 / result["requests"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=2)
    arguments.add_argument("--row", help="those whose name has this in it")
    options = arguments.parse_args()
    build()
    upstreams = [start([BUILD / "epoll", CAPITALIZE], CAPITALIZE), start([BUILD / "epoll", ECHO, "echo"], ECHO)]
    relays = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            relays = [Relay.haproxy(FIRST_PORT, folder), Relay.doorbell("epoll", FIRST_PORT + 2), Relay.doorbell("io_uring", FIRST_PORT + 4)]
            for row, (work, flags) in rows(options.seconds).items():
                if options.row and options.row not in row:
                    continue
                costs = {relay.name: [] for relay in relays}
                for turn in range(options.rounds):
                    for relay in relays[turn % len(relays):] + relays[:turn % len(relays)]:
                        costs[relay.name].append(cost(row, relay.load(work, *flags)))
                haproxy = statistics.median(costs["haproxy"])
                print(f"\n{row}: {'ms of CPU a GiB' if row.startswith('stream') else 'µs of CPU a request'}")
                for name, each in costs.items():
                    middle = statistics.median(each)
                    print(f"  {name:18} {middle:9.2f}  ({min(each):.2f} to {max(each):.2f})  {middle / haproxy:5.2f}", flush=True)
    finally:
        for relay in relays:
            relay.end()
        for upstream in upstreams:
            upstream.terminate()
            upstream.wait()


if __name__ == "__main__":
    os.chdir(HERE)
    main()
