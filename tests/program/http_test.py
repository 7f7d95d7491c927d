"""HTTP and Elasticsearch: against the sink, and against nginx."""

import json
import os
import shutil
import signal
import socket
import subprocess
import unittest

import harness
from tls_test import Certificates


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
    def test_rejects_only_what_is_rejected(self):
        sink = self.sink_of("elasticsearch", "--reject-every", "10")
        code, ledger, ship = self.ship_lines(f"elasticsearch://{sink.address}", lines(1000))
        self.assertEqual(code, 1, ship.story())
        self.assertEqual((ledger["acked"], ledger["dropped"]), (900, {"rejected": 100}), ship.story())
        self.assertEqual(len(self.messages(sink)), 900)
        self.assertIn("400 document_parsing_exception: as the sink was asked to", ship.log())

    def test_keeps_what_is_rejected_with_what_was_said_of_it(self):
        sink = self.sink_of("elasticsearch", "--reject-every", "10")
        letters = self.directory / "letters"
        path = self.directory / "input.log"
        path.write_text(lines(100))
        config = self.file("windlass.yml", f"output.elasticsearch.hosts: {sink.address}\ndead_letter.file: {letters}\n")
        ship = self.finish("ship", "-c", config, "--report", self.directory / "ship.report", path)
        self.assertEqual((ship.exit_code(), self.ledger()["dead_lettered"]), (1, 10), ship.story())
        kept = [json.loads(line) for line in letters.read_text().splitlines()]
        self.assertEqual(len(kept), 10)
        for letter in kept:
            self.assertEqual(letter["reason"], "rejected")
            self.assertIn("400 document_parsing_exception: as the sink was asked to", letter["error"])
            self.assertEqual(letter["endpoints"], [sink.address])

    def test_holds_what_a_bad_request_is_made_of_while_nobody_serves(self):
        for status in "400", "422", "500":
            with self.subTest(status):
                sink = self.sink_of("elasticsearch", "--status", status)
                path = self.directory / "input.log"
                path.write_text(lines(10))
                ship = self.run_program("ship", "--to", f"elasticsearch://{sink.address}?backoff.init=10ms",
                                        "--report", self.directory / "ship.report", path)
                harness.wait_until(lambda: f"is answered {status}" in ship.log(), "the reason is told", ship)
                sink.stop()
                sink = self.restart(sink)
                self.assertEqual(ship.wait(), 0, ship.story())
                self.assertEqual((self.ledger()["acked"], len(self.messages(sink))), (10, 10))

    def test_takes_nothing_for_success_that_cannot_be_read(self):
        sink = self.sink_of("elasticsearch", "--status", "200")
        path = self.directory / "input.log"
        path.write_text(lines(10))
        ship = self.run_program("ship", "--to", f"elasticsearch://{sink.address}?backoff.init=10ms", path)
        harness.wait_until(lambda: "no answer of _bulk" in ship.log(), "the reason is told", ship)
        self.assertIsNone(ship.exit_code())
        sink.stop()
        sink = self.restart(sink)
        self.assertEqual(ship.wait(), 0, ship.story())
        self.assertEqual(len(self.messages(sink)), 10)

    def test_loses_nothing_to_a_kill_and_stores_each_line_once_by_its_id(self):
        sink = self.sink_of("elasticsearch", "--rate", "10000/s")
        path = self.directory / "input.log"
        path.write_text(lines(8000))
        ship = self.run_program("ship", "--to", f"elasticsearch://{sink.address}?bulk_max_size=200&backoff.init=10ms",
                                "--report", self.directory / "ship.report", path)
        harness.wait_until(lambda: sink.recorded_bytes() > 100_000, "a part has arrived", ship)
        sink.kill()
        sink = self.restart(sink)
        self.assertEqual(ship.wait(), 0, ship.story())
        found = [(event["log"]["offset"], event["message"]) for event in sink.events()]
        self.assertEqual(sorted(set(found)), sorted({(offset, f"line {n}") for n, offset in self.offsets(8000)}))
        # What the killed one had stored and not acknowledged, which the new one knows nothing of.
        self.assertLessEqual(len(found) - 8000, 400)
        self.assertEqual(self.ledger()["acked"], 8000)

    @staticmethod
    def offsets(count):
        place = 0
        for number in range(count):
            yield number, place
            place += len(f"line {number}\n")

    def test_sends_again_what_is_throttled(self):
        sink = self.sink_of("elasticsearch", "--throttle-every", "10")
        code, ledger, ship = self.ship_lines(f"elasticsearch://{sink.address}?backoff.init=10ms", lines(500))
        self.assertEqual((code, ledger["acked"]), (0, 500), ship.story())
        self.assertEqual(sorted(self.messages(sink)), sorted(f"line {n}" for n in range(500)))

    def test_holds_what_a_server_fails_with_while_the_rest_goes_on(self):
        sink = self.sink_of("elasticsearch", "--fail", '"line 7"')
        path = self.directory / "input.log"
        path.write_text(lines(500))
        ship = self.run_program("ship", "--to", f"elasticsearch://{sink.address}?backoff.init=10ms",
                                "--report", self.directory / "ship.report", path)
        harness.wait_until(lambda: len(self.messages(sink)) == 499, "the rest has arrived", ship)
        harness.wait_until(lambda: "500 illegal_state_exception" in ship.log(), "the reason is told", ship)
        self.assertIsNone(ship.exit_code())
        sink.stop()
        sink = self.restart(sink)
        self.assertEqual(ship.wait(), 0, ship.story())
        self.assertEqual(self.ledger()["acked"], 500)
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


    def test_refuses_faults_that_a_listener_does_not_have(self):
        for scheme, fault, words in [
                ("lumberjack", ("--reject-every", "3"), "lumberjack:// has no such option; it is one of elasticsearch://"),
                ("http", ("--throttle-every", "3"), "http:// has no such option"),
                ("redis", ("--status", "500"), "redis:// has no such option; it is one of http:// and elasticsearch://"),
                ("lumberjack", ("--max-body", "1MiB"), "lumberjack:// has no such option"),
                ("elasticsearch", ("--ack-partial", "3"), "elasticsearch:// has no such option"),
                ("http", ("--status", "99"), "expected a status from 200 to 599")]:
            with self.subTest(scheme + fault[0]):
                sink = self.finish("sink", "--listen", f"{scheme}://127.0.0.1:0", *fault)
                self.assertEqual(sink.exit_code(), 2, sink.story())
                self.assertIn(words, sink.log())


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


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificates")
class OverTls(Certificates, HttpTest):
    def test_ships_over_tls(self):
        self.certificate("server")
        for scheme, name in ("elasticsearch", "elasticsearchs"), ("http", "https"):
            with self.subTest(name):
                sink = self.sink(scheme=scheme,
                                 tls={"certificate": self.path("server.pem"), "key": self.path("server.key")})
                to = f"{name}://{sink.address}?ssl.certificate_authorities={self.path('ca.pem')}"
                code, ledger, ship = self.ship_lines(to, lines(3000))
                self.assertEqual((code, ledger["acked"]), (0, 3000), ship.story())
                self.assertEqual(sorted(self.messages(sink)), sorted(f"line {n}" for n in range(3000)))

    def test_trusts_nobody_else(self):
        self.certificate("server")
        sink = self.sink(scheme="elasticsearch",
                         tls={"certificate": self.path("server.pem"), "key": self.path("server.key")})
        code, ledger, ship = self.ship_lines(f"elasticsearchs://{sink.address}?{self.hopeless[1:]}", lines(10))
        self.assertEqual((code, ledger["acked"]), (1, 0), ship.story())
        self.assertEqual(self.messages(sink), [])


@unittest.skipUnless(shutil.which("nginx") or shutil.which("/usr/sbin/nginx"), "nginx is not installed")
class Nginx(HttpTest):
    """nginx in front of a sink: its limits, its restarts."""

    def nginx(self, backend, extra="", http=""):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.root = self.directory / "nginx"
        self.root.mkdir(exist_ok=True)
        user = "user root;" if os.geteuid() == 0 else ""  # its workers write below our directory
        (self.root / "nginx.conf").write_text(f"""
            {user} daemon off; master_process off; pid nginx.pid; error_log error.log; worker_processes 1;
            events {{ worker_connections 64; }}
            http {{
              log_format asked '$status|$request_uri|$http_authorization|$http_x_team|$http_content_encoding';
              access_log access.log asked;
              {http}
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
        self.assertIn("413|", (self.root / "access.log").read_text())

    def test_says_who_it_is_and_what_it_was_told_to_say(self):
        sink = self.sink_of("elasticsearch")
        self.file("users", "me:{PLAIN}secret\n")
        self.nginx(sink.address, "location /basic/ { auth_basic x; auth_basic_user_file ../users; "
                                 f"proxy_pass http://{sink.address}/; }}")
        at = f"127.0.0.1:{self.port}"
        for to, asked in [
                (f"elasticsearch://me:secret@{at}/basic", "|/basic/_bulk?filter_path="),
                (f"elasticsearch://{at}?api_key=id:key", "|ApiKey aWQ6a2V5|-|gzip"),
                (f"elasticsearch://{at}?bearer_token=t0&compression_level=0", "|Bearer t0|-|-"),
                (f"elasticsearch://{at}?headers.X-Team=a%20b&pipeline=p&parameters.refresh=false",
                 "&pipeline=p|-|a b|gzip")]:
            with self.subTest(to):
                code, ledger, ship = self.ship_lines(to, lines(10))
                self.assertEqual((code, ledger["acked"]), (0, 10), ship.story())
                last = (self.root / "access.log").read_text().splitlines()[-1]
                self.assertTrue(last.startswith("200|"), last)
                self.assertIn(asked, last)
        self.assertIn("?refresh=false&filter_path=errors%2Citems.%2A.status%2Citems.%2A.error&pipeline=p", last)

    def test_is_held_where_it_is_not_who_it_says(self):
        sink = self.sink_of("elasticsearch")
        self.file("users", "me:{PLAIN}secret\n")
        self.nginx(sink.address, "auth_basic x; auth_basic_user_file ../users;")
        path = self.directory / "input.log"
        path.write_text(lines(10))
        ship = self.run_program("ship", "--to", f"elasticsearch://me:wrong@127.0.0.1:{self.port}", path)
        harness.wait_until(lambda: "is answered 401" in ship.log(), "the reason is told", ship)
        self.assertIsNone(ship.exit_code())
        ship.kill()

    def test_delivers_at_the_pace_that_it_is_told(self):
        sink = self.sink_of("elasticsearch")
        self.nginx(sink.address, "limit_req zone=all; limit_req_status 429;",
                   http="limit_req_zone $server_port zone=all:1m rate=20r/s;")
        code, ledger, ship = self.ship_lines(
            f"elasticsearch://127.0.0.1:{self.port}?bulk_max_size=50&backoff.init=10ms&backoff.max=100ms", lines(500))
        self.assertEqual((code, ledger["acked"]), (0, 500), ship.story())
        self.assertEqual(sorted(self.messages(sink)), sorted(f"line {n}" for n in range(500)))
        self.assertIn("429|", (self.root / "access.log").read_text())

    def test_stores_each_line_once_though_answers_are_lost(self):
        sink = self.sink_of("elasticsearch", "--rate", "5000/s")
        process = self.nginx(sink.address)
        path = self.directory / "input.log"
        path.write_text(lines(6000))
        ship = self.run_program(
            "ship", "--to", f"elasticsearch://127.0.0.1:{self.port}?bulk_max_size=200&backoff.init=10ms", path)
        for part in 1000, 2500, 4000:
            harness.wait_until(lambda: len(sink.record.read_text().splitlines()) > part, "a part has arrived", ship)
            process.kill()
            process.wait()
            process = self.start_nginx()
        self.assertEqual(ship.wait(), 0, ship.story())
        self.assertEqual(sorted(self.messages(sink)), sorted(f"line {n}" for n in range(6000)))

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
