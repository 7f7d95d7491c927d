"""Files that are followed: from where the last run ended, through rotations, crashes and a full disk."""

import json
import os
import random
import subprocess
import time

from harness import ProgramTest, wait_until


class FollowingTest(ProgramTest):
    """What tests of followed files share."""

    def config(self, sinks, inputs="", name="windlass.yml", general=""):
        hosts = ", ".join(f'"{sink.address}"' for sink in sinks)
        return self.file(name, f"""
path.data: {self.directory}/data
registry.flush: 20ms
inputs:
- type: file
  paths: ["{self.directory}/logs/*.log*"]
  prospector.scanner.check_interval: 200ms
{inputs}
output.logstash:
  hosts: [{hosts}]
  loadbalance: true
  bulk_max_size: 50
  pipelining: 2
  backoff.init: 10ms
  backoff.max: 100ms
{general}
""")

    def setUp(self):
        super().setUp()
        self.logs = self.directory / "logs"
        self.logs.mkdir()

    def follow(self, config, *arguments):
        return self.run_program("ship", "-c", config, "--report", self.directory / "ship.report", *arguments)

    def write(self, name, text):
        with open(self.logs / name, "a") as file:
            file.write(text)

    def messages(self, *sinks):
        # A line that is being recorded has no end yet.
        for sink in sinks:
            if sink.record.exists():
                for line in sink.record.read_bytes().splitlines(keepends=True):
                    if line.endswith(b"\n"):
                        yield json.loads(line)["message"]

    def positions(self):
        """What the registry says, by inode: up to where each file that is there is done with."""
        found = {}
        registry = self.directory / "data/registry/positions"
        for line in registry.read_text().splitlines() if registry.exists() else []:
            words = line.split(" ")
            if len(words) == 17 and words[1] == "+" and words[4] != "l":
                found[int(words[6])] = int(words[14])
        return found

    def at_the_ends(self):
        """Whether all files are done with, as the registry has it."""
        positions = self.positions()
        return all(positions.get(path.stat().st_ino) == path.stat().st_size for path in self.logs.iterdir())

    def arrived(self, count, *sinks):
        return lambda: len(set(self.messages(*sinks))) >= count


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

    def test_once_reads_to_the_ends_and_a_second_time_has_nothing_to_do(self):
        sink = self.sink()
        config = self.config([sink])
        self.write("a.log", "first\nlast, without an end")
        self.assert_exit(self.follow(config, "--once"), 0)
        self.assertEqual(self.ledger()["acked"], 2)
        self.assert_exit(self.follow(config, "--once"), 0)
        self.assertEqual(self.ledger()["accepted"], 0)

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
        self.assertLess(len(os.listdir(f"/proc/{ship._process.pid}/fd")), 300)
        ship.stop()
        self.assertLess(self.ledger()["max_rss_bytes"], 60 << 20)


class WithAQueueOnDisk(FollowingTest):
    """What the queue has made durable is not read from the files again, and needs them no more."""

    def setUp(self):
        super().setUp()
        self.queue = self.directory / "queue"

    def queue_config(self, sinks, **more):
        return self.config(sinks, general=f"queue.disk.path: {self.queue}\nshutdown_timeout: 0s", **more)

    def queued(self):
        exported = self.finish("queue", "export", self.queue)
        self.assert_exit(exported, 0)
        return [json.loads(line)["message"] for line in exported.output().splitlines()]

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
        wait_until(lambda: self.queue.exists() and self.positions(), "something is read", ship)
        self.assertEqual(ship.stop(), 1)
        ledger = self.ledger()
        self.assertEqual(ledger["queued"], ledger["accepted"])
        stored = self.queued()
        read = {line for path in self.logs.iterdir()
                for line in path.read_bytes()[:self.positions().get(path.stat().st_ino, 0)].decode().splitlines()}
        self.assertEqual(sorted(stored), sorted(read))
        self.assert_exit(self.follow(self.queue_config([self.restart(sink)]), "--once"), 0)
        self.assertEqual(sorted(self.messages(sink)), sorted(lines))


class Killed(FollowingTest):
    """The shipper is killed again and again, while files are written and rotated and sinks come and go."""

    kills = 50

    def rotate(self, name, how):
        for number in range(200, 0, -1):
            if (self.logs / f"{name}.{number}").exists():
                os.rename(self.logs / f"{name}.{number}", self.logs / f"{name}.{number + 1}")
        if how == "rename":
            os.rename(self.logs / name, self.logs / f"{name}.1")
        else:
            # The writer waits meanwhile, so that what is written between copy and truncation is not lost by nature.
            (self.logs / f"{name}.1").write_bytes((self.logs / name).read_bytes())
            os.truncate(self.logs / name, 0)

    def run_story(self, rotations, between=lambda dice, number: None, **limits):
        seed = int(os.environ.get("WINDLASS_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"WINDLASS_SEED={seed}")
        dice = random.Random(seed)
        sinks = [self.sink(), self.sink()]
        config = self.config(sinks, **limits)
        written = 0
        sizes = {}
        for kill in range(self.kills):
            between(dice, kill)
            ship = self.follow(config)
            for _ in range(dice.randrange(1, 5)):
                name = dice.choice(["a.log", "b.log"])
                count = dice.randrange(20, 120)
                self.write(name, "".join(f"line {n:07d} {'x' * (n % 50)} end\n" for n in range(written, written + count)))
                written += count
                sizes[name] = sizes.get(name, 0) + count
                if sizes[name] > 100 and dice.random() < 0.4:
                    self.rotate(name, dice.choice(rotations))
                    sizes[name] = 0
                time.sleep(dice.random() * 0.01)  # where in its work it is when it is killed
            if dice.random() < 0.3:
                which = dice.randrange(2)
                sinks[which].kill()
                sinks[which] = self.restart(sinks[which])
            time.sleep(dice.random() * 0.03)
            ship.kill()
        between(None, None)
        ship = self.follow(config)
        wait_until(self.arrived(written, *sinks), "each line", ship, *sinks)
        self.assertEqual(ship.stop(), 0, ship.story())
        for sink in sinks:
            sink.stop()
        by_id = {}
        copies = 0
        for sink in sinks:
            for line in sink.record.read_bytes().splitlines(keepends=True):
                if not line.endswith(b"\n"):
                    continue  # the sink was killed in the midst of it, so it was not acknowledged
                event = json.loads(line)
                copies += 1
                text = by_id.setdefault(event["@metadata"]["_id"], event["message"])
                self.assertEqual(text, event["message"], "one id for two lines")
        numbers = [int(text[5:12]) for text in by_id.values()]
        self.assertEqual(len(set(numbers)), written, "lines are missing")
        return written, len(numbers), copies

    def test_every_line_arrives_and_ids_leave_none_twice_with_renames(self):
        written, distinct, copies = self.run_story(["rename"])
        self.assertEqual(distinct, written)
        # Each kill repeats no more than was in flight or not saved yet.
        self.assertLess(copies - written, written)

    def test_every_line_arrives_and_ids_leave_none_twice_with_copies_too(self):
        written, distinct, _ = self.run_story(["rename", "copy"])
        self.assertEqual(distinct, written)

    def test_every_line_arrives_though_the_disk_of_the_registry_is_full_at_times(self):
        if os.geteuid() != 0:
            self.skipTest("a small file system can be mounted by root only")
        data = self.directory / "data"
        data.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", data], check=False).returncode != 0:
            self.skipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", data], check=False)
        filler = data / "filler"

        def between(dice, _):
            filler.unlink(missing_ok=True)
            if dice and dice.random() < 0.5:
                try:
                    with open(filler, "wb", buffering=0) as file:
                        while True:
                            file.write(bytes(4096))
                except OSError:
                    pass

        written, distinct, _ = self.run_story(["rename"], between)
        self.assertEqual(distinct, written)

