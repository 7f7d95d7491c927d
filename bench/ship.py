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
    """An access log of some service: about 250 bytes a line, of which times, addresses, paths and sizes change."""
    dice = random.Random(1)
    agents = ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
              "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
              "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148",
              "Prometheus/2.53.0", "kube-probe/1.30"]
    verbs = ["GET"] * 8 + ["POST", "PUT"]
    places = ["/api/v1/orders/{}", "/api/v1/customers/{}/basket", "/static/app.{}.js", "/login?next={}", "/health"]
    addresses = [".".join(str(dice.randrange(256)) for _ in range(4)) for _ in range(3000)]
    with open(path, "w") as file:
        for number in range(count):
            place = dice.choice(places).format(dice.randrange(10**6))
            request = "".join(dice.choices("0123456789abcdef", k=16))
            file.write(f'{dice.choice(addresses)} - - [01/Jan/2026:10:{number // 60000 % 60:02d}:{number // 1000 % 60:02d} +0000] '
                       f'"{dice.choice(verbs)} {place} HTTP/1.1" {dice.choice([200, 200, 200, 304, 404, 500])} '
                       f'{dice.randrange(200, 90000)} "https://shop.example/" "{dice.choice(agents)}" '
                       f'rt=0.{dice.randrange(1000):03d} id={request} upstream=10.2.{dice.randrange(4)}.{dice.randrange(9)}:8080 host=shop-{dice.randrange(20)}\n')


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
