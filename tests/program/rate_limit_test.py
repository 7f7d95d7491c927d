"""Endpoints that are given no more than so many events a second. Times are bounds from below, which no slow machine breaks."""

import os
import signal
import subprocess
import unittest

from harness import ProgramTest, numbered_line, wait_until


class RateLimit(ProgramTest):
    def endpoint(self, sink):
        return next(one for one in self.ledger()["endpoints"] if one["endpoint"] == sink.address)

    def recorded(self, sink):
        return sum(1 for _ in sink.events())

    def test_holds_for_all_connections_to_an_endpoint_together(self):
        count, rate = 3000, 2000
        sink = self.sink()
        self.assert_exit(self.ship([sink], self.lines_file(count), settings=f"worker=3&rate_limit={rate}/s"), 0)
        self.assert_each_once(self.deliveries(count, [sink]))
        # All but a burst and a batch, of a tenth of a second each, come at the rate.
        self.assertGreaterEqual(self.ledger()["seconds"], (count - 0.2 * rate) / rate)
        endpoint = self.endpoint(sink)
        self.assertEqual(endpoint["rate_limit"], rate)
        self.assertGreater(endpoint["at_rate_limit_seconds"], 1)

    def test_what_one_may_not_have_the_others_take(self):
        count, rate = 20_000, 200
        limited, free = self.sink(), self.sink()
        ship = self.run_program("ship", "--to", f"lumberjack://{limited.address}?rate_limit={rate}/s",
                                "--to", f"lumberjack://{free.address}",
                                "--report", self.directory / "ship.report", self.lines_file(count))
        self.assert_exit(ship, 0)
        self.assert_each_once(self.deliveries(count, [limited, free]))
        ledger = self.ledger()
        self.assertEqual(ledger["acked"], count)
        self.assertLessEqual(self.endpoint(limited)["acked"], rate * ledger["seconds"] + 0.2 * rate)
        self.assertEqual(self.endpoint(limited)["acked"] + self.endpoint(free)["acked"], count)
        self.assertNotIn("rate_limit", self.endpoint(free))

    def test_a_file_of_hosts_may_change_it_while_events_go_on(self):
        sink = self.sink()
        hosts = self.file("hosts", f"{sink.address}?rate_limit=1/h\n")
        ship = self.run_program("ship", "--to", f"lumberjack://?hosts_file={hosts}",
                                "--report", self.directory / "ship.report", "-", stdin=subprocess.PIPE)
        ship.stdin.write(b"".join(numbered_line(n) + b"\n" for n in range(1000)))
        ship.stdin.close()
        # One may be given at once, and one may be owed for.
        wait_until(lambda: self.recorded(sink) == 2, "what the limit allows arrives", ship, sink)
        os.rename(self.file("hosts.new", f"{sink.address}?rate_limit=1M/s\n"), hosts)
        self.assert_exit(ship, 0)
        self.assertEqual(self.recorded(sink), 1000)
        self.assertEqual(self.ledger()["acked"], 1000)

    def test_a_shutdown_keeps_to_it_until_its_deadline(self):
        sink = self.sink()
        ship = self.ship([sink], "-E", "shutdown_timeout=1s", self.lines_file(100), settings="rate_limit=1/h")
        wait_until(lambda: self.recorded(sink) == 2, "what the limit allows arrives", ship, sink)
        ship.signal(signal.SIGTERM)
        self.assert_exit(ship, 1)
        self.assertEqual(self.recorded(sink), 2)
        ledger = self.ledger()
        self.assertEqual(ledger["acked"], 2)
        self.assertEqual(ledger["dropped"].get("closed", 0) + ledger["queued"], ledger["accepted"] - 2)

    def test_mistakes_are_told_with_their_place(self):
        config = self.file("windlass.yml", "output.logstash:\n  hosts: h1\n  rate_limit: 5000 a second\n")
        checked = self.finish("test", "config", "-c", config)
        self.assertEqual(checked.exit_code(), 2)
        self.assertIn(f"{config}:3:15: output.logstash.rate_limit: expected a rate such as 5000/s",
                      checked.log() + checked.output())


if __name__ == "__main__":
    unittest.main()
