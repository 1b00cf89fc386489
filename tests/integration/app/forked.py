"""What the forkserver of the tests forks."""

import os
import signal
import socket
import sys
import threading
import time


def main() -> None:
    what, *arguments = sys.argv[1:]
    if what == "say":
        print(*arguments, os.getppid(), threading.active_count())
    elif what == "refuse":
        sys.exit("no room on the shelf")
    elif what == "break":
        raise ValueError("broken")
    elif what == "die once":
        with open(arguments[0], "a") as file:
            file.write(".")
        if os.path.getsize(arguments[0]) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        print("lived")
    elif what == "serve":
        serve(int(arguments[0]))
    else:
        time.sleep(300)


def serve(descriptor: int) -> None:
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(True)
    while True:
        connection, _ = listener.accept()
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        connection.close()
