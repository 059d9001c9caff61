"""Runs a command with standard streams as other programs may leave them. Usage: standard_streams.py STATE COMMAND [ARGUMENT...]

Its exit code is the command's. The pipes are checked to be as they were made: O_NONBLOCK belongs to the open file description, which
both processes share (fcntl(2)).
"""
import fcntl
import os
import subprocess
import sys
import time

state, command = sys.argv[1], sys.argv[2:]


def flags(descriptor):
    return fcntl.fcntl(descriptor, fcntl.F_GETFL)


def fill(descriptor):
    """Until nothing more goes in; then it blocks again."""
    os.set_blocking(descriptor, False)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(descriptor, True)


def wait_until_it_rests(process):
    """Until the command has used no processor time for a while: it has come to the pipe, and waits there.

    The result does not depend on it. A command that is slower than this meets an easier pipe.
    """
    rested, before = 0, None
    while rested < 20 and process.poll() is None:
        time.sleep(0.02)
        with open(f"/proc/{process.pid}/stat") as file:
            now = file.read().rpartition(")")[2].split()[11:13]
        rested = rested + 1 if now == before else 0
        before = now


def read_all(descriptor):
    count = 0
    while True:
        some = os.read(descriptor, 65536)
        if not some:
            return count
        count += len(some)


if state == "gone":
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen(command, stdout=writer)
    sys.exit(process.wait())

if state in ("full", "full-nonblocking"):
    reader, writer = os.pipe()
    fill(writer)
    os.set_blocking(writer, state == "full")
    process = subprocess.Popen(command, stdout=writer)
    was = flags(writer)
    wait_until_it_rests(process)
    before = flags(writer)
    os.close(writer)
    read_all(reader)
    sys.exit(process.wait() if was == before else "the flags have changed")

if state in ("big", "big-nonblocking"):
    reader, writer = os.pipe()
    os.set_blocking(writer, state == "big")
    process = subprocess.Popen(command, stdout=writer)
    os.close(writer)
    wait_until_it_rests(process)
    print(read_all(reader))
    sys.exit(process.wait())

if state == "input-nonblocking":
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    process = subprocess.Popen(command, stdin=reader)
    wait_until_it_rests(process)
    os.write(writer, b"hello\n")
    os.close(writer)
    sys.exit(process.wait())

if state == "kept":
    reader, writer = os.pipe()
    back, out = os.pipe()
    for descriptor in (reader, out):
        os.set_blocking(descriptor, False)
    process = subprocess.Popen(command, stdin=reader, stdout=out)
    os.write(writer, b"hello\n")
    answer = os.read(back, 100)
    during = [os.get_blocking(reader), os.get_blocking(out)]
    os.close(writer)
    process.wait()
    after = [os.get_blocking(reader), os.get_blocking(out)]
    print("kept" if b"HELLO" in answer and during == after == [False, False] else f"{answer} {during} {after}")
    sys.exit(0)

sys.exit(f"no such state: {state}")
