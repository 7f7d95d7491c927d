#!/usr/bin/env python3
"""Balancing over real sockets: three endpoints of which one is slow, dies, turns slow, or goes silent; and an idle stream.

All on this machine, so ratios of one run count, not the figures by themselves.
usage: bench/endpoints.py DIRECTORY_OF_BINARIES
"""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from sinks import Sink

RATE = 10_000  # events a second that an ordinary endpoint takes


class Bench:
    def __init__(self, binaries, directory):
        self.windlass = str(pathlib.Path(binaries, "windlass"))
        self._paced = str(pathlib.Path(binaries, "bench_paced"))
        self._directory = directory

    @contextlib.contextmanager
    def sinks(self, *rates):
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(Sink(self.windlass, "--rate", rate, "--record", self.record(number)))
                   for number, rate in enumerate(rates)]
        for number in range(len(rates)):
            os.remove(self.record(number))

    def record(self, number):
        return str(pathlib.Path(self._directory, f"record-{number}"))

    def publish(self, sinks, rate, seconds, meanwhile=None):
        """Runs bench_paced, with `meanwhile` beside it, and answers with what it says."""
        command = [self._paced, ",".join(sink.address for sink in sinks), str(rate), str(seconds)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            beside = threading.Thread(target=meanwhile) if meanwhile else None
            if beside:
                beside.start()
            result = json.loads(process.communicate()[0])
            if beside:
                beside.join()
        return result

    def arrivals(self, number):
        found = {}
        with open(self.record(number), encoding="utf-8") as file:
            for line in file:
                event = int(re.search(r'"number":(\d+)}', line)[1])
                found[event] = found.get(event, 0) + 1
        return found


def row(what, value, goal, fine):
    print(f"{what:<66} {value:>14} {goal:>12} {'yes' if fine else 'NO':>5}", flush=True)


def unequal(bench):
    """Endpoints whose events cost 1, 1 and 20: what share of the summed capacity is used."""
    rates = (4 * RATE, 4 * RATE, 4 * RATE // 20)
    with bench.sinks(*(f"{rate}/s" for rate in rates)) as sinks:
        result = bench.publish(sinks, 0, 12)
    share = result["rate"] / sum(rates)
    row("cost of an event 1:1:20, saturated: share of the summed capacity", f"{share:.1%}", ">= 97 %", share >= 0.97)


def killed(bench):
    """Under 67 % load one endpoint is killed for 5 s."""
    back = {}
    with bench.sinks(*[f"{RATE}/s"] * 3) as sinks:
        def accident():
            time.sleep(5)
            sinks[0].kill()
            size = os.path.getsize(bench.record(0))
            time.sleep(5)
            sinks[0].start()
            began = time.monotonic()
            while os.path.getsize(bench.record(0)) == size and time.monotonic() - began < 30:
                time.sleep(0.01)
            back["seconds"] = time.monotonic() - began

        result = bench.publish(sinks, 2 * RATE, 20, accident)
        arrived = {}
        for number in range(3):
            for event, times in bench.arrivals(number).items():
                arrived[event] = arrived.get(event, 0) + times
    lost = result["accepted"] - len(arrived)
    twice = sum(arrived.values()) - len(arrived)
    window = max(endpoint["window"] for endpoint in result["endpoints"])
    row("killed for 5 s under 67 % load: lost", lost, "0", lost == 0)
    row(f"  duplicates (in flight there: {window} batches at most)", twice, f"<= {window * 2048}", twice <= window * 2048)
    row("  from publish to ack over the whole run, p99", f"{result['p99']:.0f} ms", "<= 250 ms", result["p99"] <= 250)
    row("  the returned one carries traffic after", f"{back['seconds']:.2f} s", "<= 1.5 s", back["seconds"] <= 1.5)


def others_p99(result):
    return max(endpoint["p99"] for endpoint in result["endpoints"][1:])


def gray(bench):
    """At half load one endpoint turns 20 times slower, or stops answering: what the others' batches take."""
    load = 3 * RATE // 2
    with bench.sinks(*[f"{RATE}/s"] * 3) as sinks:
        well = bench.publish(sinks, load, 15)
    with bench.sinks(f"{RATE}/s,{RATE // 20}/s@5s", f"{RATE}/s", f"{RATE}/s") as sinks:
        slow = bench.publish(sinks, load, 15)
    with bench.sinks(*[f"{RATE}/s"] * 3) as sinks:
        def silence():
            time.sleep(5)
            sinks[0].signal(signal.SIGSTOP)
            time.sleep(10)
            sinks[0].signal(signal.SIGCONT)

        silent = bench.publish(sinks, load, 15, silence)
    for what, result in (("turns 20 times slower", slow), ("stops answering", silent)):
        ratio = others_p99(result) / others_p99(well)
        row(f"one {what}: the others' p99, send to ack, to that when all are well", f"{ratio:.2f}", "<= 1.20",
            ratio <= 1.2)


def idle(bench):
    """A line written to an idle stream: until it stands in the endpoint's record."""
    with bench.sinks(f"{RATE}/s") as sinks:
        command = [bench.windlass, "ship", "--to", f"lumberjack://{sinks[0].address}", "-"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as ship:
            delays = []
            for number in range(60):
                size = os.path.getsize(bench.record(0)) if os.path.exists(bench.record(0)) else 0
                began = time.monotonic()
                ship.stdin.write(f"line {number}\n".encode())
                ship.stdin.flush()
                while os.path.getsize(bench.record(0)) == size:
                    pass
                delays.append((time.monotonic() - began) * 1e3)
                time.sleep(0.1)
            ship.stdin.close()
            ship.wait()
    delays = sorted(delays[10:])  # not while it connects
    middle, worst = delays[len(delays) // 2], delays[-1]
    row(f"a line on an idle stream (median {middle:.1f} ms): at the endpoint, worst", f"{worst:.1f} ms", "<= 5 ms",
        worst <= 5)


def main():
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(sys.argv[1], directory)
        print(f"{'three endpoints on this machine':<66} {'measured':>14} {'goal':>12} {'met':>5}")
        for scenario in (unequal, killed, gray, idle):
            scenario(bench)


if __name__ == "__main__":
    main()
