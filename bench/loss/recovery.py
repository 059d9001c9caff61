#!/usr/bin/env python3
"""What one lost datagram costs a CoAP client on loopback: libcoap's coap-client beside `doorbell ask`.

A relay in front of `doorbell serve coap://` drops exactly one datagram: the request, or its answer. Each client is timed from that
datagram to its output, in turns. `ask` is timed at first contact, and with questions before that told it how long a round trip takes,
which one run of coap-client can't know. Prints the median, the lowest and the highest, in milliseconds.
Needs coap-client-notls (Debian: libcoap3-bin) and artifacts/native/doorbell, which ./test leaves.
"""
import pathlib
import select
import socket
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOORBELL = ROOT / "artifacts" / "native" / "doorbell"
ROUNDS = 15
KNOWN = 5  # questions before the one that is lost


class Relay(threading.Thread):
    """Passes datagrams between one client at a time and the server; drops the next one of the way it is told."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.near.bind(("127.0.0.1", 0))
        self.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.far.connect(("127.0.0.1", server))
        self.port = self.near.getsockname()[1]
        self.drop, self.dropped_at, self.client = None, None, None

    def run(self):
        while True:
            for ready in select.select([self.near, self.far], [], [])[0]:
                if ready is self.near:
                    data, self.client = self.near.recvfrom(65536)
                    self.passes("request", lambda: self.far.send(data))
                else:
                    data = self.far.recv(65536)
                    self.passes("answer", lambda: self.near.sendto(data, self.client))

    def passes(self, way, send):
        if self.drop == way:
            self.drop, self.dropped_at = None, time.monotonic()
        else:
            send()


def timed(relay, way, run):
    relay.dropped_at, relay.drop = None, way
    run()
    if relay.dropped_at is None:
        sys.exit("nothing was dropped")
    return (time.monotonic() - relay.dropped_at) * 1000


def once(command):
    def run():
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        if "A SENTENCE" not in ended.stdout:
            sys.exit(f"{command[0]} answered {ended.stdout!r}")
    return run


def known(url):
    """One `ask` that has had answers before, and then asks for the one that is timed."""
    ask = subprocess.Popen([DOORBELL, "ask", "--timeout", "30", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def question():
        ask.stdin.write("a sentence\n")
        ask.stdin.flush()
        if "A SENTENCE" not in ask.stdout.readline():
            sys.exit("ask has no answer")

    for _ in range(KNOWN):
        question()
    return ask, question


def main():
    server = subprocess.Popen([DOORBELL, "serve", "capitalize", "coap://127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        relay = Relay(int(line.rsplit(":", 1)[1]))
        relay.start()
        url = f"coap://127.0.0.1:{relay.port}/capitalize"
        times = {}
        for _ in range(ROUNDS):
            for way in ("request", "answer"):
                libcoap = once(["coap-client-notls", "-m", "post", "-e", "a sentence", url])
                first = once([DOORBELL, "ask", "--timeout", "30", url, "a sentence"])
                ask, question = known(url)
                for name, run in (("ask, path known", question), ("coap-client", libcoap), ("ask, first contact", first)):
                    times.setdefault((name, way), []).append(timed(relay, way, run))
                ask.stdin.close()
                ask.wait()
        print(f"{'client':20} {'lost':8} {'median, ms':>11} {'lowest':>8} {'highest':>8}")
        for (name, way), all_of in sorted(times.items()):
            print(f"{name:20} {way:8} {statistics.median(all_of):11.1f} {min(all_of):8.1f} {max(all_of):8.1f}")
    finally:
        server.terminate()
        server.wait()


main()
