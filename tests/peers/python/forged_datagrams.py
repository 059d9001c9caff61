"""In a network namespace of its own: forged datagrams, whose source is the server itself, another server, or a port where everything is
answered, go round no longer than a moment, and each refusal is told by its name.  forged_datagrams.py DOORBELL"""
import atexit
import json
import signal
import socket
import struct
import subprocess
import sys
import time

FORGED = 300
MODELS = ["loop", "async"]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def forge(source, source_port, target, target_port, body=b"hello"):
    """Sends a UDP datagram whose source address and port are made up (raw(7))."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    length = 8 + len(body)
    pseudo = ends + (struct.pack("!IHBB", length, 0, 0, 17) if ":" in source else struct.pack("!BBH", 0, 17, length))
    header = struct.pack("!HHHH", source_port, target_port, length, 0)
    header = struct.pack("!HHHH", source_port, target_port, length, checksum(pseudo + header + body))
    if family == socket.AF_INET6:
        packet = struct.pack("!IHBB", 6 << 28, length, 17, 64) + ends + header + body
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            raw.sendto(packet, (target, 0))
    else:
        packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 17, 0) + ends + header + body
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            raw.sendto(packet, (target, 0))


def serve(*arguments):
    server = subprocess.Popen([sys.argv[1], "serve", *arguments], stdout=subprocess.PIPE, text=True)
    atexit.register(server.kill)
    first = server.stdout.readline()
    assert "udp" in first, first
    return server


def end(server):
    server.send_signal(signal.SIGTERM)
    return json.loads(server.communicate()[0].splitlines()[-1])


def packets():
    with open("/proc/net/dev") as devices:
        return next(int(line.split()[2]) for line in devices if line.strip().startswith("lo:"))


def is_quiet():
    """Whether nothing goes over lo, looked at for a while."""
    before = packets()
    time.sleep(0.2)
    return packets() == before


def wait_until_quiet():
    for _ in range(300):
        if is_quiet():
            return
    raise AssertionError("datagrams go round for ever")


subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
for model in MODELS:
    one, two = [serve("echo", f"udp://*:{port}", "--json", "--model", model) for port in [7001, 7002]]
    # These first, while the receive buffer has room for all of them.
    for address in ["127.0.0.1", "::1"]:
        for port in [0, 7, 13, 17, 19, 37]:
            forge(address, port, address, 7001)
    for address in ["127.0.0.1", "::1"]:
        for _ in range(FORGED):
            forge(address, 7001, address, 7001)
            forge(address, 7002, address, 7001)
    wait_until_quiet()
    counts = [end(one), end(two)]
    dropped = [count["datagramsDropped"] for count in counts]
    assert 0 < dropped[0]["ownAddress"] <= 2 * FORGED, (model, dropped)
    assert 0 < dropped[0]["reflectorPort"] <= 12, (model, dropped)
    assert 0 < sum(drop["suspectedLoop"] for drop in dropped) <= 2 * FORGED, (model, dropped)
    if model != "async":
        # There the kernel's own losses are counted too.
        names = ["ownAddress", "reflectorPort", "suspectedLoop", "receiveBufferFull"]
        assert sum(drop[name] for drop in dropped for name in names) == 4 * FORGED + 12, (model, dropped)
    print(model, sum(count["datagramsSent"] for count in counts), "answers before the end")

server = serve("udp://*:7003", "--json", "--exec", "/bin/cat")
for address in ["127.0.0.1", "::1"]:
    forge(address, 7003, address, 7003)
    forge(address, 19, address, 7003)
wait_until_quiet()
dropped = end(server)["datagramsDropped"]
assert dropped["ownAddress"] == 2 and dropped["reflectorPort"] == 2, dropped
print("all ended")
