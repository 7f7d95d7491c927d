"""Files that are followed: from where the last run ended, through rotations and restarts."""

import os

from following import FollowingTest
from harness import wait_until


class Following(FollowingTest):
    def test_what_is_added_is_shipped_and_another_run_goes_on(self):
        sink = self.sink()
        config = self.config([sink])
        self.write("a.log", "first\n")
        ship = self.follow(config)
        wait_until(self.arrived(1, sink), "the first line", ship, sink)
        self.write("a.log", "second\n")
        self.write("b.log", "third\n")
        wait_until(self.arrived(3, sink), "what was added", ship, sink)
        self.assertEqual(ship.stop(), 0)
        ledger = self.ledger()
        self.assertEqual(ledger["input"]["files"]["found"], 2)
        self.assertEqual(ledger["input"]["files"]["lag_bytes"], 0)
        self.write("a.log", "fourth\n")
        again = self.follow(config)
        wait_until(self.arrived(4, sink), "what was added meanwhile", again, sink)
        self.assertEqual(again.stop(), 0)
        sink.stop()
        self.assertEqual(sorted(self.messages(sink)), ["first", "fourth", "second", "third"])

    def test_positions_are_saved_while_it_runs(self):
        sink = self.sink()
        config = self.config([sink])
        self.write("a.log", "first\nsecond\n")
        ship = self.follow(config)
        wait_until(self.at_the_ends, "positions at the ends", ship, sink)
        ship.kill()
        self.assert_exit(self.follow(config, "--once"), 0)
        self.assertEqual(self.ledger()["accepted"], 0)

    def test_once_reads_to_the_ends_and_a_second_time_has_nothing_to_do(self):
        sink = self.sink()
        config = self.config([sink])
        self.write("a.log", "first\nlast, without an end")
        self.assert_exit(self.follow(config, "--once"), 0)
        self.assertEqual(self.ledger()["acked"], 2)
        self.assert_exit(self.follow(config, "--once"), 0)
        self.assertEqual(self.ledger()["accepted"], 0)

    def test_a_line_has_the_same_id_whether_its_file_is_followed_or_named(self):
        sink = self.sink()
        self.write("a.log", "first\nsecond\n")
        self.assert_exit(self.follow(self.config([sink]), "--once"), 0)
        self.write("a.log", "third\n")
        self.assert_exit(self.ship([sink], self.logs / "a.log"), 0)
        self.assert_exit(self.follow(self.config([sink]), "--once"), 0)
        ids = {}
        for event in sink.events():
            ids.setdefault(event["message"], []).append(event["@metadata"]["_id"])
        self.assertEqual({text: (len(of), len(set(of))) for text, of in ids.items()},
                         {"first": (2, 1), "second": (2, 1), "third": (2, 1)})

    def test_copytruncate_loses_what_nobody_read_between_copy_and_truncation_and_nothing_else(self):
        sink = self.sink()
        config = self.config([sink])
        log, copy = self.logs / "a.log", self.logs / "a.log.1"
        read = [f"read before the rotation {number}" for number in range(20)]
        self.write("a.log", "\n".join(read) + "\n")
        ship = self.follow(config)
        wait_until(self.at_the_ends, "it is read", ship, sink)
        self.write("a.log", "read in time\n")
        copy.write_bytes(log.read_bytes().replace(b"read in time\n", b""))  # made before that line was written
        wait_until(self.arrived(21, sink), "the line that no copy has", ship, sink)
        self.assertEqual(ship.stop(), 0)
        os.truncate(log, 0)
        copy.unlink()

        self.write("a.log", "\n".join(read) + "\n")
        self.assert_exit(self.follow(config, "--once"), 0)
        self.write("a.log", "in the copy\n")
        copy.write_bytes(log.read_bytes())
        self.write("a.log", "lost\n")
        os.truncate(log, 0)
        self.write("a.log", "after the truncation\n")
        self.assert_exit(self.follow(config, "--once"), 0)
        self.assertEqual(sorted(self.messages(sink)),
                         sorted(read + ["read in time"] + read + ["in the copy", "after the truncation"]))

    def test_filebeats_section_is_understood(self):
        sink = self.sink()
        self.write("a.log", "first\n")
        self.write("b.log.gz", "no text\n")
        config = self.file("filebeat.yml", f"""
path.data: {self.directory}/data
filebeat.inputs:
- type: filestream
  id: mine
  paths: ["{self.logs}/*"]
  prospector.scanner.exclude_files: ['\\.gz$']
  close.on_state_change.inactive: 1m
  parsers: [{{multiline: {{pattern: x}}}}]
- type: tcp
  host: "localhost:9000"
output.logstash.hosts: ["{sink.address}"]
""")
        ship = self.follow(config, "--once")
        self.assert_exit(ship, 0)
        self.assertEqual(list(self.messages(sink)), ["first"])
        self.assertRegex(ship.log(), "parsers has no effect")
        self.assertRegex(ship.log(), "input of filebeat.inputs is not used")

    def test_two_processes_do_not_share_a_registry(self):
        sink = self.sink()
        config = self.config([sink])
        self.write("a.log", "first\n")
        ship = self.follow(config)
        wait_until(self.arrived(1, sink), "the first line", ship, sink)
        second = self.finish("ship", "-c", config)
        self.assertEqual(second.exit_code(), 2)
        self.assertIn("in use by another process", second.log())
        ship.stop()

    def test_a_damaged_registry_is_kept_aside(self):
        sink = self.sink()
        config = self.config([sink])
        self.write("a.log", "first\n")
        self.assert_exit(self.follow(config, "--once"), 0)
        positions = self.directory / "data/registry/positions"
        positions.write_bytes(b"\0" * 100 + b"\n")
        ship = self.follow(config, "--once")
        self.assert_exit(ship, 0)
        self.assertIn("is none that this version knows", ship.log())
        self.assertEqual((positions.parent / "positions.damaged").read_bytes(), b"\0" * 100 + b"\n")
        self.assertEqual(list(self.messages(sink)), ["first", "first"])

    def test_many_files_are_watched_at_no_cost(self):
        count = 2000
        sink = self.sink()
        for number in range(count):
            self.write(f"{number}.log", f"line of {number}\n")
        ship = self.follow(self.config([sink]))
        wait_until(self.arrived(count, sink), "a line of each file", ship, sink)
        for number in range(count):
            self.write(f"{number}.log", f"another of {number}\n")
        wait_until(self.arrived(2 * count, sink), "another line of each file", ship, sink)
        self.assertLess(len(os.listdir(f"/proc/{ship.pid}/fd")), 300)
        ship.stop()
        self.assert_memory_below(self.ledger()["max_rss_bytes"], 60 << 20)


class WithAQueueOnDisk(FollowingTest):
    """What the queue has made durable is not read from the files again, and needs them no more."""

    def setUp(self):
        super().setUp()
        self.queue = self.directory / "queue"

    def queue_config(self, sinks, **more):
        return self.config(sinks, general=f"queue.disk.path: {self.queue}\nshutdown_timeout: 0s", **more)

    def lines(self, count):
        lines = [f"line {number}" for number in range(count)]
        for number, line in enumerate(lines):
            self.write(f"{number % 3}.log", line + "\n")
        return lines

    def assert_the_queue_has_all(self, sink, lines):
        """The files are gone, and yet each line arrives, once."""
        self.assertEqual(sorted(self.queued()), sorted(lines))
        for path in self.logs.iterdir():
            path.unlink()
        sink = self.restart(sink)
        self.assert_exit(self.follow(self.queue_config([sink]), "--once"), 0)
        self.assertEqual(sorted(self.messages(sink)), sorted(lines))

    def test_positions_move_when_the_queue_has_the_lines(self):
        sink = self.sink()
        sink.stop()
        lines = self.lines(3000)
        ship = self.follow(self.queue_config([sink]))
        wait_until(self.at_the_ends, "positions at the ends, though nothing can be delivered", ship)
        ship.kill()
        self.assert_the_queue_has_all(sink, lines)

    def test_an_end_before_the_delivery_leaves_each_line_in_one_place(self):
        sink = self.sink()
        sink.stop()
        lines = self.lines(3000)
        ship = self.follow(self.queue_config([sink]), "--once")
        wait_until(lambda: self.queue.exists() and self.entries(), "something is read", ship)
        self.assertEqual(ship.stop(), 1)
        ledger = self.ledger()
        self.assertEqual(ledger["queued"], ledger["accepted"])
        stored = self.queued()
        positions = {entry.inode: entry.position for entry in self.entries()}
        read = {line for path in self.logs.iterdir()
                for line in path.read_bytes()[:positions.get(path.stat().st_ino, 0)].decode().splitlines()}
        self.assertEqual(sorted(stored), sorted(read))
        self.assert_exit(self.follow(self.queue_config([self.restart(sink)]), "--once"), 0)
        self.assertEqual(sorted(self.messages(sink)), sorted(lines))
