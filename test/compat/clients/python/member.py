"""A member of a group: ../golang/contract/member.go says what it is told and what it prints."""
import json
import os
import sys
import threading

speaking = threading.Lock()


def say(word, what):
    with speaking:
        print(json.dumps({word: what}), flush=True)


def assigned(ids):
    if ids:
        say("assigned", sorted(ids))


def revoked(ids):
    if ids:
        say("revoked", sorted(ids))


def read(messages):
    """Messages are (partition, offset, value)."""
    if messages:
        say("read", messages)


def committed(offsets):
    """Offsets are the next one of each partition."""
    if offsets:
        say("committed", {str(p): o for p, o in offsets.items()})


def pass_on(start, leave, cut, goodbye):
    """Says what a program prints, a record a line, cut into partition, offset and value; ends it when it is to leave.

    One that ends by itself, because its server is away, is started again.
    """
    child = None

    def end():
        leave.wait()
        child.send_signal(goodbye)
    while not leave.is_set():
        child = start()
        if threading.active_count() < 3:
            threading.Thread(target=end, daemon=True).start()
        for line in child.stdout:
            if not line.endswith("\n"):
                break  # it was killed in the middle of it
            partition, offset, value = cut(line.rstrip("\n"))
            read([(int(partition), int(offset), value)])
        child.wait()


def main(join):
    told = json.loads(sys.stdin.readline())
    leave = threading.Event()

    def listen():
        if not sys.stdin.readline():
            os._exit(1)
        leave.set()
    threading.Thread(target=listen, daemon=True).start()
    try:
        join(told, leave)
    except Exception as e:  # whatever it is, the member is over
        say("error", f"{type(e).__name__}: {e}")
        os._exit(1)
    say("left", True)
    os._exit(0)  # without waiting for a thread of the library
