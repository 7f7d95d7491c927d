"""The shipper is killed fifty times in a row, while files are written and rotated and sinks come and go."""

import collections
import json
import os
import random
import re
import subprocess

from following import FollowingTest
from harness import wait_until
from namespaces import own_mounts

LINE = re.compile(rb"line (\d{7}) x* end\n")
LEAST_FOR_COPIES = 256  # bytes of a file, before a copy of it is recognized
IN_FLIGHT = 100         # events, at one sink: bulk_max_size x pipelining
DELAY = "2ms"           # of each acknowledgement, so that something is in flight


def line(number):
    return f"line {number:07d} {'x' * (number % 50)} end\n"


class Records:
    """What the sinks have recorded: how often each line came, and by which ids. Reads what is new only."""

    def __init__(self):
        self.copies = collections.Counter()
        self.ids = collections.defaultdict(set)
        self._offsets = collections.Counter()

    def read(self, sinks):
        for sink in sinks:
            if not sink.record.exists():
                continue
            with open(sink.record, "rb") as file:
                file.seek(self._offsets[sink.record])
                new = file.read()
            whole = new[:new.rfind(b"\n") + 1]
            self._offsets[sink.record] += len(whole)
            for text in whole.splitlines():
                event = json.loads(text)
                number = int(LINE.fullmatch(event["message"].encode() + b"\n")[1])
                self.copies[number] += 1
                if "@metadata" in event:  # Elasticsearch does not store it
                    self.ids[event["@metadata"]["_id"]].add(number)
        return self


class Story(FollowingTest):
    """What goes on, and what must be true of it at each kill and at the end."""

    kills = 50
    sinks_die = True

    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("WINDLASS_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"WINDLASS_SEED={seed}")
        self.dice = random.Random(seed)
        self.sinks = self.make_sinks()
        self.away = set()  # which of them are
        self.records = Records()
        self.written = 0
        self.kills_done = 0
        self.sink_kills = 0
        self.behind = collections.Counter()  # by line: how often kills found that it had to be sent again
        self.disk_queue = False
        self.disk_is_full = self.disk_was_full = False
        self.general = "queue.mem.events: 400"

    def make_sinks(self):
        return [self.sink("--delay", DELAY), self.sink("--delay", DELAY)]

    def use_disk_queue(self):
        self.disk_queue = True
        self.general += f"""
queue.disk.path: {self.directory}/queue
queue.disk.max_size: 10MiB
queue.disk.segment_size: 64KiB"""

    # The shipper.

    def start(self):
        self.ship = self.follow(self.config(self.sinks, general=self.general))

    def reads(self):
        """Whether it has come to the files."""
        try:
            return any(os.readlink(f"/proc/{self.ship.pid}/fd/{name}").startswith(f"{self.logs}/")
                       for name in os.listdir(f"/proc/{self.ship.pid}/fd"))
        except OSError:
            return False

    def wait(self, condition, what):
        wait_until(lambda: condition() or self.ship.exit_code() is not None, what, self.ship, *self.sinks, pause=0.0005)
        self.assertIsNone(self.ship.exit_code(), self.ship.story())

    def wait_for_a_moment(self):
        """To any point of its work: before it has begun, at its beginning, when positions move, when some has arrived."""
        how_far = self.dice.random()
        if how_far < 0.2:
            return
        self.wait(self.reads, "it opens files")
        held_up = len(self.away) == len(self.sinks) or (self.disk_is_full and self.disk_queue)
        if how_far < 0.4 or held_up:
            return
        if how_far < 0.7 and not self.disk_is_full:
            before = self.entries()
            self.wait(lambda: self.entries() != before or len(self.done_with()) == self.written, "positions move")
            return
        have = len(self.records.read(self.sinks).copies)
        want = have + self.dice.randint(0, self.written - have)
        self.wait(lambda: len(self.records.read(self.sinks).copies) >= want, "so many lines")

    def done_with(self):
        """The lines that the registry says are done with."""
        contents = [path.read_bytes() for path in self.logs.iterdir()]
        return {int(found[1]) for entry in self.entries() if entry.position > 0
                for content in contents if entry.begins(content)
                for found in LINE.finditer(content[:entry.position])}

    def kill(self):
        self.wait_for_a_moment()
        self.ship.kill()
        self.kills_done += 1
        self.records.read(self.sinks)
        done_with = self.done_with()
        queued = self.in_the_queue() if self.disk_queue else {}
        kept = set(self.records.copies) | set(queued)
        self.assertIsNone(min(done_with - kept, default=None), "a position is ahead of what is delivered")
        for number in range(self.written):
            self.behind[number] += (number not in done_with) + queued.get(number, 0)

    def in_the_queue(self):
        """The lines that the next run will send from there, and how often."""
        codes = {0}
        if not list(self.directory.glob("queue/*.seg")):
            codes.add(2)  # the first run did not come to make it
        if self.disk_was_full:
            codes.add(1)  # a position file is not complete
        return collections.Counter(int(text[5:12]) for text in self.queued(codes))

    # What goes on around it.

    def write_lines(self, name, count):
        self.write(name, "".join(line(number) for number in range(self.written, self.written + count)))
        self.written += count

    def is_known(self, name):
        """Whether the registry has what the file begins with, so that a copy of it will be recognized."""
        content = (self.logs / name).read_bytes()
        return any(entry.fingerprint_bytes == LEAST_FOR_COPIES and entry.begins(content) for entry in self.entries())

    def rotate(self, name, how):
        numbers = sorted((int(path.suffix[1:]) for path in self.logs.glob(f"{name}.*")), reverse=True)
        if how == "copy":
            if len(self.away) == len(self.sinks):
                return  # while nothing is taken, nothing is looked at
            self.wait(lambda: self.is_known(name), f"{name} is known")
        for number in numbers:
            os.rename(self.logs / f"{name}.{number}", self.logs / f"{name}.{number + 1}")
        if how == "rename":
            os.rename(self.logs / name, self.logs / f"{name}.1")
            return
        # The writer waits until both are done: what it wrote in between would be lost by nature.
        (self.logs / f"{name}.1").write_bytes((self.logs / name).read_bytes())
        if self.dice.random() < 0.3:
            self.kill()
            self.start()
        os.truncate(self.logs / name, 0)

    def sinks_come_and_go(self):
        for which in range(len(self.sinks)):
            if which in self.away:
                if self.dice.random() < 0.5:
                    self.return_sink(which)
            elif self.sinks_die and self.dice.random() < 0.15:
                self.sinks[which].kill()
                self.away.add(which)
                self.sink_kills += 1

    def return_sink(self, which):
        self.sinks[which] = self.restart(self.sinks[which], "--delay", DELAY)
        self.away.remove(which)

    def run_story(self, rotations, between=lambda: None):
        self.start()
        while self.kills_done < self.kills:
            between()
            for _ in range(self.dice.randint(1, 4)):
                name = self.dice.choice(["a.log", "b.log"])
                self.write_lines(name, self.dice.randint(20, 120))
                if (self.logs / name).stat().st_size > 4000 and self.dice.random() < 0.4:
                    self.rotate(name, self.dice.choice(rotations))
            self.sinks_come_and_go()
            self.kill()
            self.start()

    def finish_story(self):
        """Nothing is in the way any more: each line arrives, and what came more than once is accounted for."""
        for which in list(self.away):
            self.return_sink(which)
        self.kill()
        config = self.config(self.sinks, general=self.general)
        self.assert_exit(self.follow(config, "--once"), 0)
        self.assertIsNone(min(set(range(self.written)) - self.done_with(), default=None), "not done with")
        self.assert_exit(self.follow(config, "--once"), 0)
        self.assertEqual(self.ledger()["accepted"], 0)
        for sink in self.sinks:
            sink.stop()
        copies = self.records.read(self.sinks).copies
        self.assertIsNone(min(set(range(self.written)) - set(copies), default=None), "missing")
        # A line comes again when a kill finds it not done with, or with a sink that dies with it in flight.
        unaccounted = sum(max(0, count - 1 - self.behind[number]) for number, count in copies.items())
        self.assertLessEqual(unaccounted, self.sink_kills * IN_FLIGHT)
        print(f"{self.written} lines, {self.kills_done} kills: {copies.total() - self.written} came again")


class Killed(Story):
    def finish_story(self):
        super().finish_story()
        self.assertTrue(all(len(lines) == 1 for lines in self.records.ids.values()), "one id for two lines")
        self.assertEqual(len(self.records.ids), self.written, "two ids for one line")

    def test_with_rotation_by_renaming(self):
        self.run_story(["rename"])
        self.finish_story()

    def test_with_rotation_by_copying_too(self):
        self.run_story(["rename", "copy"])
        self.finish_story()

    def test_with_a_queue_on_disk(self):
        self.use_disk_queue()
        self.run_story(["rename"])
        self.finish_story()

    def test_while_the_disk_of_the_registry_is_full_at_times(self):
        self.fill_at_times(self.small_disk("data", "128k"))

    def test_while_the_disk_of_the_registry_and_of_the_queue_is_full_at_times(self):
        small = self.small_disk("data", "4m")
        (small / "queue").mkdir()
        (self.directory / "queue").symlink_to(small / "queue")
        self.use_disk_queue()
        self.fill_at_times(small)

    def small_disk(self, name, size):
        """A directory with so much room."""
        problem = own_mounts()
        if problem:
            self.skipTest(f"file systems cannot be mounted here: {problem}")
        path = self.directory / name
        path.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest(f"a small file system cannot be mounted here: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=True)
        return path

    def fill_at_times(self, small):
        filler = small / "filler"

        def fill_or_not():
            filler.unlink(missing_ok=True)
            self.disk_is_full = self.dice.random() < 0.5
            self.disk_was_full |= self.disk_is_full
            try:
                with open(filler, "wb", buffering=0) as file:
                    while self.disk_is_full:
                        file.write(bytes(4096))
            except OSError:
                pass

        self.run_story(["rename"], fill_or_not)
        filler.unlink()
        self.finish_story()


class KilledWhereIdsAreKept(Story):
    """Elasticsearch stores each id once, so that each line is stored once, however often it was sent."""

    output = "elasticsearch"
    sinks_die = False  # theirs would be a crash of the whole cluster; its connections end again and again

    def make_sinks(self):
        return [self.sink("--delay", DELAY, "--close-after", "150", scheme="elasticsearch")]

    def run_and_finish(self):
        self.run_story(["rename", "copy"])
        self.finish_story()
        self.assertEqual(self.records.copies.total(), self.written)
        self.assertGreater(self.sinks[0].report()["known"], 0, "nothing was sent twice")

    def test_each_line_is_stored_once(self):
        self.run_and_finish()

    def test_each_line_is_stored_once_with_a_queue_on_disk(self):
        self.use_disk_queue()
        self.run_and_finish()
