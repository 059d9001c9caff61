#!/usr/bin/env python3
"""Types lines at an interactive shell on a terminal of its own, each when the shell shows its prompt, and then its end (Ctrl-D)."""
import os
import pty
import select
import sys

PROMPT = b"READY> "
PATIENCE = 30


def main():
    shell, lines = sys.argv[1:], sys.stdin.buffer.read().split(b"\n")
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(shell[0], shell)
    for line in lines:
        wait_for_prompt(terminal)
        os.write(terminal, (line + b"\r") if line else b"\x04")
    while wait(terminal):
        pass
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def wait_for_prompt(terminal):
    shown = b""
    while PROMPT not in shown:
        shown += wait(terminal) or sys.exit("the shell has ended")


def wait(terminal):
    """What it shows next; nothing at its end."""
    if not select.select([terminal], [], [], PATIENCE)[0]:
        sys.exit("the shell shows nothing")
    try:
        shown = os.read(terminal, 65536)
    except OSError:
        return b""
    os.write(1, shown)
    return shown


main()
