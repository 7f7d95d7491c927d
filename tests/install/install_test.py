"""Installs Windlass into a directory of its own, moves it, and builds and runs the examples from there.

The examples are built with CMake's find_package and with pkg-config, and talk to `windlass sink` and to servers that
are made here. The environment says what to install: SOURCE, BUILD, CMAKE, CXX, CXX_FLAGS, WINDLASS (the program; empty
where it is not built, and then examples that need it as a server are only built).
"""

import os
import pathlib
import re
import shlex
import socketserver
import subprocess
import tempfile
import threading
import unittest

SOURCE = pathlib.Path(os.environ["SOURCE"])
BUILD = os.environ["BUILD"]
CMAKE = os.environ["CMAKE"]
CXX = os.environ["CXX"]
CXX_FLAGS = os.environ["CXX_FLAGS"]
PROGRAM = os.environ["WINDLASS"]
EXAMPLES = ["readme", "publisher", "sync_client", "async_client"]
PATIENCE = 300  # seconds


def run(*command, **options):
    """Runs a command to its end and returns its standard output; what it says goes into the error otherwise."""
    done = subprocess.run([str(part) for part in command], text=True, timeout=PATIENCE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        raise AssertionError(f"{shlex.join(done.args)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


class Sink:
    """`windlass sink` on a free port."""

    def __init__(self, directory):
        self.record = directory / "sink.record"
        self._process = subprocess.Popen(
            [PROGRAM, "sink", "--listen", "lumberjack://127.0.0.1:0", "--record", self.record],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        if "listening on lumberjack://" not in line:
            self._process.kill()
            raise AssertionError(f"the sink said: {line!r}")
        self.address = line.split("://")[1].strip()

    def stop(self):
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE)
        return self.record.read_text().splitlines()


class LineServer(socketserver.ThreadingTCPServer):
    """Answers each line by a line; the first connection breaks off in the middle of the work."""

    daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.server.connections += 1
            breaks_off = self.server.connections == 1
            for number, line in enumerate(self.rfile):
                if breaks_off and number == 10:
                    return
                self.server.lines.append(line.decode().rstrip("\n"))
                self.wfile.write(b"ok\n")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.lines = []
        self.connections = 0
        self.address = "127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that went away meanwhile


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="windlass-install-")
        cls.addClassCleanup(temporary.cleanup)
        cls.directory = pathlib.Path(temporary.name)
        run(CMAKE, "--install", BUILD, "--prefix", cls.directory / "first", "--component", "development")
        # It may be moved.
        cls.prefix = cls.directory / "prefix with a space"
        (cls.directory / "first").rename(cls.prefix)

    def install_dir(self, name):
        found = list(self.prefix.rglob(name))
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_has_what_users_need_and_nothing_of_the_tests(self):
        files = {path.relative_to(self.prefix).as_posix() for path in self.prefix.rglob("*") if path.is_file()}
        headers = {f"include/windlass/{path.name}" for path in (SOURCE / "include/windlass").glob("*.h")}
        self.assertLessEqual(headers, files)
        others = sorted(pathlib.PurePath(name).name for name in files - headers)
        self.assertEqual(others[:1], ["libwindlass.a"])
        for name in others[1:]:
            self.assertRegex(name, r"^windlass(\.pc|-(config|config-version|targets|targets-\w+)\.cmake)$")
        for name in files:
            if name.endswith((".cmake", ".pc")):
                text = (self.prefix / name).read_text()
                self.assertNotIn(BUILD, text, name)
                self.assertNotIn(str(SOURCE), text, name)

    @unittest.skipUnless(PROGRAM, "the program is not built")
    def test_the_program_reads_the_reference_file(self):
        prefix = self.directory / "program"
        run(CMAKE, "--install", BUILD, "--prefix", prefix, "--component", "program")
        said = run(prefix / "bin/windlass", "test", "config", "-c", prefix / "share/windlass/windlass.reference.yml")
        self.assertEqual(said, "configuration is fine\n")

    @unittest.skipUnless(PROGRAM, "the program is not built")
    def test_the_service_runs_the_program_that_was_installed(self):
        prefix = self.directory / "service"
        run(CMAKE, "--install", BUILD, "--prefix", prefix, "--component", "program")
        unit = prefix / "lib/systemd/system/windlass.service"
        command = re.search("^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)[1].split()
        self.assertEqual(command[1:], ["ship", "-c", "/etc/windlass/windlass.yml"])
        self.assertIn("windlass", run(command[0], "version"))

    @unittest.skipUnless(PROGRAM and not CXX_FLAGS, "not what is shipped")
    def test_debian_packages_have_the_program_and_the_library(self):
        directory = self.directory / "packages"
        run("cpack", "--config", f"{BUILD}/CPackConfig.cmake", "-B", directory)
        files = {}
        for package in directory.glob("*.deb"):
            name, depends = run("dpkg-deb", "--show", "--showformat=${Package}\n${Depends}", package).split("\n")
            self.assertIn("libssl", depends)
            run("dpkg-deb", "--extract", package, directory / name)
            files[name] = {path.relative_to(directory / name).as_posix() for path in (directory / name).rglob("*")}
        self.assertEqual(sorted(files), ["libwindlass-dev", "windlass"])
        self.assertLessEqual({"usr/bin/windlass", "usr/lib/systemd/system/windlass.service"}, files["windlass"])
        self.assertIn("usr/include/windlass/windlass.h", files["libwindlass-dev"])
        self.assertIn("ExecStart=/usr/bin/windlass ship",
                      (directory / "windlass/usr/lib/systemd/system/windlass.service").read_text())

    def test_examples_build_and_run_with_cmake(self):
        build = self.directory / "cmake"
        run(CMAKE, "-S", SOURCE / "examples", "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_COMPILER={CXX}", f"-DCMAKE_CXX_FLAGS={CXX_FLAGS}")
        run(CMAKE, "--build", build)
        self.run_examples(build)

    def test_examples_build_and_run_with_pkg_config(self):
        build = self.directory / "pkg-config"
        build.mkdir()
        environment = dict(os.environ, PKG_CONFIG_PATH=str(self.install_dir("pkgconfig")))
        flags = run("pkg-config", "--cflags", "--libs", "windlass", env=environment)
        for example in EXAMPLES:
            run(CXX, "-std=c++20", *shlex.split(CXX_FLAGS), SOURCE / "examples" / f"{example}.cpp",
                *shlex.split(flags), "-o", build / example)
        self.run_examples(build)

    def run_examples(self, build):
        with self.subTest("sync_client"):
            self.check_sync_client(build)
        with self.subTest("async_client"):
            self.check_async_client(build)
        if PROGRAM:
            with self.subTest("readme"):
                self.check_readme(build)
            with self.subTest("publisher"):
                self.check_publisher(build)

    def check_readme(self, build):
        events = [f'{{"number":{number}}}' for number in range(1000)]
        with tempfile.TemporaryDirectory(dir=build) as directory:
            sink = Sink(pathlib.Path(directory))
            try:
                said = run(build / "readme", sink.address, input="\n".join(events) + "\n")
            finally:
                received = sink.stop()
        self.assertEqual(said, "1000 events acknowledged\n")
        self.assertEqual(received, events)

    def check_publisher(self, build):
        with tempfile.TemporaryDirectory(dir=build) as directory:
            sink = Sink(pathlib.Path(directory))
            try:
                said = run(build / "publisher", sink.address)
            finally:
                events = sink.stop()
        self.assertIn("accepted 6000, acked 6000, dropped 0, sent again 0\n", said)
        self.assertEqual(len(events), 6000)

    def check_sync_client(self, build):
        lines = [f"line {number}" for number in range(5000)]
        with LineServer() as first, LineServer() as second:
            said = run(build / "sync_client", first.address, second.address, input="\n".join(lines) + "\n")
            received = first.lines + second.lines
            first.shutdown()
            second.shutdown()
        self.assertEqual(said, "5000 lines delivered\n")
        self.assertEqual(set(received), set(lines))

    def check_async_client(self, build):
        lines = [f"line {number}" for number in range(5000)]
        with tempfile.TemporaryDirectory(dir=build) as directory:
            files = [pathlib.Path(directory, name) for name in ("one", "two")]
            said = run(build / "async_client", *files, pathlib.Path(directory, "no", "such", "directory"),
                       input="\n".join(lines) + "\n")
            written = [line for file in files for line in file.read_text().splitlines()]
        self.assertEqual(said, "5000 lines delivered\n")
        self.assertEqual(sorted(written), sorted(lines))


if __name__ == "__main__":
    unittest.main()
