"""Embedded endpoints for the benchmarks: `windlass sink` processes on loopback, ended by their own id."""
import re
import subprocess


class Sink:
    def __init__(self, windlass, *options, port=0):
        self._windlass, self._options = windlass, options
        self._process = None
        self.port = port
        self.start()

    def start(self):
        self._process = subprocess.Popen(
            [self._windlass, "sink", "--listen", f"lumberjack://127.0.0.1:{self.port}", *self._options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self._process.stdout.readline()
        found = re.search(r"lumberjack://\S+:(\d+)", line)
        if not found:
            raise SystemExit("a sink did not start")
        self.port = int(found[1])

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
