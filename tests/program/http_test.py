"""HTTP and Elasticsearch: against the sink, and against nginx."""

import json
import os
import shutil
import signal
import socket
import subprocess
import unittest

import harness


def lines(count, first=0):
    return "".join(f"line {number}\n" for number in range(first, first + count))


class HttpTest(harness.ProgramTest):
    def sink_of(self, scheme, *options):
        return self.sink(*options, scheme=scheme)

    def ship_lines(self, to, text, *options):
        path = self.directory / "input.log"
        path.write_text(text)
        ship = self.finish("ship", "--to", to, "--report", self.directory / "ship.report", *options, path)
        return ship.exit_code(), self.ledger(), ship

    def messages(self, sink):
        return [event["message"] for event in sink.events()]


class Elasticsearch(HttpTest):
    def test_stores_every_line_once_without_its_metadata(self):
        sink = self.sink_of("elasticsearch")
        code, ledger, ship = self.ship_lines(f"elasticsearch://{sink.address}", lines(5000))
        self.assertEqual((code, ledger["acked"]), (0, 5000), ship.story())
        self.assertEqual(sorted(self.messages(sink)), sorted(f"line {n}" for n in range(5000)))
        self.assertNotIn("@metadata", sink.record.read_text())

    def test_does_not_store_again_what_was_stored(self):
        sink = self.sink_of("elasticsearch")
        for _ in range(2):
            code, ledger, ship = self.ship_lines(f"elasticsearch://{sink.address}", lines(3000))
            self.assertEqual((code, ledger["acked"]), (0, 3000), ship.story())
        self.assertEqual(len(self.messages(sink)), 3000)
        sink.stop()
        self.assertEqual(json.loads(sink.report_path.read_text())["known"], 3000)

    def test_rejects_only_what_is_rejected(self):
        sink = self.sink_of("elasticsearch", "--reject-every", "10")
        code, ledger, ship = self.ship_lines(f"elasticsearch://{sink.address}", lines(1000))
        self.assertEqual(code, 1, ship.story())
        self.assertEqual((ledger["acked"], ledger["dropped"]), (900, {"rejected": 100}), ship.story())
        self.assertEqual(len(self.messages(sink)), 900)

    def test_sends_again_what_is_throttled(self):
        sink = self.sink_of("elasticsearch", "--throttle-every", "10")
        code, ledger, ship = self.ship_lines(f"elasticsearch://{sink.address}?backoff.init=10ms", lines(500))
        self.assertEqual((code, ledger["acked"]), (0, 500), ship.story())
        self.assertEqual(sorted(self.messages(sink)), sorted(f"line {n}" for n in range(500)))

    def test_parts_what_is_too_large(self):
        sink = self.sink_of("elasticsearch", "--max-body", "10KiB")
        text = lines(500) + "x" * 50_000 + "\n" + lines(500, 500)
        code, ledger, ship = self.ship_lines(f"elasticsearch://{sink.address}?compression_level=0&backoff.init=10ms", text)
        self.assertEqual(code, 1, ship.story())
        self.assertEqual((ledger["acked"], sum(ledger["dropped"].values())), (1000, 1), ship.story())
        self.assertEqual(sorted(self.messages(sink)), sorted(f"line {n}" for n in range(1000)))

    def test_goes_on_over_connections_that_are_closed(self):
        sink = self.sink_of("elasticsearch", "--close-after", "700")
        code, ledger, ship = self.ship_lines(f"elasticsearch://{sink.address}?bulk_max_size=500&backoff.init=10ms", lines(3000))
        self.assertEqual((code, ledger["acked"]), (0, 3000), ship.story())
        self.assertEqual(sorted(self.messages(sink)), sorted(f"line {n}" for n in range(3000)))

    def test_holds_what_nobody_may_send_and_says_why(self):
        sink = self.sink_of("elasticsearch", "--status", "401")
        path = self.directory / "input.log"
        path.write_text(lines(10))
        ship = self.run_program("ship", "--to", f"elasticsearch://{sink.address}", path)
        harness.wait_until(lambda: "is answered 401 Unauthorized" in ship.log(), "the reason is told", ship)
        self.assertIsNone(ship.exit_code())
        ship.signal(signal.SIGINT)
        ship.signal(signal.SIGINT)
        self.assertEqual(ship.wait(), 1)


class Http(HttpTest):
    def test_sends_lines_and_arrays(self):
        for format in "lines", "array":
            with self.subTest(format):
                sink = self.sink_of("http")
                to = f"http://user:secret@{sink.address}/logs?format={format}&compression_level=3&headers.X-Team=a"
                code, ledger, ship = self.ship_lines(to, lines(3000))
                self.assertEqual((code, ledger["acked"]), (0, 3000), ship.story())
                self.assertEqual(sorted(self.messages(sink)), sorted(f"line {n}" for n in range(3000)))

    def test_reads_hosts_as_filebeat_does(self):
        sink = self.sink_of("elasticsearch")
        config = self.directory / "filebeat.yml"
        config.write_text(f"output.elasticsearch:\n  hosts: ['http://{sink.address}/es']\n  index: 'x-%{{+yyyy.MM.dd}}'\n"
                          "  username: u\n  password: p\n  headers:\n    X-A: b\n  parameters: {refresh: 'false'}\n")
        path = self.directory / "input.log"
        path.write_text(lines(10))
        ship = self.run_program("ship", "-c", config, path)
        self.assertEqual(ship.wait(), 0, ship.story())
        self.assertEqual(len(self.messages(sink)), 10)


@unittest.skipUnless(shutil.which("nginx") or shutil.which("/usr/sbin/nginx"), "nginx is not installed")
class Nginx(HttpTest):
    """nginx in front of a sink: its limits, its restarts."""

    def nginx(self, backend, extra=""):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.root = self.directory / "nginx"
        self.root.mkdir(exist_ok=True)
        user = "user root;" if os.geteuid() == 0 else ""  # its workers write below our directory
        (self.root / "nginx.conf").write_text(f"""
            {user} daemon off; pid nginx.pid; error_log error.log; worker_processes 1;
            events {{ worker_connections 64; }}
            http {{
              access_log access.log;
              client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
              server {{
                listen 127.0.0.1:{self.port};
                {extra}
                location / {{ proxy_pass http://{backend}; }}
              }}
            }}""")
        return self.start_nginx()

    def accepts(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def start_nginx(self):
        process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(self.root), "-c", "nginx.conf"],
                                   preexec_fn=harness._die_with_parent, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        harness.wait_until(self.accepts, "nginx listens")
        return process

    def test_parts_requests_at_its_limit_and_outlives_its_keep_alive(self):
        sink = self.sink_of("elasticsearch")
        self.nginx(sink.address, "client_max_body_size 20k; keepalive_requests 3;")
        code, ledger, ship = self.ship_lines(
            f"elasticsearch://127.0.0.1:{self.port}?compression_level=0&backoff.init=10ms", lines(4000))
        self.assertEqual((code, ledger["acked"]), (0, 4000), ship.story())
        self.assertEqual(sorted(self.messages(sink)), sorted(f"line {n}" for n in range(4000)))
        self.assertIn(" 413 ", (self.root / "access.log").read_text())

    def test_delivers_through_restarts(self):
        sink = self.sink_of("elasticsearch", "--rate", "3000/s")
        process = self.nginx(sink.address)
        path = self.directory / "input.log"
        path.write_text(lines(6000))
        ship = self.run_program(
            "ship", "--to", f"elasticsearch://127.0.0.1:{self.port}?bulk_max_size=200&backoff.init=10ms", path)
        harness.wait_until(lambda: sink.record.exists() and len(sink.record.read_text().splitlines()) > 1000,
                           "a part has arrived", ship)
        process.terminate()
        process.wait()
        self.start_nginx()
        self.assertEqual(ship.wait(), 0, ship.story())
        self.assertEqual(sorted(self.messages(sink)), sorted(f"line {n}" for n in range(6000)))


if __name__ == "__main__":
    unittest.main()
