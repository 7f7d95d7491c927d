"""What the tests of the program share: processes that never outlive their test, waiting for conditions, records.

Tests run the built program, named by the environment variable WINDLASS, against real sockets on the loopback. They
wait for conditions, with a generous deadline, and never for time to pass. SANITIZE names the sanitizers of the build.
"""

import collections
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ.get("WINDLASS", "")
SANITIZED = bool(os.environ.get("SANITIZE"))
PATIENCE = 120.0  # seconds: a machine that is so slow is broken
PAUSE = 0.01

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """The program, running. Standard output and error go to files, which output() and log() read."""

    def __init__(self, directory, name, arguments, stdin=subprocess.DEVNULL):
        self.name = name
        self._out = directory / f"{name}.out"
        self._err = directory / f"{name}.err"
        with open(self._out, "ab") as out, open(self._err, "ab") as err:
            self._process = subprocess.Popen(
                [PROGRAM, *map(str, arguments)],
                stdin=stdin, stdout=out, stderr=err, cwd=directory, preexec_fn=_die_with_parent)

    @property
    def pid(self):
        return self._process.pid

    @property
    def stdin(self):
        return self._process.stdin

    def output(self):
        return self._out.read_text(errors="replace")

    def log(self):
        return self._err.read_text(errors="replace")

    def exit_code(self):
        """None while it runs; negative when it was ended by a signal."""
        return self._process.poll()

    def wait(self):
        """Waits for its end and returns its exit code."""
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end\n{self.story()}") from None

    def signal(self, number):
        self._process.send_signal(number)

    def stop(self):
        """Ends it in the polite way and returns its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait()

    def end(self):
        """Whatever state it is in: afterwards it is gone."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        if self.exit_code() is None:
            self._process.kill()
        self._process.wait()

    def story(self):
        return f"--- {self.name}: exit code {self.exit_code()}\n{self.output()[-2000:]}{self.log()[-4000:]}"


class Server(Process):
    """`windlass COMMAND --listen ...`, with a report. Its port is known once it is made."""

    command = ""

    def __init__(self, directory, name, options=(), port=0, host="127.0.0.1", tls=None, scheme="lumberjack"):
        self.report_path = directory / f"{name}.report"
        self._made_of = (directory, name, options, host, tls, scheme)
        before = (directory / f"{name}.out").read_text() if (directory / f"{name}.out").exists() else ""
        query = "?" + "&".join(f"ssl.{k}={v}" for k, v in tls.items()) if tls else ""
        super().__init__(directory, name, [
            self.command, "--listen", f"{scheme}{'s' if tls else ''}://{host}:{port}{query}",
            "--report", self.report_path, *options])
        wait_until(lambda: "listening on" in self.output()[len(before):] or self.exit_code() is not None,
                   f"the {self.command} listens", self)
        if self.exit_code() is not None:
            raise AssertionError(f"a {self.command} that ended at once\n{self.story()}")
        self.address = self.output()[len(before):].split("listening on ")[1].split()[0].split("://")[1]
        self.port = int(self.address.rsplit(":", 1)[1])

    def report(self):
        return json.loads(self.report_path.read_text())


class Relay(Server):
    """`windlass relay`."""

    command = "relay"

    def again(self, options):
        """Another one in its place, after its end: same port, same endpoints."""
        directory, name, old_options, host, tls, _ = self._made_of
        return Relay(directory, name, (*old_options, *options), self.port, host, tls)


class Sink(Server):
    """`windlass sink`, with a record."""

    command = "sink"

    def __init__(self, directory, name, options=(), port=0, host="127.0.0.1", tls=None, scheme="lumberjack"):
        self.record = directory / f"{name}.record"
        super().__init__(directory, name, ("--record", self.record, *options), port, host, tls, scheme)
        self._made_of = (directory, name, options, host, tls, scheme)

    def again(self, options=None):
        """Another one in its place, after its end: same port, same record."""
        directory, name, old_options, host, tls, scheme = self._made_of
        return Sink(directory, name, old_options if options is None else options, self.port, host, tls, scheme)

    def events(self):
        """The recorded events, one after another."""
        if not self.record.exists():
            return
        with open(self.record, "rb") as file:
            for line in file:
                yield json.loads(line)

    def recorded_bytes(self):
        return self.record.stat().st_size if self.record.exists() else 0


def wait_until(condition, what, *processes, pause=PAUSE):
    """Returns once the condition holds, which is looked at every `pause` seconds. `processes` tell their stories when it
    does not."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            stories = "\n".join(process.story() for process in processes)
            raise AssertionError(f"never came true: {what}\n{stories}")
        time.sleep(pause)


def total_of(report):
    """Every event that the ledger names, wherever it went."""
    return (report["acked"] + sum(report["dropped"].values()) + report["dead_lettered"] + report["queued"] +
            report["in_flight"])


class ProgramTest(unittest.TestCase):
    """A test with a directory of its own, and processes that end with it."""

    def assert_memory_below(self, used, limit, message=None):
        """Of the program as it is shipped: sanitizers hold on to what was freed."""
        if not SANITIZED:
            self.assertLess(used, limit, message)

    def setUp(self):
        self.assertTrue(PROGRAM, "the environment variable WINDLASS names the program that is to be tested")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="windlass-test-"))
        self._processes = []
        self._counts = collections.Counter()
        self.addCleanup(self._clean_up)

    def _clean_up(self):
        for process in self._processes:
            process.end()
            print(process.story())  # `unittest --buffer` shows it where the test has failed
        shutil.rmtree(self.directory)

    def _name(self, kind):
        self._counts[kind] += 1
        return f"{kind}{self._counts[kind]}"

    def _keep(self, process):
        self._processes.append(process)
        return process

    def sink(self, *options, **where):
        return self._keep(Sink(self.directory, self._name("sink"), options, **where))

    def relay(self, sinks, *options, settings="", **where):
        """`windlass relay` to the sinks; `settings` is the query of the URL."""
        to = ",".join(sink.address for sink in sinks)
        return self._keep(Relay(self.directory, self._name("relay"),
                                ("--to", f"lumberjack://{to}" + (f"?{settings}" if settings else ""), *options),
                                **where))

    def restart(self, server, *options):
        """After its end. A sink has these options and no others; a relay has them besides its own."""
        return self._keep(server.again(options))

    def run_program(self, *arguments, stdin=subprocess.DEVNULL):
        """Starts it; see Process."""
        return self._keep(Process(self.directory, self._name("windlass"), arguments, stdin))

    def finish(self, *arguments):
        """Runs it to its end: the process, which has ended, so that its code and texts can be looked at."""
        process = self.run_program(*arguments)
        process.wait()
        return process

    def ship(self, sinks, *arguments, settings="", scheme="lumberjack", stdin=subprocess.DEVNULL):
        """`windlass ship` to the sinks, with a report that ledger() reads. `settings` is the query of the URL."""
        to = ",".join(sink.address for sink in sinks)
        return self.run_program("ship", "--to", f"{scheme}://{to}" + (f"?{settings}" if settings else ""),
                                "--report", self.directory / "ship.report", *arguments, stdin=stdin)

    def ledger(self):
        report = json.loads((self.directory / "ship.report").read_text())
        self.assertEqual(report["accepted"], total_of(report), f"the ledger does not add up: {report}")
        return report

    def assert_exit(self, process, code):
        self.assertEqual(process.wait(), code, process.story())

    def file(self, name, content):
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def lines_file(self, count, name="lines.log"):
        """A file of that many numbered lines, for deliveries()."""
        path = self.directory / name
        with open(path, "wb", buffering=1 << 20) as file:
            for first in range(0, count, 10_000):
                file.write(b"".join(numbered_line(n) + b"\n" for n in range(first, min(count, first + 10_000))))
        return path

    def deliveries(self, count, sinks):
        """How often each of the lines of lines_file(count) stands in the records: one byte a line. Each recorded event
        is looked at: its message must be the line of its number, and its offset where that line begins."""
        found = bytearray(count)
        for sink in sinks:
            if not sink.record.exists():
                continue
            with open(sink.record, "rb", buffering=1 << 20) as file:
                for event in file:
                    begin = event.index(b'"message":"') + 11
                    end = event.index(b'"', begin)
                    message = event[begin:end]
                    number = int(message[5:12])
                    if message != numbered_line(number):
                        self.fail(f"an event that was never sent: {event!r}")
                    begin = event.index(b'"offset":', end) + 9
                    if int(event[begin:event.index(b"}", begin)]) != number * NUMBERED_BYTES:
                        self.fail(f"an event with a wrong offset: {event!r}")
                    if found[number] < 255:
                        found[number] += 1
        return found

    def assert_nothing_missing(self, found):
        self.assertEqual(found.count(0), 0, "lines are missing")

    def assert_each_once(self, found):
        self.assert_nothing_missing(found)
        self.assertEqual(found.count(1), len(found), "lines came more than once")


_FILLER = b"abcdefghijklmnopqrstuvwxyz0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ-" * 5
NUMBERED_BYTES = 250  # of a line, with its newline


def numbered_line(number):
    begin = number % 64
    return b"line %07d " % number + _FILLER[begin:begin + NUMBERED_BYTES - 14]


def extra_copies(found):
    """Deliveries beyond the first of each line."""
    return sum(found) - (len(found) - found.count(0))


class ClosedPort:
    """An address at which connections are refused, and that nobody else can take meanwhile."""

    def __init__(self):
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
