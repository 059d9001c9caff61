"""In a network namespace of its own, where 10.9.9.9 is an address that can be forged: libcoap's client asks a CoAP server, which first has
it prove that it is where it says.  coap_stranger.py DOORBELL"""
import os
import signal
import subprocess
import sys
import tempfile

HOST = "10.9.9.9"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)


def ask(*arguments):
    """Its answer, and how often it was challenged."""
    with tempfile.NamedTemporaryFile() as body:
        asked = run("coap-client-notls", "-v", "7", "-o", body.name, *arguments)
        with open(body.name) as answer:
            return answer.read(), (asked.stdout + asked.stderr).count("c:4.01")


run("ip", "link", "set", "lo", "up")
run("ip", "address", "add", f"{HOST}/32", "dev", "lo")
server = subprocess.Popen([sys.argv[1], "serve", f"coap://{HOST}"], stdout=subprocess.PIPE, text=True)
try:
    while "reachable" not in server.stdout.readline():
        pass
    sentence = "a sentence of the length that people write"
    for kind in [], ["-N"]:
        # As long as the question, so it needs no proof.
        assert ask(*kind, "-m", "post", "-e", sentence, f"coap://{HOST}/capitalize") == (sentence.upper(), 0), kind
        links, challenges = ask(*kind, "-m", "get", f"coap://{HOST}/.well-known/core")
        assert challenges == 1 and "</capitalize>" in links, (kind, links, challenges)
        with tempfile.NamedTemporaryFile("w") as long:
            text = "".join(f"line {i} of a body in blocks\n" for i in range(3500))
            long.write(text)
            long.flush()
            answer, challenges = ask(*kind, "-m", "post", "-f", long.name, f"coap://{HOST}/capitalize")
            assert answer == text.upper() and challenges == 1, (kind, len(answer), challenges)
finally:
    server.send_signal(signal.SIGTERM)
    print(server.communicate(timeout=30)[0])
