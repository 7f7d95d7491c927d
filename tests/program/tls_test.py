"""TLS from end to end, with certificates made on the spot."""

import shutil
import ssl
import subprocess
import time
import unittest

from harness import ProgramTest, wait_until


class Certificates(ProgramTest):
    """An authority of its own, and certificates that it signs."""

    def setUp(self):
        super().setUp()
        self.authority("ca")

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], cwd=self.directory, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def authority(self, name):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 1,
                     "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")

    def certificate(self, name, authority="ca", alternative="IP:127.0.0.1,DNS:localhost", subject=None, extension=None,
                    begin=-1, end=1):
        """`begin` and `end` are days from now; `extension` is as openssl has it."""
        extensions = [f"subjectAltName={alternative}"] if alternative else []
        extensions += [extension] if extension else []
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-subj", f"/CN={subject or name}", *(word for each in extensions for word in ("-addext", each)),
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.file("ca.cnf", "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\n"
                            "default_md=sha256\npolicy=any\nunique_subject=no\ncopy_extensions=copy\n"
                            "[any]\ncommonName=supplied\n")
        self.file("index", "")
        day = lambda n: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 86400 * n))
        self.openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", f"{authority}.pem",
                     "-keyfile", f"{authority}.key", "-in", f"{name}.csr", "-out", f"{name}.pem",
                     "-startdate", day(begin), "-enddate", day(end))

    def path(self, name):
        return self.directory / name

    # Gives up soon: these peers will never come to terms.
    hopeless = "&max_retries=0&timeout=300ms&backoff.init=10ms&backoff.max=50ms"


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificates")
class Tls(Certificates):
    def tls_sink(self, name="server", **more):
        return self.sink(tls={"certificate": self.path(f"{name}.pem"), "key": self.path(f"{name}.key"), **more})

    def tls_ship(self, sink, *arguments, authority="ca", settings=""):
        return self.ship([sink], *arguments, scheme="lumberjacks",
                         settings=f"ssl.certificate_authorities={self.path(authority + '.pem')}{settings}")

    def assert_nothing_sent(self, ship, sink, *words):
        self.assert_exit(ship, 1)
        for word in words:
            self.assertIn(word, ship.log())
        self.assertEqual(self.ledger()["acked"], 0)
        sink.stop()
        self.assertEqual(sink.report()["events"], 0)

    def test_lines_arrive(self):
        self.certificate("server")
        sink = self.tls_sink()
        self.assert_exit(self.tls_ship(sink, self.lines_file(50_000)), 0)
        sink.stop()
        self.assert_each_once(self.deliveries(50_000, [sink]))

    def test_lines_arrive_where_both_sides_show_certificates(self):
        self.certificate("server")
        self.certificate("client", alternative="DNS:client")
        sink = self.tls_sink(client_authentication="required", certificate_authorities=self.path("ca.pem"))
        ship = self.tls_ship(sink, self.lines_file(1000),
                             settings=f"&ssl.certificate={self.path('client.pem')}&ssl.key={self.path('client.key')}")
        self.assert_exit(ship, 0)
        sink.stop()
        self.assert_each_once(self.deliveries(1000, [sink]))

    def test_a_sink_that_wants_a_certificate_takes_nothing_without_one(self):
        self.certificate("server")
        sink = self.tls_sink(client_authentication="required", certificate_authorities=self.path("ca.pem"))
        ship = self.tls_ship(sink, self.lines_file(10), settings=self.hopeless)
        self.assert_nothing_sent(ship, sink, "the peer does not accept our certificate, or wants one", "certificate required")
        self.assertIn("TLS handshake with 127.0.0.1:", sink.log())
        self.assertGreater(sink.report()["failed_accepts"], 0)

    def assert_refused(self, *words, authority="ca", name="server", **certificate):
        """A sink that shows this certificate gets nothing, and log and report say why in these words."""
        self.certificate(name, **certificate)
        sink = self.tls_sink(name)
        ship = self.tls_ship(sink, self.lines_file(10), authority=authority, settings=self.hopeless)
        self.assert_nothing_sent(ship, sink, sink.address, *words)
        [endpoint] = self.ledger()["endpoints"]
        for word in words:
            self.assertIn(word, endpoint["last_error"])

    def test_a_server_of_another_authority_gets_nothing(self):
        self.authority("another")
        self.assert_refused('the peer\'s certificate "CN=server" (depth 0, issued by "CN=ca") is signed by an unknown '
                            'authority', authority="another")

    def test_a_server_of_another_name_gets_nothing(self):
        self.assert_refused('"CN=server" (depth 0, issued by "CN=ca") is not for "127.0.0.1"; it is for '
                            'DNS:elsewhere.example, IP:10.0.0.1', alternative="DNS:elsewhere.example,IP:10.0.0.1")

    def test_a_server_whose_certificate_has_expired_gets_nothing(self):
        yesterday = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400))
        self.assert_refused(f'"CN=server" (depth 0, issued by "CN=ca") expired on {yesterday} ', begin=-3, end=-1)

    def test_a_server_whose_certificate_is_not_valid_yet_gets_nothing(self):
        tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86400))
        self.assert_refused(f'"CN=server" (depth 0, issued by "CN=ca") is not valid before {tomorrow} ', begin=1, end=3)

    def test_a_server_whose_certificate_is_for_clients_gets_nothing(self):
        self.assert_refused('"CN=server" (depth 0, issued by "CN=ca") may not be used by a server; it is for '
                            'TLS Web Client Authentication', extension="extendedKeyUsage=clientAuth")

    def test_a_server_that_signs_for_itself_gets_nothing(self):
        self.authority("own")
        sink = self.tls_sink("own")
        ship = self.tls_ship(sink, self.lines_file(10), settings=self.hopeless)
        self.assert_nothing_sent(ship, sink, '"CN=own" (depth 0, issued by "CN=own") is signed by itself, and not trusted')

    def test_an_authority_that_has_expired_is_told_from_the_server(self):
        self.certificate("between", extension="basicConstraints=critical,CA:TRUE", alternative=None, begin=-3, end=-1)
        self.certificate("server", authority="between")
        chain = self.path("server.pem").read_text() + self.path("between.pem").read_text()
        self.file("server.pem", chain)
        sink = self.tls_sink()
        ship = self.tls_ship(sink, self.lines_file(10), settings=self.hopeless)
        self.assert_nothing_sent(ship, sink,
                                 'the authority\'s certificate "CN=between" (depth 1, issued by "CN=ca") expired on')

    def test_a_server_without_tls_gets_nothing(self):
        sink = self.sink()
        ship = self.tls_ship(sink, self.lines_file(10), settings=self.hopeless)
        self.assert_nothing_sent(ship, sink, sink.address)
        self.assertGreater(sink.report()["protocol_errors"], 0)

    def test_a_file_that_is_no_certificate_is_named(self):
        self.file("nonsense.pem", "nonsense\n")
        self.certificate("server")
        sink = self.tls_sink()
        ship = self.tls_ship(sink, self.lines_file(10), authority="nonsense")
        self.assert_exit(ship, 2)
        self.assertIn("nonsense.pem", ship.log())


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificates")
class Renewal(Certificates):
    """Files that are replaced while the program runs."""

    def replace(self, old, new):
        """As tools do it that renew certificates: another file in its place."""
        self.path(new).rename(self.path(old))

    def shown_by(self, sink):
        """The certificate that a new connection sees."""
        return ssl.get_server_certificate(("127.0.0.1", sink.port)).strip()

    def test_a_server_shows_the_new_certificate_to_new_connections_and_keeps_the_others(self):
        self.certificate("server")
        sink = self.sink(tls={"certificate": self.path("server.pem"), "key": self.path("server.key")})
        ship = self.ship([sink], "-", scheme="lumberjacks", stdin=subprocess.PIPE,
                         settings=f"ssl.certificate_authorities={self.path('ca.pem')}")
        ship.stdin.write(b"before\n")
        ship.stdin.flush()
        wait_until(lambda: len(list(sink.events())) == 1, "the first line arrives", ship, sink)
        self.assertEqual(self.shown_by(sink), self.path("server.pem").read_text().strip())

        self.certificate("renewed")
        old, new = self.path("server.pem").read_text().strip(), self.path("renewed.pem").read_text().strip()
        self.replace("server.pem", "renewed.pem")
        self.assertEqual(self.shown_by(sink), old)
        self.assertIn("the old ones are used on: key", sink.log())
        self.replace("server.key", "renewed.key")
        self.assertEqual(self.shown_by(sink), new)
        self.assertIn("new connections use the new ones", sink.log())

        ship.stdin.write(b"after\n")
        ship.stdin.close()
        self.assert_exit(ship, 0)
        [endpoint] = self.ledger()["endpoints"]
        self.assertEqual((endpoint["connects"], endpoint["failed_attempts"]), (1, 0))
        sink.stop()
        self.assertEqual([event["message"] for event in sink.events()], ["before", "after"])

    def test_a_client_trusts_the_new_authority_and_shows_the_new_certificate(self):
        self.certificate("server")
        self.certificate("client", alternative=None)
        self.authority("next")
        self.certificate("next-server", authority="next")
        self.certificate("next-client", authority="next", alternative=None)
        where = {"certificate": self.path("server.pem"), "key": self.path("server.key"),
                 "certificate_authorities": self.path("ca.pem"), "client_authentication": "required"}
        sink = self.sink(tls=where)
        ship = self.ship([sink], "-", scheme="lumberjacks", stdin=subprocess.PIPE,
                         settings=f"ssl.certificate_authorities={self.path('ca.pem')}&backoff.init=10ms&backoff.max=50ms"
                                  f"&ssl.certificate={self.path('client.pem')}&ssl.key={self.path('client.key')}")
        ship.stdin.write(b"before\n")
        ship.stdin.flush()
        wait_until(lambda: len(list(sink.events())) == 1, "the first line arrives", ship, sink)

        self.replace("server.pem", "next-server.pem")
        self.replace("server.key", "next-server.key")
        self.file("next-ca.pem", self.path("next.pem").read_text())
        sink.stop()
        self.replace("ca.pem", "next-ca.pem")  # of both sides
        ship.stdin.write(b"after\n")
        ship.stdin.flush()
        sink = self.restart(sink)
        wait_until(lambda: "certificate required" in ship.log() or "unknown ca" in ship.log(),
                   "the old certificate is refused", ship, sink)
        self.replace("client.pem", "next-client.pem")
        self.replace("client.key", "next-client.key")
        wait_until(lambda: len(list(sink.events())) == 2, "the second line arrives", ship, sink)
        ship.stdin.close()
        self.assert_exit(ship, 0)
        sink.stop()
        self.assertEqual([event["message"] for event in sink.events()], ["before", "after"])

    def test_no_batch_is_dropped_while_both_sides_renew(self):
        self.certificate("server")
        sink = self.sink("--rate", "20000/s", tls={"certificate": self.path("server.pem"), "key": self.path("server.key")})
        ship = self.ship([sink], self.lines_file(60_000), scheme="lumberjacks",
                         settings=f"ssl.certificate_authorities={self.path('ca.pem')}&ttl=100ms&max_retries=0")
        for number in range(5):
            self.certificate(f"renewed{number}")
            self.file("renewed-ca.pem", self.path("ca.pem").read_text())
            before = len(sink.log().split("new connections use"))
            self.replace("server.pem", f"renewed{number}.pem")
            self.replace("server.key", f"renewed{number}.key")
            self.replace("ca.pem", "renewed-ca.pem")
            wait_until(lambda: len(sink.log().split("new connections use")) > before or ship.exit_code() is not None,
                       "a new connection uses the new files", ship, sink)
        self.assert_exit(ship, 0)
        self.assertIn("new connections use the new ones", ship.log())
        [endpoint] = self.ledger()["endpoints"]
        self.assertEqual(endpoint["failed_attempts"], 0)
        sink.stop()
        self.assert_each_once(self.deliveries(60_000, [sink]))
