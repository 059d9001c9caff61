#!/usr/bin/env python3
"""How many questions a CoAP client gets answered behind loss, and how fast: `doorbell ask` beside libcoap's coap-client and node-coap.

`doorbell serve capitalize coap://` stands behind `doorbell impair`, which loses the same part of the datagrams of each way, by a seed. Each
client asks one question after the other for so many seconds, or until it has asked them all. coap-client is started for each question, as
it asks one. Its start takes a few milliseconds, so it is no measure of speed at 0%. node-coap and `ask` run as one process each.
Needs coap-client-notls (Debian: libcoap3-bin) and artifacts/native/doorbell, which ./test leaves. node-coap takes its turn if --node names a
folder where `npm install coap` was run.
"""
import argparse
import os
import pathlib
import re
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOORBELL = ROOT / "artifacts" / "native" / "doorbell"


def start(*arguments):
    process = subprocess.Popen([DOORBELL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    line = process.stdout.readline()
    while "127.0.0.1:" not in line:
        line = process.stdout.readline()
    return process, int(re.findall(r"127\.0\.0\.1:(\d+)", line)[-1])


def ask(url, questions, seconds):
    """One process for all questions, which goes on behind a question without an answer."""
    began = time.monotonic()
    answered = asked = 0
    while asked < questions and time.monotonic() - began < seconds:
        client = subprocess.Popen(
            [DOORBELL, "ask", "--raw", "--timeout", "93", url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        limit = threading.Timer(seconds - (time.monotonic() - began), client.kill)
        limit.start()
        try:
            while asked < questions:
                asked += 1
                client.stdin.write(f"question {asked}\n")
                client.stdin.flush()
                if client.stdout.readline() != f"QUESTION {asked}\n":
                    break
                answered += 1
        except BrokenPipeError:
            pass
        limit.cancel()
        client.kill()
        client.wait()
    return answered, asked, time.monotonic() - began


def libcoap(url, questions, seconds):
    began = time.monotonic()
    answered = asked = 0
    while asked < questions and (left := seconds - (time.monotonic() - began)) > 0:
        asked += 1
        try:
            ended = subprocess.run(
                ["coap-client-notls", "-m", "post", "-e", f"question {asked}", "-B", "93", url],
                capture_output=True, text=True, timeout=left, check=False)
            answered += f"QUESTION {asked}" in ended.stdout
        except subprocess.TimeoutExpired:
            pass
    return answered, asked, time.monotonic() - began


def node(folder):
    """One process for all questions."""
    def client(url, questions, seconds):
        began = time.monotonic()
        ended = subprocess.run(
            ["node", ROOT / "bench" / "loss" / "node_coap.js", url, str(questions), str(seconds)],
            capture_output=True, text=True, check=True, env=os.environ | {"NODE_PATH": str(pathlib.Path(folder) / "node_modules")})
        answered, asked = map(int, ended.stdout.split())
        return answered, asked, time.monotonic() - began
    return client


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--questions", type=int, default=300)
    options.add_argument("--seconds", type=float, default=110)
    options.add_argument("--seed", default="1")
    options.add_argument("--delay", default="5ms", help="of each way")
    options.add_argument("--node", help="the folder of node-coap")
    options.add_argument("--loss", type=int, nargs="+", default=[0, 10, 20, 30, 40])
    given = options.parse_args()
    clients = [("`doorbell ask`", ask), ("`coap-client`", libcoap)] + ([("node-coap", node(given.node))] if given.node else [])
    print("| lost each way | client | answered | asked | seconds | answers a second |\n|---|---|---|---|---|---|")
    for loss in given.loss:
        for name, client in clients:
            server, port = start("serve", "capitalize", "coap://127.0.0.1:0")
            proxy, through = start(
                "impair", "udp://127.0.0.1:0", f"udp://127.0.0.1:{port}", "--loss", f"{loss}%", "--delay", given.delay, "--seed", given.seed)
            answered, asked, seconds = client(f"coap://127.0.0.1:{through}/capitalize", given.questions, given.seconds)
            print(f"| {loss}% | {name} | {answered} | {asked} | {seconds:.1f} | {answered / seconds:.2f} |", flush=True)
            for process in (proxy, server):
                process.terminate()
                process.wait()


main()
