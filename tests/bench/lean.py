"""``python lean.py PORT FOLDER``: as little as a Python receiver can do, as the measure of ours.

A thread an association; each object goes to a file that is hashed (sha256) and synced, then a line to one
journal, synced, then success. It negotiates nothing, checks nothing, parses nothing.
"""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import sys
import threading
from pathlib import Path

_ANSWER_AT = 12


def _read(connection: socket.socket, view: memoryview) -> None:
    at = 0
    while at < len(view):
        read = connection.recv_into(view[at:])
        if not read:
            raise ConnectionError
        at += read


def serve(connection: socket.socket, folder: Path, number: int, journal: int, lock: threading.Lock) -> None:
    """Serve one association of `tests.bench.sender`."""
    sys.path.insert(0, str(Path(__file__).parent.parent.parent))
    buffer = memoryview(bytearray(1 << 20))
    head = memoryview(bytearray(6))
    accept = bytes.fromhex(os.environ["LEAN_ACCEPT"])
    success = bytes.fromhex(os.environ["LEAN_SUCCESS"])
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    objects, file, hashed = 0, -1, hashlib.sha256()
    while True:
        _read(connection, head)
        kind, length = struct.unpack(">BxI", head)
        body = buffer[:length]
        _read(connection, body)
        if kind == 1:
            connection.sendall(accept)
            continue
        if kind == 5:
            connection.sendall(b"\6\0\0\0\0\4\0\0\0\0")
            return
        at = 0
        while at < length:
            (size,) = struct.unpack_from(">I", body, at)
            control, data = body[at + 5], body[at + 6 : at + 4 + size]
            at += 4 + size
            if control & 1:
                path = folder / f"{number}-{objects}"
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                hashed = hashlib.sha256()
                continue
            hashed.update(data)
            os.write(file, data)
            if control & 2:
                os.fdatasync(file)
                os.close(file)
                objects += 1
                with lock:
                    os.write(journal, f"{path.name} {hashed.hexdigest()}\n".encode())
                    os.fdatasync(journal)
                connection.sendall(success)


def main() -> None:
    """Serve until standard input ends."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    journal = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    lock = threading.Lock()
    listening = socket.create_server(("127.0.0.1", port), backlog=64)

    def accept() -> None:
        number = 0
        while True:
            connection, _ = listening.accept()
            number += 1
            threading.Thread(
                target=serve, args=(connection, folder, number, journal, lock), daemon=True
            ).start()

    threading.Thread(target=accept, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
