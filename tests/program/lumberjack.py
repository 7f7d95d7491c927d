"""Lumberjack version 2 by hand: frames, and a peer that says what it likes."""

import socket
import struct
import zlib

from harness import PATIENCE


def frame(kind, number):
    return b"2" + kind + struct.pack(">I", number)


def event(sequence, payload):
    return frame(b"J", sequence) + struct.pack(">I", len(payload)) + payload


def window(*payloads):
    return frame(b"W", len(payloads)) + b"".join(event(n, payload) for n, payload in enumerate(payloads, 1))


def compressed(frames):
    stream = zlib.compress(frames)
    return frame(b"C", len(stream)) + stream


def ack(sequence):
    return frame(b"A", sequence)


def hostile():
    """What breaks the protocol, by name."""
    bomb = zlib.compress(b"\0" * (80 << 20), 9)
    return {
        "version": b"GET / HTTP/1.1\r\n\r\n",
        "version 1": b"1W" + struct.pack(">I", 1),
        "frame": frame(b"X", 1),
        "event without a window": event(1, b"{}"),
        "huge window": frame(b"W", 0xffffffff),
        "huge event": frame(b"W", 1) + frame(b"J", 1) + struct.pack(">I", 0xffffffff),
        "wrong sequence": frame(b"W", 2) + event(1, b"{}") + event(7, b"{}"),
        "too many events": frame(b"W", 1) + compressed(event(1, b"{}") + event(2, b"{}")),
        "huge compressed frame": frame(b"W", 1) + frame(b"C", 0xffffffff),
        "no zlib stream": frame(b"W", 1) + frame(b"C", 8) + b"nonsense",
        "bomb of one event": frame(b"W", 1) + frame(b"C", len(bomb)) + bomb,
        "bomb of frames": frame(b"W", 1) + compressed(event(1, b" " * (9 << 20)) * 9),
        "window in a window": frame(b"W", 2) + event(1, b"{}") + frame(b"W", 1),
        "ack": ack(1),
    }


class Peers:
    """For a test case: connections to a server, and what they hear."""

    def connect(self, server, receive_buffer=None):
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(PATIENCE)
        connection.connect(("127.0.0.1", server.port))
        self.addCleanup(connection.close)
        return connection

    def hear(self, connection, count):
        heard = b""
        while len(heard) < count:
            piece = connection.recv(count - len(heard))
            self.assertTrue(piece, f"the server closed the connection after {heard!r}")
            heard += piece
        return heard

    def hear_ack(self, connection, count):
        """Waits for that ack, over keep-alives and acks of less. Returns what came before."""
        before = []
        while (heard := struct.unpack(">I", self.hear(connection, 6)[2:])[0]) != count:
            self.assertLess(heard, count)
            before.append(heard)
        return before

    def assert_closed(self, connection):
        try:
            self.assertEqual(connection.recv(1), b"")
        except ConnectionResetError:
            pass

    def assert_ended(self, connection):
        """Closed; some answers may have come before."""
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass
