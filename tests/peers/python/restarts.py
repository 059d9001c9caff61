"""restarts.py MODE DOORBELL [OPTION...]: a server is restarted 20 times under load; says how many requests were asked and how many failed.

MODE is takeover (from server to server over a unix socket), passed (fd://N), activated (LISTEN_FDS) or reuse-port (two share the port).
"""
import os
import socket
import subprocess
import sys
import tempfile
import threading

RESTARTS = 20
CLIENTS = 4
mode, doorbell, *options = sys.argv[1:]
stop = threading.Event()
asked = [0] * CLIENTS
failures = []


def ask(address, line):
    with socket.create_connection(address, timeout=20) as door:
        door.sendall(line)
        answer = b""
        while not answer.endswith(b"\n"):
            more = door.recv(4096)
            if not more:
                raise ConnectionError(f"the answer ended after {answer!r}")
            answer += more
        if answer != line.upper():
            raise ValueError(f"{answer!r} for {line!r}")


def client(number, address):
    while not stop.is_set():
        try:
            ask(address, b"client %d asks %d\n" % (number, asked[number]))
        except (OSError, ValueError) as failure:
            failures.append(repr(failure))
        asked[number] += 1


def start(arguments, descriptor=None):
    command = [doorbell, "serve", "capitalize", *arguments, *options]
    if mode == "activated":
        command = ["sh", "-c", 'exec 3<&"$0"; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', str(descriptor), *command]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=[descriptor] if descriptor is not None else [])
    for said in server.stdout:
        if said.startswith("serving "):
            return server
    sys.exit("the server did not start")


def end(server, signal=True):
    if signal:
        server.terminate()
    server.stdout.read()
    if server.wait(30) != 0:
        sys.exit(f"the server ended with {server.returncode}")


def main():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    address = listener.getsockname()
    endpoint = f"tcp://127.0.0.1:{address[1]}"
    folder = tempfile.mkdtemp()
    if mode in ("passed", "activated"):
        listener.listen(512)
        arguments = [f"fd://{listener.fileno()}"] if mode == "passed" else []
        descriptor = listener.fileno()
    else:
        listener.close()
        descriptor = None
        arguments = [endpoint, "--reuse-port"] if mode == "reuse-port" else [endpoint, "--takeover", os.path.join(folder, "door")]

    server = start(arguments, descriptor)
    clients = [threading.Thread(target=client, args=(number, address)) for number in range(CLIENTS)]
    for one in clients:
        one.start()
    for _ in range(RESTARTS):
        before = sum(asked)
        while sum(asked) < before + 50:
            stop.wait(0.001)
        if mode == "passed":
            end(server)
            server = start(arguments, descriptor)
        else:
            successor = start(arguments, descriptor)
            end(server, signal=mode != "takeover")
            server = successor
    stop.set()
    for one in clients:
        one.join()
    end(server)
    print(f"{sum(asked)} requests, {len(failures)} failures {failures[:3]}")


main()
