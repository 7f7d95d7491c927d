"""Files and standard output as outputs."""

import signal
import subprocess
import types
import unittest

import harness
from harness import ProgramTest, wait_until


class FileOutput(ProgramTest):
    def to(self, url, *arguments, **more):
        return self.run_program("ship", "--to", url, "--report", self.directory / "ship.report", *arguments, **more)

    def written(self, *paths):
        return [types.SimpleNamespace(record=path) for path in paths]

    def test_each_line_is_written_once_and_in_order(self):
        out = self.directory / "out"
        self.assert_exit(self.to(f"file://{out}", self.lines_file(50_000)), 0)
        self.assert_each_once(self.deliveries(50_000, self.written(out)))
        self.assertEqual(self.ledger()["acked"], 50_000)
        self.assertEqual(out.stat().st_mode & 0o777, 0o600)
        with open(out, "rb") as lines:
            for number, line in enumerate(lines):
                self.assertIn(b"line %07d" % number, line)

    def test_rotates_by_size_as_an_output_section_of_filebeats_says(self):
        config = self.file("windlass.yml", f"""\
output.file:
  path: {self.directory}
  filename: out
  rotate_every_kb: 1024
  number_of_files: 1000
  sync: batch
""")
        self.assert_exit(self.run_program("ship", "-c", config, self.lines_file(20_000)), 0)
        files = [path for path in self.directory.iterdir() if path.name == "out" or path.name.startswith("out.")
                 and path.name[4:].isdigit()]
        self.assertGreater(len(files), 5)
        for path in files:
            self.assertLessEqual(path.stat().st_size, 1024 * 1024)
        self.assert_each_once(self.deliveries(20_000, self.written(*files)))

    def test_a_full_disk_costs_nothing_but_time(self):
        out = self.directory / "out"
        # The limit stands for the disk: a write beyond it is cut short, and then fails.
        small = subprocess.Popen(
            ["prlimit", "--fsize=1000000:unlimited", "env", "--ignore-signal=XFSZ", harness.PROGRAM, "ship", "--to",
             f"file://{out}?backoff.init=10ms&backoff.max=50ms", self.lines_file(20_000)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(small.stderr.close)
        self.addCleanup(small.wait)
        self.addCleanup(small.kill)
        for line in small.stderr:
            if "File too large" in line:
                break
        else:
            self.fail("the log names the reason")
        self.assertTrue(out.read_bytes().endswith(b"}\n"), "the file ends with a whole line")
        subprocess.run(["prlimit", f"--pid={small.pid}", "--fsize=unlimited:unlimited"], check=True)
        small.stderr.read()
        self.assertEqual(small.wait(), 0)
        self.assert_each_once(self.deliveries(20_000, self.written(out)))

    def test_a_missing_directory_is_waited_for(self):
        ship = self.to(f"file://{self.directory}/later/out?backoff.init=10ms&backoff.max=50ms", self.lines_file(1000))
        wait_until(lambda: "No such file or directory" in ship.log(), "the log names the reason", ship)
        (self.directory / "later").mkdir()
        self.assert_exit(ship, 0)
        self.assert_each_once(self.deliveries(1000, self.written(self.directory / "later" / "out")))

    def test_standard_output_holds_events_alone(self):
        ship = self.to("stdout://", self.lines_file(20_000))
        self.assert_exit(ship, 0)
        self.assert_each_once(self.deliveries(20_000, self.written(self.directory / f"{ship.name}.out")))
        self.assertIn("20000 of 20000 events acknowledged", ship.log())

    def test_it_ends_with_the_reader_of_its_standard_output(self):
        ship = subprocess.Popen([harness.PROGRAM, "ship", "--to", "stdout://", self.lines_file(50_000)],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(ship.kill)
        self.assertIn(b"line 0000000", ship.stdout.readline())
        ship.stdout.close()
        self.assertEqual(ship.wait(harness.PATIENCE), -signal.SIGPIPE)


if __name__ == "__main__":
    unittest.main()
