"""The sink itself: its record, its report, its faults, and peers that mean no good."""

import signal
import socket

from harness import ClosedPort, PATIENCE, ProgramTest, wait_until
from lumberjack import Peers, ack, compressed, event, frame, hostile, window


class SinkTest(Peers, ProgramTest):
    def lines(self, sink):
        return sink.record.read_bytes().splitlines()

    def test_it_records_and_acknowledges(self):
        sink = self.sink()
        connection = self.connect(sink)
        connection.sendall(window(b'{"n":1}', b'{"n":2}'))
        self.assertEqual(self.hear(connection, 6), ack(2))
        # What is acknowledged is recorded, even if there is no time for anything else.
        sink.kill()
        self.assertEqual(self.lines(sink), [b'{"n":1}', b'{"n":2}'])

    def test_it_understands_compressed_windows_and_several_on_their_way(self):
        sink = self.sink()
        connection = self.connect(sink)
        one = frame(b"W", 2) + compressed(event(1, b"{}") + event(2, b"{}"))
        connection.sendall(one + window(b"{}") + one)
        self.assertEqual(self.hear(connection, 18), ack(2) + ack(1) + ack(2))

    def test_a_record_is_gone_on_with_after_a_restart_and_a_torn_line_is_cut_off(self):
        sink = self.sink()
        connection = self.connect(sink)
        connection.sendall(window(b'{"n":1}'))
        self.hear(connection, 6)
        sink.kill()
        with open(sink.record, "ab") as record:
            record.write(b'{"n":')
        sink = self.restart(sink)
        self.assertIn("cut off (5 bytes)", sink.log())
        connection = self.connect(sink)
        connection.sendall(window(b'{"n":2}'))
        self.hear(connection, 6)
        self.assertEqual(self.lines(sink), [b'{"n":1}', b'{"n":2}'])

    def test_what_cannot_be_recorded_is_not_acknowledged(self):
        sink = self.run_program("sink", "--listen", "lumberjack://127.0.0.1:0", "--record", "/dev/full")
        wait_until(lambda: "listening on" in sink.output(), "the sink listens", sink)
        connection = socket.create_connection(("127.0.0.1", int(sink.output().rsplit(":", 1)[1])), PATIENCE)
        with connection:
            connection.sendall(window(b"{}"))
            self.assert_closed(connection)
        self.assert_exit(sink, 1)
        self.assertIn("No space left on device", sink.log())

    def test_a_record_that_cannot_be_opened_is_named(self):
        sink = self.finish("sink", "--listen", "lumberjack://127.0.0.1:0", "--record", self.directory / "no" / "record")
        self.assertEqual(sink.exit_code(), 2)
        self.assertRegex(sink.log(), "no/record.*No such file or directory")

    def test_a_record_belongs_to_one_sink_at_a_time(self):
        sink = self.sink()
        second = self.finish("sink", "--listen", "lumberjack://127.0.0.1:0", "--record", sink.record)
        self.assertEqual(second.exit_code(), 2)
        self.assertIn(str(sink.record), second.log())

    def test_an_address_in_use_is_named(self):
        sink = self.sink()
        second = self.finish("sink", "--listen", f"lumberjack://{sink.address}")
        self.assertEqual(second.exit_code(), 2)
        self.assertRegex(second.log(), f"{sink.address}.*in use")

    def test_it_listens_at_several_addresses(self):
        sink = self.run_program("sink", "--listen", "lumberjack://127.0.0.1:0", "--listen", "lumberjack://localhost:0")
        wait_until(lambda: sink.output().count("listening on") == 2, "the sink listens", sink)
        for line in sink.output().splitlines():
            host, port = line.split("://")[1].rsplit(":", 1)
            with socket.create_connection((host.strip("[]"), int(port)), PATIENCE) as connection:
                connection.sendall(window(b"{}"))
                self.assertEqual(self.hear(connection, 6), ack(1))
        self.assertEqual(sink.stop(), 0)

    def test_its_report_says_what_it_did(self):
        sink = self.sink()
        connection = self.connect(sink)
        connection.sendall(window(b'{"n":1}', b'{"n":2}') + window(b'{"n":3}'))
        self.hear(connection, 12)
        self.assertEqual(sink.stop(), 0)
        report = sink.report()
        expected = {"events": 3, "acked": 3, "rejected": 0, "throttled": 0, "failed": 0, "known": 0, "replaced": 0, "bytes": 21,
                    "windows": 2, "acks": 2, "keep_alives": 0, "connections": 1, "refused": 0, "failed_accepts": 0,
                    "protocol_errors": 0, "idle_closes": 0}
        self.assertEqual({key: report[key] for key in expected}, expected)
        self.assertEqual(set(report) - set(expected), {"seconds", "cpu_seconds", "max_rss_bytes"})

    def test_a_signal_has_it_acknowledge_what_it_took(self):
        sink = self.sink()
        connection = self.connect(sink)
        connection.sendall(window(b"{}", b"{}") + frame(b"W", 3) + event(1, b"{}"))
        self.assertEqual(self.hear(connection, 6), ack(2))
        sink.signal(signal.SIGTERM)
        self.assertEqual(self.hear(connection, 6), ack(1))
        self.assert_closed(connection)
        self.assert_exit(sink, 0)
        self.assertEqual(len(self.lines(sink)), 3)

    def test_after_a_signal_nobody_can_connect(self):
        sink = self.sink()
        self.assertEqual(sink.stop(), 0)
        with self.assertRaises(ConnectionRefusedError):
            self.connect(sink)

    def test_it_keeps_alive_what_waits(self):
        sink = self.sink("--keepalive-only")
        connection = self.connect(sink)
        connection.sendall(window(b"{}"))
        self.assertEqual(self.hear(connection, 12), ack(0) + ack(0))
        sink.stop()
        self.assertEqual(sink.report()["acked"], 0)
        self.assertGreaterEqual(sink.report()["keep_alives"], 2)

    def test_it_resets_connections_where_it_is_asked_to(self):
        sink = self.sink("--close-after", "1", "--reset")
        connection = self.connect(sink)
        connection.sendall(window(b"{}", b"{}"))
        with self.assertRaises(ConnectionResetError):
            while connection.recv(100):
                pass

    def test_hostile_peers_are_named_and_harm_nobody(self):
        sink = self.sink()
        good = self.connect(sink)
        good.sendall(frame(b"W", 2) + event(1, b'{"good":1}'))
        for what, bytes_ in hostile().items():
            with self.subTest(what):
                connection = self.connect(sink)
                try:
                    connection.sendall(bytes_)
                except (ConnectionResetError, BrokenPipeError):
                    pass
                peer = "%s:%d" % connection.getsockname()
                self.assert_ended(connection)
                wait_until(lambda: f"{peer}: closed, as it breaks the protocol: " in sink.log(), "it is named", sink)
        good.sendall(event(2, b'{"good":2}'))
        self.assertEqual(self.hear(good, 6), ack(2))
        self.assertEqual(sink.stop(), 0)
        self.assertEqual(sink.report()["protocol_errors"], len(hostile()))
        self.assert_memory_below(sink.report()["max_rss_bytes"], 400 << 20)

    def test_a_peer_that_never_reads_holds_up_nobody(self):
        sink = self.sink()
        deaf = self.connect(sink)
        deaf.setblocking(False)
        try:
            while True:
                deaf.send(window(b"{}") * 1000)
        except BlockingIOError:
            pass
        good = self.connect(sink)
        good.sendall(window(b"{}"))
        self.assertEqual(self.hear(good, 6), ack(1))
        self.assertEqual(sink.stop(), 0, "not even the end")

    def test_a_peer_that_goes_away_inside_a_frame_holds_up_nobody(self):
        sink = self.sink()
        for size in (1, 5, 6, 9, 15, 17):
            self.connect(sink).sendall(window(b"{}")[:size])
        with ClosedPort():
            good = self.connect(sink)
            good.sendall(window(b"{}"))
            self.assertEqual(self.hear(good, 6), ack(1))
