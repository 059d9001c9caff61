"""In a network namespace of its own: every address of a server on udp://* answers for itself, and answers larger than the MTU, which the
kernel refuses to cut from one message, come once each and in order.  datagram_addresses.py DOORBELL"""
import signal
import socket
import subprocess
import sys

UDP_SEGMENT = 103
MTU = 1400
COUNT = 20
LETTER = "\u0390"  # 2 bytes, 6 in capitals
CAPITAL = LETTER.upper()


def run(*command):
    subprocess.run(command, check=True)


def check(address, port, letters):
    """A train of questions of so many letters; the client is connected, so only the address asked may answer."""
    family, kind, protocol, _, target = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as client:
        client.settimeout(10)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        client.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 2 * letters)
        client.connect(target)
        for _ in range(3):
            questions = [chr(ord("a") + i) * 2 + LETTER * (letters - 1) for i in range(COUNT)]
            client.send("".join(questions).encode())
            for question in questions:
                answer = client.recv(65536).decode()
                assert answer == question[:2].upper() + CAPITAL * (letters - 1), (address, question[:2], answer[:2], len(answer))
        client.setblocking(False)
        try:
            raise AssertionError((address, "doubled", client.recv(65536)))
        except BlockingIOError:
            pass


run("ip", "link", "set", "lo", "up", "mtu", str(MTU))
for extra in ["10.9.9.9/32", "fd00::9/128", "fe80::9/64"]:
    run("ip", "address", "add", extra, "dev", "lo", *(["nodad"] if ":" in extra else []))
server = subprocess.Popen([sys.argv[1], "serve", "udp://*:7000", "--model", "iterative"], stdout=subprocess.PIPE, text=True)
while "serving" not in server.stdout.readline():
    pass
for address in ["127.0.0.1", "10.9.9.9", "127.0.0.2", "::1", "fd00::9", "fe80::9%lo"]:
    for letters in [20, 300, 10]:
        check(address, 7000, letters)
server.send_signal(signal.SIGTERM)
print(server.communicate()[0])
