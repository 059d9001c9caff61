"""toxiproxy's HTTP API, called as its README describes it. Arguments: the API's address, the upstream's."""
import json
import socket
import sys
import time
import urllib.error
import urllib.request

API, UPSTREAM = sys.argv[1:]


def call(method, path, body=None):
    request = urllib.request.Request(
        API + path, json.dumps(body).encode() if body is not None else None, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=20) as response:
        text = response.read()
        return json.loads(text) if text else None


def ask(listen):
    host, port = listen.split(":")
    began = time.monotonic()
    came = b""
    try:
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(b"hello\n")
            while not came.endswith(b"\n"):
                more = connection.recv(100)
                if not more:
                    came += b" and the end"
                    break
                came += more
    except ConnectionResetError:
        came = b"ECONNRESET"
    except ConnectionRefusedError:
        came = b"ECONNREFUSED"
    return came.decode().strip(), time.monotonic() - began


def say(*words):
    print(*[str(word).lower() if isinstance(word, bool) else word for word in words], flush=True)


say("version", json.dumps(call("GET", "/version"), separators=(",", ":")))
proxy = call("POST", "/proxies", {"name": "demo", "listen": "127.0.0.1:0", "upstream": UPSTREAM})
LISTEN = proxy["listen"]
say("created", proxy["name"], proxy["enabled"], proxy["upstream"] == UPSTREAM)
say("asked", ask(LISTEN)[0])

TOXICS = "/proxies/demo/toxics"
toxic = call("POST", TOXICS, {"type": "latency", "attributes": {"latency": 200}})
say("toxic", toxic["name"], toxic["type"], toxic["stream"], f"{toxic['toxicity']:g}", toxic["attributes"]["latency"])
answer, took = ask(LISTEN)
say("late", answer, took >= 0.199)
call("PATCH", TOXICS + "/latency_downstream", {"attributes": {"latency": 400}})
answer, took = ask(LISTEN)
say("later", answer, took >= 0.399, call("GET", TOXICS + "/latency_downstream")["attributes"]["latency"])
call("DELETE", TOXICS + "/latency_downstream")
say("well", ask(LISTEN)[0])

call("POST", TOXICS, {"type": "limit_data", "name": "three", "attributes": {"bytes": 3}})
say("limited", ask(LISTEN)[0])
call("POST", TOXICS, {"type": "reset_peer", "name": "never", "stream": "upstream", "toxicity": 0})
say("toxicity 0", ask(LISTEN)[0])
call("POST", "/reset")
say("reset", ask(LISTEN)[0])
call("POST", TOXICS, {"type": "reset_peer", "attributes": {"timeout": 0}})
say("reset_peer", ask(LISTEN)[0])
call("POST", "/reset")

call("POST", "/proxies/demo", {"enabled": False})
say("down", ask(LISTEN)[0])
call("POST", "/proxies/demo", {"enabled": True})
say("up", ask(LISTEN)[0])

call("POST", "/populate", [
    {"name": "demo", "listen": LISTEN, "upstream": UPSTREAM}, {"name": "other", "listen": "127.0.0.1:0", "upstream": UPSTREAM}])
say("all", *sorted(call("GET", "/proxies")))
call("DELETE", "/proxies/other")
say("left", *sorted(call("GET", "/proxies")))
try:
    call("GET", "/proxies/other")
except urllib.error.HTTPError as error:
    say("missing", error.code == 404)
