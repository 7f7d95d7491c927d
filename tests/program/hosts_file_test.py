"""A file of hosts that changes while events are shipped."""

import os
import subprocess
import unittest

from harness import ProgramTest, numbered_line, wait_until


class HostsFile(ProgramTest):
    def write(self, *lines):
        """As careful editors do: another file is put in its place."""
        new = self.file("hosts.new", "".join(f"{line}\n" for line in lines))
        os.rename(new, self.directory / "hosts")

    def start(self, settings=""):
        """`windlass ship` of what say() writes."""
        self.said = 0
        return self.run_program("ship", "--to", f"lumberjack://?hosts_file={self.directory / 'hosts'}{settings}",
                                "--report", self.directory / "ship.report", "-", stdin=subprocess.PIPE)

    def say(self, ship, count):
        ship.stdin.write(b"".join(numbered_line(n) + b"\n" for n in range(self.said, self.said + count)))
        ship.stdin.flush()
        self.said += count

    def recorded(self, *sinks):
        return sum(1 for sink in sinks for _ in sink.events())

    def assert_arrived(self, *sinks):
        wait_until(lambda: self.recorded(*sinks) == self.said, "everything arrives", *sinks)

    def test_endpoints_join_and_leave_and_nothing_is_lost(self):
        first, second = self.sink(), self.sink()
        self.write("# one to begin with", first.address)
        ship = self.start()
        self.say(ship, 1000)
        self.assert_arrived(first)
        self.write(first.address, f"{second.address}  # joins")
        wait_until(lambda: f"joining: {second.address}" in ship.log(), "the second one joins", ship)
        self.write(second.address)
        wait_until(lambda: f"leaving: {first.address}" in ship.log(), "the first one leaves", ship)
        # It has been told; what it had in flight is finished before it disconnects.
        first.stop()
        self.say(ship, 1000)
        self.assert_arrived(first, second)
        ship.stdin.close()
        self.assert_exit(ship, 0)
        ledger = self.ledger()
        self.assertEqual(ledger["acked"], 2000)
        self.assertEqual({one["endpoint"] for one in ledger["endpoints"]}, {first.address, second.address})
        self.assertEqual(sum(one["acked"] for one in ledger["endpoints"]), 2000)
        second.stop()
        self.assertEqual(self.deliveries_by_number([first, second], 2000), 2000)

    def deliveries_by_number(self, sinks, count):
        return len({event["message"] for sink in sinks for event in sink.events()} &
                   {numbered_line(n).decode() for n in range(count)})

    def test_a_bad_file_keeps_the_last_good_set_and_says_why(self):
        sink = self.sink()
        self.write(sink.address)
        ship = self.start()
        self.say(ship, 10)
        self.assert_arrived(sink)
        for lines, problem in ((["h1", "h2:99999"], ":2: "), ([], "expected at least one host"), (None, "cannot read it")):
            if lines is None:
                os.unlink(self.directory / "hosts")
            else:
                self.write(*lines)
            wait_until(lambda text=problem: any(str(self.directory / "hosts") in line and text in line and
                                                "the endpoints stay as they are" in line
                                                for line in ship.log().splitlines()), problem, ship)
            self.say(ship, 10)
            self.assert_arrived(sink)
        ship.stdin.close()
        self.assert_exit(ship, 0)
        self.assertNotIn("leaving", ship.log())

    def test_one_at_a_time_the_next_one_takes_over_when_the_one_in_use_leaves(self):
        first, second = self.sink(), self.sink()
        self.write(first.address)
        ship = self.start("&loadbalance=false")
        self.say(ship, 10)
        self.assert_arrived(first)
        self.write(first.address, second.address)
        wait_until(lambda: f"joining: {second.address}" in ship.log(), "the second one joins", ship)
        self.say(ship, 10)
        self.assert_arrived(first)
        self.write(second.address)
        wait_until(lambda: f"leaving: {first.address}" in ship.log(), "the first one leaves", ship)
        self.say(ship, 10)
        self.assert_arrived(first, second)
        self.assertEqual(self.recorded(second), 10)
        ship.stdin.close()
        self.assert_exit(ship, 0)

    def test_a_file_that_is_bad_at_the_start_is_an_error(self):
        self.write("h1", "h2:http")
        for arguments in (["test", "config"], ["ship"]):
            done = self.finish(*arguments, "--to", f"lumberjack://?hosts_file={self.directory / 'hosts'}",
                               *(["/dev/null"] if arguments == ["ship"] else []))
            self.assert_exit(done, 2)
            self.assertIn(f"{self.directory / 'hosts'}:2: ", done.log())


class HostsThatChange(ProgramTest):
    def test_each_address_of_a_name_is_an_endpoint_of_its_own(self):
        sink = self.sink()
        ship = self.run_program("ship", "--to", f"lumberjack://localhost:{sink.port}?resolve_interval=1s",
                                "--report", self.directory / "ship.report", self.lines_file(1000))
        self.assert_exit(ship, 0)
        sink.stop()
        self.assert_each_once(self.deliveries(1000, [sink]))
        acked = {one["endpoint"]: one["acked"] for one in self.ledger()["endpoints"]}
        self.assertEqual(acked[sink.address], 1000)
        self.assertNotIn(f"localhost:{sink.port}", acked)

    def test_a_name_that_cannot_be_found_is_told(self):
        ship = self.run_program("ship", "--to", "lumberjack://nobody.invalid?resolve_interval=1s",
                                "--report", self.directory / "ship.report", self.lines_file(10))
        wait_until(lambda: "looking up nobody.invalid: " in ship.log(), "the log says so", ship)
        ship.stop()
        ship.stop()
        self.assertEqual(self.ledger()["acked"], 0)


class Priority(ProgramTest):
    def start(self, *urls):
        return self.run_program("ship", *(part for url in urls for part in ("--to", url)),
                                "--report", self.directory / "ship.report", "-", stdin=subprocess.PIPE)

    def say(self, ship, numbers):
        ship.stdin.write(b"".join(numbered_line(n) + b"\n" for n in numbers))
        ship.stdin.flush()

    def test_a_standby_draws_only_while_those_before_it_are_down(self):
        first, standby = self.sink(), self.sink()
        ship = self.start(f"lumberjack://{first.address}?backoff.init=10ms&backoff.max=100ms",
                          f"lumberjack://{standby.address}?priority=1")
        self.say(ship, range(100))
        wait_until(lambda: self.count(first) == 100, "the first one takes everything", ship)
        self.assertEqual(self.count(standby), 0)
        first.stop()
        self.say(ship, range(100, 200))
        wait_until(lambda: self.count(standby) == 100, "the standby takes over", ship)
        again = self.restart(first)
        wait_until(lambda: ship.log().count(f"{first.address}: connected") == 2, "it is back", ship)
        said = 200  # one by one, until it has shown that it works
        while self.count(again) == 100:
            self.say(ship, [said])
            said += 1
            wait_until(lambda: self.count(again, standby) == said, "a line arrives", ship)
        taken = self.count(standby)
        self.say(ship, range(said, said + 100))
        wait_until(lambda: self.count(again, standby) == said + 100, "everything arrives", ship)
        self.assertEqual(self.count(standby), taken)
        ship.stdin.close()
        self.assert_exit(ship, 0)
        self.assertEqual(self.ledger()["acked"], said + 100)

    def count(self, *sinks):
        return sum(1 for sink in sinks for _ in sink.events())


if __name__ == "__main__":
    unittest.main()
