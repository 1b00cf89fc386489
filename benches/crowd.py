"""``python -m benches.crowd PORT TARGET CLIENTS SPREAD_S``: a crowd that asks for one file.

A process of its own, with one epoll and no copy of a body, so that what it takes is little beside
what it measures. It prints a ``Crowd`` as JSON.
"""

import select
import socket
import sys
import time

import msgspec

LIMIT_S = 90.0
_HEAD_BYTES = 1 << 14
_PIECE_BYTES = 1 << 20


class Crowd(msgspec.Struct, frozen=True, kw_only=True):
    """``first_s`` is from when each client was to come to the first byte of its body, and
    ``whole_s`` to the last, of those ``served``, in the order in which they came: they had 200 and
    as many bytes as announced.

    ``size_bytes`` are the lengths that were announced, each once.
    """

    served: int
    size_bytes: list[int]
    first_s: list[float]
    whole_s: list[float]
    cpu_s: float


class _Client:
    def __init__(self, port: int, request: bytes, due_s: float) -> None:
        self.due_s = due_s
        self._request = request
        self._head = bytearray()
        self.size_bytes = -1
        self.left_bytes = 0
        self.first_s = 0.0
        self.whole_s = 0.0
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))

    def writable(self) -> None:
        self.socket.send(self._request)

    def readable(self, into: bytearray) -> bool:
        """Take what came; False at the end."""
        if self.size_bytes < 0:
            piece = self.socket.recv(_HEAD_BYTES)
            self._head += piece
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return bool(piece)
            status, *lines = bytes(self._head[:end]).lower().split(b"\r\n")
            lengths = [line[15:] for line in lines if line.startswith(b"content-length:")]
            if status.split(b" ")[1] != b"200" or len(lengths) != 1:
                return False
            self.size_bytes = self.left_bytes = int(lengths[0])
            self._took(len(self._head) - end - 4)
        else:
            # TCP throws the bytes away instead of copying them: tcp(7), MSG_TRUNC.
            taken = self.socket.recv_into(into, _PIECE_BYTES, socket.MSG_TRUNC)
            if not taken:
                return False
            self._took(taken)
        return self.left_bytes > 0

    def _took(self, count: int) -> None:
        now_s = time.monotonic() - self.due_s
        self.first_s = self.first_s or (now_s if count else 0.0)
        self.left_bytes -= count
        if not self.left_bytes:
            self.whole_s = now_s


def crowd(port: int, target: str, clients: int, spread_s: float) -> Crowd:
    """``clients`` requests for ``target``, evenly over a time, each over its own connection."""
    request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    poll, into = select.epoll(), bytearray(_PIECE_BYTES)
    asking: dict[int, _Client] = {}
    done: list[_Client] = []
    begun_s, come = time.monotonic(), 0
    while asking or come < clients:
        now_s = time.monotonic()
        if now_s - begun_s > LIMIT_S:
            break
        while come < clients and begun_s + spread_s * come / clients <= now_s:
            client = _Client(port, request, begun_s + spread_s * come / clients)
            asking[client.socket.fileno()] = client
            poll.register(client.socket.fileno(), select.EPOLLOUT)
            come += 1
        due_s = begun_s + spread_s * come / clients if come < clients else now_s + 1
        for number, event in poll.poll(max(0.0, due_s - time.monotonic())):
            client = asking[number]
            try:
                if event & select.EPOLLOUT:
                    client.writable()
                    poll.modify(number, select.EPOLLIN)
                    continue
                going = client.readable(into)
            except OSError:
                going = False
            if not going:
                poll.unregister(number)
                client.socket.close()
                done.append(asking.pop(number))
    done.sort(key=lambda each: each.due_s)
    served = [each for each in done if each.size_bytes >= 0 and not each.left_bytes]
    return Crowd(
        served=len(served),
        size_bytes=sorted({each.size_bytes for each in served}),
        first_s=[each.first_s for each in served],
        whole_s=[each.whole_s for each in served],
        cpu_s=time.process_time(),
    )


if __name__ == "__main__":
    found = crowd(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    sys.stdout.buffer.write(msgspec.json.encode(found))
