"""Signals: what was read is delivered, within a deadline, and the report is true whatever happens."""

import signal
import subprocess

from harness import ProgramTest, wait_until


class Ending(ProgramTest):
    def arrived(self, count, sinks):
        return count - self.deliveries(count, sinks).count(0)

    def test_a_signal_in_the_midst_of_a_file_delivers_what_was_read_and_says_that_it_was_not_all(self):
        count = 100_000
        lines = self.lines_file(count)
        sink = self.sink("--rate", "10000/s")
        ship = self.ship([sink], "-E", "queue.mem.events=5000", lines, settings="bulk_max_size=500")
        wait_until(lambda: sink.recorded_bytes() > 1_000_000, "a part has arrived", ship, sink)
        ship.signal(signal.SIGTERM)
        self.assert_exit(ship, 1)
        self.assertEqual(sink.stop(), 0)
        ledger = self.ledger()
        self.assertGreater(ledger["acked"], 0)
        self.assertLess(ledger["accepted"], count)
        self.assertEqual(ledger["acked"], ledger["accepted"])
        found = self.deliveries(count, [sink])
        self.assertEqual(found.count(1), ledger["acked"])
        self.assertEqual(found.rstrip(b"\0").count(0), 0, "what arrived is not the beginning of the file")

    def test_a_signal_once_everything_is_read_changes_nothing(self):
        count = 10_000
        lines = self.lines_file(count)
        sink = self.sink("--rate", "5000/s")
        ship = self.ship([sink], lines, settings="bulk_max_size=500")
        # The queue has room for all lines, so that they are read long before they have arrived.
        wait_until(lambda: sink.recorded_bytes() > 1_000_000, "a part has arrived", ship, sink)
        ship.signal(signal.SIGINT)
        self.assert_exit(ship, 0)
        sink.stop()
        self.assertEqual(self.ledger()["acked"], count)
        self.assert_each_once(self.deliveries(count, [sink]))

    def test_the_deadline_ends_a_delivery_that_gets_nowhere(self):
        lines = self.lines_file(1000)
        sink = self.sink("--keepalive-only")
        ship = self.ship([sink], "-E", "shutdown_timeout=200ms", lines)
        wait_until(lambda: sink.recorded_bytes() > 0, "it has begun", ship, sink)
        ship.signal(signal.SIGTERM)
        self.assert_exit(ship, 1)
        ledger = self.ledger()
        self.assertEqual(ledger["accepted"], 1000)
        self.assertEqual(ledger["acked"], 0)

    def test_a_second_signal_closes_at_once(self):
        lines = self.lines_file(1000)
        sink = self.sink("--keepalive-only")
        ship = self.ship([sink], "-E", "shutdown_timeout=1h", lines)
        wait_until(lambda: sink.recorded_bytes() > 0, "it has begun", ship, sink)
        ship.signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in ship.log(), "the first signal is noticed", ship)
        self.assertIsNone(ship.exit_code())
        ship.signal(signal.SIGTERM)
        self.assert_exit(ship, 1)
        ledger = self.ledger()
        self.assertEqual(ledger["accepted"], 1000)
        self.assertEqual(ledger["acked"], 0)

    def test_a_signal_while_standard_input_is_silent_ends_it(self):
        sink = self.sink()
        ship = self.ship([sink], "-", stdin=subprocess.PIPE)
        ship.stdin.write(b"first\nsecond\nthe third is not com")
        ship.stdin.flush()
        wait_until(lambda: sum(1 for _ in sink.events()) == 2, "both lines have arrived", ship, sink)
        ship.signal(signal.SIGTERM)
        ship.wait()
        sink.stop()
        ledger = self.ledger()
        self.assertEqual(ledger["acked"], ledger["accepted"])
        self.assertEqual([event["message"] for event in sink.events()][:2], ["first", "second"])

    def test_what_a_killed_ship_had_acknowledged_is_in_the_record(self):
        # Nobody is left to tell, but the sink must be none the worse: what it took is whole, and others are served.
        lines = self.lines_file(50_000)
        sink = self.sink("--rate", "20000/s")
        ship = self.ship([sink], lines, settings="bulk_max_size=500")
        wait_until(lambda: sink.recorded_bytes() > 1_000_000, "a part has arrived", ship, sink)
        ship.kill()
        again = self.ship([sink], self.file("more.log", "more\n"))
        self.assert_exit(again, 0)
        self.assertEqual(sink.stop(), 0)
        self.assertEqual([event["message"] for event in sink.events() if event["message"] == "more"], ["more"])
