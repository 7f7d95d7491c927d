"""`windlass ship` with a queue on disk: what it has taken survives its end, however it ends."""

import json
import resource
import subprocess

from harness import ProgramTest, wait_until


class DiskQueue(ProgramTest):
    def setUp(self):
        super().setUp()
        self.queue = self.directory / "queue"

    def ship_to_disk(self, address, *arguments, settings=(), stdin=subprocess.DEVNULL):
        flags = [part for setting in settings for part in ("-E", setting)]
        return self.run_program("ship", "--to", f"lumberjack://{address}?backoff.init=50ms&backoff.max=200ms",
                                "-E", f"queue.disk.path={self.queue}", *flags,
                                "--report", self.directory / "ship.report", *arguments, stdin=stdin)

    def stat(self):
        return self.finish("queue", "stat", self.queue)

    def stored(self):
        process = self.stat()
        return int(process.output().split("events not acknowledged")[1].split()[0]) if process.wait() == 0 else 0

    def messages(self, sink):
        return [event["message"] for event in sink.events()]

    def test_what_was_stored_arrives_after_a_kill(self):
        sink = self.sink()
        sink.stop()
        ship = self.ship_to_disk(sink.address, "-", stdin=subprocess.PIPE)
        lines = [f"line {number}" for number in range(5000)]
        ship.stdin.write(("\n".join(lines) + "\n").encode())
        ship.stdin.flush()
        wait_until(lambda: self.stored() == len(lines), "all is stored", ship)
        ship.kill()

        sink = self.restart(sink)
        empty = self.file("empty", "")
        again = self.ship_to_disk(sink.address, empty)
        self.assert_exit(again, 0)
        self.assertEqual(sorted(self.messages(sink)), sorted(lines))
        self.assertEqual(self.ledger()["accepted"], len(lines))
        self.assertEqual(self.ledger()["disk"]["recovered"], len(lines))
        self.assertEqual(self.stored(), 0)

    def test_killed_again_and_again_it_loses_nothing(self):
        sink = self.sink("--delay", "5ms")
        sink.stop()
        lines = self.lines_file(3000).read_bytes().splitlines(keepends=True)
        empty = self.file("empty", "")
        for sent in range(0, len(lines), 500):
            before = self.stored()
            ship = self.ship_to_disk(sink.address, "-", stdin=subprocess.PIPE)
            ship.stdin.write(b"".join(lines[sent:sent + 500]))
            ship.stdin.flush()
            wait_until(lambda: self.stored() == before + 500, "all is stored", ship)
            ship.kill()

            sink = self.restart(sink, "--delay", "5ms")
            recorded = sink.recorded_bytes()
            ship = self.ship_to_disk(sink.address, empty, settings=["output.lumberjack.bulk_max_size=50"])
            wait_until(lambda: sink.recorded_bytes() > recorded, "some of it arrives", ship)
            ship.kill()
            sink.stop()
        sink = self.restart(sink)
        self.assert_exit(self.ship_to_disk(sink.address, empty), 0)
        sink.stop()
        self.assertEqual(len(set(self.messages(sink))), len(lines))

    def test_two_do_not_share_a_queue(self):
        sink = self.sink()
        first = self.ship_to_disk(sink.address, "-", stdin=subprocess.PIPE)
        wait_until(lambda: (self.queue / "position.a").exists(), "the queue is open", first)
        second = self.ship_to_disk(sink.address, "-")
        self.assert_exit(second, 2)
        self.assertIn("in use by another process", second.log())
        self.assert_exit(self.finish("queue", "verify", self.queue), 2)
        self.assertIn("works with this queue", self._processes[-1].log())
        first.stdin.close()
        self.assert_exit(first, 0)

    def test_export_writes_what_is_left(self):
        sink = self.sink()
        sink.stop()
        source = self.file("events", "".join(f'{{"n":{number}}}\n' for number in range(100)))
        ship = self.ship_to_disk(sink.address, "--json", source, settings=["shutdown_timeout=0s"])
        wait_until(lambda: self.stored() == 100, "all is stored", ship)
        self.assertEqual(ship.stop(), 1)
        self.assertEqual(self.ledger()["queued"], 100)
        exported = self.finish("queue", "export", self.queue)
        self.assert_exit(exported, 0)
        self.assertEqual([json.loads(line)["n"] for line in exported.output().splitlines()], list(range(100)))
        self.assert_exit(self.finish("queue", "verify", self.queue), 0)

        segment = next(self.queue.glob("*.seg"))
        content = bytearray(segment.read_bytes())
        content[content.index(b'{"n":50}')] ^= 1
        segment.write_bytes(content)
        verified = self.finish("queue", "verify", self.queue)
        self.assert_exit(verified, 1)
        self.assertIn("are not what was written", verified.log())

        sink = self.restart(sink)
        self.assert_exit(self.ship_to_disk(sink.address, self.file("empty", "")), 1)
        ledger = self.ledger()
        self.assertEqual(ledger["acked"] + ledger["dropped"]["damaged"], 100)
        self.assertTrue(list(self.queue.glob("*.damaged")))

    def test_no_queue_is_told(self):
        self.assert_exit(self.finish("queue", "stat", self.directory / "nowhere"), 2)
        self.assert_exit(self.finish("queue", "export", self.directory), 2)

    def test_a_full_disk_holds_up_and_loses_nothing(self):
        """The limit for a file stands for the disk: nothing can be written beyond it."""
        sink = self.sink("--delay", "1ms")
        path = self.lines_file(20_000)
        ship = self.ship_to_disk(sink.address, path, settings=["queue.disk.segment_size=4MiB", "queue.mem.bytes=1MiB"])
        resource.prlimit(ship._process.pid, resource.RLIMIT_FSIZE, (300 << 10, resource.RLIM_INFINITY))
        wait_until(lambda: "tried again and again" in ship.log() or ship.exit_code() is not None, "it hits", ship)
        resource.prlimit(ship._process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.assert_exit(ship, 0)
        self.assert_nothing_missing(self.deliveries(20_000, [sink]))
