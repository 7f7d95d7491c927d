#!/usr/bin/env python3
"""What it costs to ship a million lines of about 250 bytes to three sinks, from the file's bytes to the acknowledgement.

CPU time and memory are the shipper's own, as its report says; the sinks run beside it on the same machine.
usage: bench/ship.py WINDLASS [LINES]
"""
import contextlib
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from sinks import Sink

SINKS = 3


def write_lines(path, count):
    """Lines that look like a log: a changing head, and words that repeat as words do."""
    dice = random.Random(1)
    words = ["".join(dice.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(dice.randint(3, 10))) for _ in range(2000)]
    tails = []
    for _ in range(5000):
        tail = ""
        while len(tail) < 250:
            tail += dice.choice(words) + " "
        tails.append(tail)
    with open(path, "w") as file:
        for number in range(count):
            head = f"2026-01-01T10:{number // 60000 % 60:02d}:{number // 1000 % 60:02d}.{number % 1000:03d} app[{number % 32768}]: id={number} "
            file.write((head + dice.choice(tails))[:249] + "\n")


def ship(windlass, path, level, report, queue=None):
    with contextlib.ExitStack() as stack:
        sinks = [stack.enter_context(Sink(windlass)) for _ in range(SINKS)]
        hosts = ",".join(sink.address for sink in sinks)
        stored = ["-E", f"queue.disk.path={queue}"] if queue else []
        subprocess.run([windlass, "ship", "--to", f"lumberjack://{hosts}?compression_level={level}", "--report", report,
                        *stored, path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return json.loads(pathlib.Path(report).read_text())


def main():
    windlass = sys.argv[1]
    lines = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    with tempfile.TemporaryDirectory() as directory:
        path = str(pathlib.Path(directory, "lines.log"))
        write_lines(path, lines)
        print(f"{'shipping':<16} {'events/s':>12} {'ns CPU':>8} {'MB resident':>12} {'lost':>6}")
        queue = str(pathlib.Path(directory, "queue"))
        for name, level, stored in (("uncompressed", 0, None), ("level 1", 1, None), ("level 3", 3, None),
                                    ("0, from disk", 0, queue), ("3, from disk", 3, queue)):
            runs = [ship(windlass, path, level, str(pathlib.Path(directory, "report")), stored) for _ in range(3)]
            runs.sort(key=lambda report: report["cpu_seconds"])
            middle = runs[1]
            print(f"{name:<16} {middle['acked'] / middle['seconds']:>12.0f} "
                  f"{middle['cpu_seconds'] / middle['acked'] * 1e9:>8.0f} "
                  f"{max(run['max_rss_bytes'] for run in runs) / 1e6:>12.1f} {lines - middle['acked']:>6}", flush=True)


if __name__ == "__main__":
    main()
