"""What tests of followed files share."""

import hashlib
import json
import typing

from harness import ProgramTest


class Entry(typing.NamedTuple):
    """Of the registry: how a file begins, and up to where it is done with."""

    state: str
    inode: int
    fingerprint_bytes: int
    fingerprint: int
    position: int

    def begins(self, content):
        """Whether this is what the entry tells of, or a copy of that."""
        head = content[:self.fingerprint_bytes]
        return (len(head) == self.fingerprint_bytes and
                int.from_bytes(hashlib.sha256(head).digest()[:8], "big") == self.fingerprint)


class FollowingTest(ProgramTest):
    """A directory of logs, a registry, and a configuration for both."""

    output = "logstash"

    def setUp(self):
        super().setUp()
        self.logs = self.directory / "logs"
        self.logs.mkdir()

    def config(self, sinks, inputs="", name="windlass.yml", general=""):
        hosts = ", ".join(f'"{sink.address}"' for sink in sinks)
        return self.file(name, f"""
path.data: {self.directory}/data
registry.flush: 10ms
inputs:
- type: file
  paths: ["{self.directory}/logs/*.log*"]
  prospector.scanner.check_interval: 200ms
{inputs}
output.{self.output}:
  hosts: [{hosts}]
  loadbalance: true
  bulk_max_size: 50
  pipelining: 2
  backoff.init: 10ms
  backoff.max: 100ms
{general}
""")

    def follow(self, config, *arguments):
        return self.run_program("ship", "-c", config, "--report", self.directory / "ship.report", *arguments)

    def write(self, name, text):
        with open(self.logs / name, "a") as file:
            file.write(text)

    def messages(self, *sinks):
        # A line that is being recorded has no end yet.
        for sink in sinks:
            if sink.record.exists():
                for line in sink.record.read_bytes().splitlines(keepends=True):
                    if line.endswith(b"\n"):
                        yield json.loads(line)["message"]

    def arrived(self, count, *sinks):
        return lambda: len(set(self.messages(*sinks))) >= count

    def entries(self):
        """What the registry has, of files that are there and of contents that were truncated."""
        found = {}
        registry = self.directory / "data/registry/positions"
        for line in registry.read_text().splitlines(keepends=True)[1:] if registry.exists() else []:
            words = line.split(" ")
            if len(words) == 3:
                found.pop(words[2].strip(), None)
            elif line.endswith("\n"):
                _, _, identity, _, state, _, inode, _, _, _, size, digest, _, _, position, _, _ = words
                found[identity] = Entry(state, int(inode), int(size), int(digest, 16), int(position))
        return list(found.values())

    def at_the_ends(self):
        """Whether all files are done with, as the registry has it."""
        positions = {entry.inode: entry.position for entry in self.entries() if entry.state != "l"}
        return all(positions.get(path.stat().st_ino) == path.stat().st_size for path in self.logs.iterdir())

    def queued(self, codes=(0,)):
        """The lines in the queue on disk, `queue` in the directory. Nobody works with it; `codes`: how export may end."""
        exported = self.finish("queue", "export", self.directory / "queue")
        self.assertIn(exported.exit_code(), codes, exported.story())
        return [json.loads(line)["message"] for line in exported.output().splitlines()]
