"""TLS from end to end, with certificates made on the spot."""

import shutil
import subprocess
import unittest

from harness import ProgramTest


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

    def certificate(self, name, authority="ca", alternative="IP:127.0.0.1,DNS:localhost"):
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
                     "-days", 1, "-copy_extensions", "copy", "-out", f"{name}.pem")

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
        self.assert_nothing_sent(ship, sink, "certificate required")
        self.assertIn("TLS handshake with 127.0.0.1:", sink.log())
        self.assertGreater(sink.report()["failed_accepts"], 0)

    def test_a_server_of_another_authority_gets_nothing(self):
        self.authority("another")
        self.certificate("server")
        sink = self.tls_sink()
        ship = self.tls_ship(sink, self.lines_file(10), authority="another", settings=self.hopeless)
        self.assert_nothing_sent(ship, sink, sink.address, "signed by an unknown authority")

    def test_a_server_of_another_name_gets_nothing(self):
        self.certificate("server", alternative="DNS:elsewhere.example")
        sink = self.tls_sink()
        ship = self.tls_ship(sink, self.lines_file(10), settings=self.hopeless)
        self.assert_nothing_sent(ship, sink, sink.address, "127.0.0.1")

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
