"""A real DNS server, NSD, whose records the tests change. It is the only one that this process and its children know,
once they have a network of their own."""

import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import unittest

from harness import wait_until
from namespaces import own_mounts

DOMAIN = "windlass.test"
ELSEWHERE = "elsewhere.test"
_NSD = shutil.which("nsd") or shutil.which("nsd", path="/usr/sbin")


def use_own_dns():
    """For setUpModule: names are looked up at 127.0.0.1 from now on, and nowhere else. Skips where that cannot be."""
    if not _NSD:
        raise unittest.SkipTest("nsd is the DNS server of these tests")
    problem = own_mounts(network=True)
    if problem:
        raise unittest.SkipTest(f"a network of the tests' own is not permitted here: {problem}")
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as resolv:
        resolv.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        resolv.flush()
        done = subprocess.run(["mount", "--bind", resolv.name, "/etc/resolv.conf"], check=False, capture_output=True,
                              text=True)
    if done.returncode != 0:
        raise unittest.SkipTest(f"/etc/resolv.conf cannot be replaced here: {done.stderr.strip()}")


class DnsServer:
    """NSD for DOMAIN and ELSEWHERE, on port 53 of the loopback."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory) / "nsd"
        self.directory.mkdir()
        self._serial = 0
        zones = "".join(f'zone:\n  name: "{zone}"\n  zonefile: "{zone}"\n' for zone in (DOMAIN, ELSEWHERE))
        (self.directory / "nsd.conf").write_text(
            f'server:\n  ip-address: 127.0.0.1\n  port: 53\n  username: ""\n  server-count: 1\n  database: ""\n'
            f'  zonesdir: "{self.directory}"\n  xfrdir: "{self.directory}"\n  pidfile: "{self.directory}/pid"\n'
            f'  xfrdfile: "{self.directory}/xfrd"\n  zonelistfile: "{self.directory}/zones"\n'
            f'remote-control:\n  control-enable: no\n{zones}')
        self._log = open(self.directory / "log", "ab")
        self._process = None
        self._write("", "")
        self.start()

    def start(self):
        self._process = subprocess.Popen([_NSD, "-d", "-c", self.directory / "nsd.conf"], stdin=subprocess.DEVNULL,
                                         stdout=self._log, stderr=self._log, start_new_session=True)
        self._wait_for_serial()

    def set(self, records, elsewhere=""):
        """The records of both domains from now on, as zone files have them; times to live are a second where none is
        given. Returns when they are served."""
        self._write(records, elsewhere)
        self._process.send_signal(signal.SIGHUP)
        self._wait_for_serial()

    def stop(self):
        """Nobody answers any more."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def end(self):
        self.stop()
        self._log.close()

    def _write(self, records, elsewhere):
        self._serial += 1
        for zone, content in ((DOMAIN, records), (ELSEWHERE, elsewhere)):
            new = self.directory / f"{zone}.new"
            new.write_text(f"$ORIGIN {zone}.\n$TTL 1\n@ SOA ns h {self._serial} 1h 1h 1h 1\n@ NS ns\n"
                           f"ns A 127.0.0.1\n{content}\n")
            os.replace(new, self.directory / zone)

    def _wait_for_serial(self):
        wait_until(lambda: self._serial_of(DOMAIN) == self._serial == self._serial_of(ELSEWHERE),
                   f"the DNS server has the records\n{(self.directory / 'log').read_text()}")

    def _serial_of(self, zone):
        """What the server says of the zone, or None."""
        if self._process.poll() is not None:
            raise AssertionError((self.directory / "log").read_text())
        name = b"".join(bytes([len(label)]) + label.encode() for label in zone.split(".")) + b"\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(1)
            client.connect(("127.0.0.1", 53))
            try:
                client.send(struct.pack(">6H", 1, 0, 1, 0, 0, 0) + name + struct.pack(">2H", 6, 1))
                answer = client.recv(512)
            except OSError:
                return None
        # The SOA record ends with serial, refresh, retry, expire and minimum; the authority section is the NS record.
        found = answer.find(struct.pack(">4I", 3600, 3600, 3600, 1))
        return struct.unpack(">I", answer[found - 4:found])[0] if found > 0 else None
