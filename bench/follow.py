#!/usr/bin/env python3
"""What it costs to follow files: one that is large, beside shipping it by name; ten thousand that rest; ten thousand that grow.

CPU time and memory are the shipper's own; three sinks run beside it on the same machine.
usage: bench/follow.py WINDLASS [LINES [FILES]]
"""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from ship import SINKS, write_lines
from sinks import Sink

IDLE_SECONDS = 15
ROUNDS = 10


class Follower:
    """`windlass ship` with inputs, to sinks that record."""

    def __init__(self, windlass, directory, stack):
        self._windlass = windlass
        self.directory = pathlib.Path(directory)
        self.logs = self.directory / "logs"
        self.logs.mkdir()
        self._records = [self.directory / f"record-{number}" for number in range(SINKS)]
        self._sinks = [stack.enter_context(Sink(windlass, "--record", str(record))) for record in self._records]
        self._read = [0] * SINKS
        self.arrived = 0

    def config(self):
        path = self.directory / "windlass.yml"
        path.write_text(f"path.data: {self.directory}/data\ninputs: [{{type: file, paths: ['{self.logs}/*.log']}}]\n"
                        f"output.logstash: {{hosts: {json.dumps([sink.address for sink in self._sinks])}, "
                        "loadbalance: true}\n")
        return str(path)

    def start(self, *arguments):
        return subprocess.Popen([self._windlass, "ship", "-c", self.config(), "--report", str(self.directory / "report"),
                                 *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def named(self, path):
        hosts = ",".join(sink.address for sink in self._sinks)
        return subprocess.Popen([self._windlass, "ship", "--to", f"lumberjack://{hosts}", "--report",
                                 str(self.directory / "report"), str(path)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def report(self, process):
        if process.wait() != 0:
            raise SystemExit("a shipper failed")
        return json.loads((self.directory / "report").read_text())

    def wait_for(self, events):
        while self.arrived < events:
            for number, record in enumerate(self._records):
                if record.exists():
                    with open(record, "rb") as file:
                        file.seek(self._read[number])
                        new = file.read()
                    self._read[number] += len(new)
                    self.arrived += new.count(b"\n")
            time.sleep(0.01)


def cpu_seconds(process):
    words = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def resident(process):
    return int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def one_large_file(windlass, source, lines):
    print(f"{'a file of ' + str(lines) + ' lines':<28} {'events/s':>12} {'ns CPU':>8} {'MB resident':>12}")
    costs = {}
    for name in ("named", "followed"):
        runs = []
        for _ in range(3):
            with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
                follower = Follower(windlass, directory, stack)
                path = follower.logs / "a.log"
                os.link(source, path)
                runs.append(follower.report(follower.named(path) if name == "named" else follower.start("--once")))
        middle = sorted(runs, key=lambda report: report["cpu_seconds"])[1]
        costs[name] = middle["cpu_seconds"] / middle["acked"] * 1e9
        print(f"{name:<28} {middle['acked'] / middle['seconds']:>12.0f} {costs[name]:>8.0f} "
              f"{middle['max_rss_bytes'] / 1e6:>12.1f}", flush=True)
    print(f"following costs {costs['followed'] / costs['named']:.2f} times the CPU of shipping by name")


def many_files(windlass, files):
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        follower = Follower(windlass, directory, stack)
        paths = [str(follower.logs / f"{number}.log") for number in range(files)]

        def grow(round_number):
            for path in paths:
                with open(path, "ab", buffering=0) as file:
                    file.write(b"2026-01-01T10:00:00Z round %06d " % round_number + b"x" * 90 + b"\n")

        grow(0)
        process = follower.start()
        begun = time.monotonic()
        follower.wait_for(files)
        print(f"{files} files found and read in {time.monotonic() - begun:.1f} s, {cpu_seconds(process):.2f} s of CPU")

        cpu, begun = cpu_seconds(process), time.monotonic()
        time.sleep(IDLE_SECONDS)
        share = (cpu_seconds(process) - cpu) / (time.monotonic() - begun)
        print(f"{files} files at rest: {100 * share:.2f} % of a core, {resident(process) / 1e6:.1f} MB resident")

        cpu, begun = cpu_seconds(process), time.monotonic()
        for number in range(1, ROUNDS + 1):
            grow(number)
        follower.wait_for(files * (ROUNDS + 1))
        events = files * ROUNDS
        seconds = time.monotonic() - begun
        print(f"{files} files that grow by a line each: {events / seconds:.0f} events/s, "
              f"{(cpu_seconds(process) - cpu) / events * 1e6:.1f} us CPU an event, {resident(process) / 1e6:.1f} MB resident")
        process.terminate()
        follower.report(process)


def main():
    windlass = sys.argv[1]
    lines = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    with tempfile.TemporaryDirectory() as directory:
        source = pathlib.Path(directory, "lines.log")
        write_lines(source, lines)
        one_large_file(windlass, source, lines)
    many_files(windlass, int(sys.argv[3]) if len(sys.argv) > 3 else 10_000)


if __name__ == "__main__":
    main()
