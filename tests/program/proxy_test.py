"""Proxies on the way to endpoints: tinyproxy for CONNECT, microsocks for SOCKS5, and some that are none."""

import shutil
import socket
import subprocess
import threading
import unittest

from harness import PATIENCE, ClosedPort, ProgramTest, _die_with_parent, wait_until
from tls_test import Certificates

SECRET = "s%2Ecret"  # in a URL; the password is s.cret


def _listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class ProxyTest(ProgramTest):
    def start(self, *command):
        """A proxy at a port that was free a moment ago; another one is taken where it is not any more."""
        for attempt in range(20):
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            log = open(self.directory / f"proxy{port}.log", "wb")
            process = subprocess.Popen([str(word).replace("PORT", str(port)) for word in self.prepared(command, port)],
                                       stdout=log, stderr=log, preexec_fn=_die_with_parent)
            log.close()
            self.addCleanup(lambda p=process: (p.kill(), p.wait()))
            wait_until(lambda: _listens(port) or process.poll() is not None, f"{command[0]} listens")
            if process.poll() is None:
                return port
        raise AssertionError(f"{command[0]} does not start")

    def prepared(self, command, port):
        return command

    def through(self, sink, proxy, *arguments, scheme="lumberjack", settings="", timeout="20s"):
        return self.ship([sink], *arguments, scheme=scheme,
                         settings=f"proxy_url={proxy}&timeout={timeout}&backoff.init=10ms&backoff.max=50ms"
                                  f"&max_retries=0{settings}")

    def hopeless(self, *arguments, timeout="3s", **more):
        """It gives up when there is no connection for this long."""
        return self.through(*arguments, timeout=timeout, **more)

    def assert_refused_with(self, ship, *words):
        self.assert_exit(ship, 1)
        [endpoint] = self.ledger()["endpoints"]
        self.assertEqual(endpoint["acked"], 0)
        for word in words:
            self.assertIn(word, ship.log())
            self.assertIn(word, endpoint["last_error"])
        for text in (ship.log(), ship.output(), (self.directory / "ship.report").read_text()):
            self.assertNotIn("s.cret", text)
            self.assertNotIn(SECRET, text)
            self.assertNotIn("dXNlcjpzLmNyZXQ", text)


@unittest.skipUnless(shutil.which("tinyproxy"), "tinyproxy is the proxy")
class Http(ProxyTest, Certificates):
    def prepared(self, command, port):
        config = self.file(f"tinyproxy{port}.conf", f"Port {port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 100\n"
                                                    f"LogFile \"{self.directory}/tinyproxy{port}.log\"\n{self.extra}")
        return ["tinyproxy", "-d", "-c", config]

    extra = ""

    def proxy(self, extra=""):
        self.extra = extra
        return self.start("tinyproxy")

    def test_lines_arrive_through_it_over_tls_too(self):
        proxy = self.proxy()
        sink = self.sink()
        self.assert_exit(self.through(sink, f"http://127.0.0.1:{proxy}", self.lines_file(5000)), 0)
        self.certificate("server")
        over_tls = self.sink(tls={"certificate": self.path("server.pem"), "key": self.path("server.key")})
        ship = self.through(over_tls, f"http://127.0.0.1:{proxy}", self.lines_file(5000), scheme="lumberjacks",
                            settings=f"&ssl.certificate_authorities={self.path('ca.pem')}")
        self.assert_exit(ship, 0)
        for each in (sink, over_tls):
            each.stop()
            self.assert_each_once(self.deliveries(5000, [each]))
        self.assertEqual((self.directory / f"tinyproxy{proxy}.log").read_text().count("Request (file descriptor"), 2)

    def test_it_looks_names_up_itself_unless_that_is_not_wanted(self):
        proxy = self.proxy()
        sink = self.sink()
        sink.address = f"localhost:{sink.port}"
        for here in ("false", "true"):
            ship = self.through(sink, f"http://127.0.0.1:{proxy}", self.lines_file(10),
                                settings=f"&proxy_use_local_resolver={here}")
            self.assert_exit(ship, 0)
        log = (self.directory / f"tinyproxy{proxy}.log").read_text()
        self.assertIn(f"CONNECT localhost:{sink.port}", log)
        self.assertRegex(log, rf"CONNECT (127.0.0.1|\[::1\]):{sink.port}")

    def test_it_is_told_user_and_password(self):
        proxy = self.proxy("BasicAuth user s.cret\n")
        sink = self.sink()
        self.assert_exit(self.through(sink, f"http://user:{SECRET}@127.0.0.1:{proxy}", self.lines_file(10)), 0)
        self.assert_refused_with(self.hopeless(sink, f"http://127.0.0.1:{proxy}", self.lines_file(10)),
                                 f"connecting {sink.address} by the proxy 127.0.0.1:{proxy}: "
                                 "the proxy wants a user and a password")
        self.assert_refused_with(self.hopeless(sink, f"http://other:{SECRET}@127.0.0.1:{proxy}", self.lines_file(10)),
                                 "the proxy ")

    def test_its_refusal_is_told(self):
        proxy = self.proxy("ConnectPort 1\n")
        sink = self.sink()
        self.assert_refused_with(self.hopeless(sink, f"http://127.0.0.1:{proxy}", self.lines_file(10)),
                                 f"connecting {sink.address} by the proxy 127.0.0.1:{proxy}: the proxy refuses: 403")

    def test_test_output_goes_through_it(self):
        proxy = self.proxy()
        sink = self.sink()
        ran = self.finish("test", "output", "--send-event", "--to",
                          f"lumberjack://{sink.address}?proxy_url=http://127.0.0.1:{proxy}")
        self.assert_exit(ran, 0)
        self.assertIn(f"by the proxy 127.0.0.1:{proxy}", ran.output())


@unittest.skipUnless(shutil.which("microsocks"), "microsocks is the proxy")
class Socks(ProxyTest):
    def proxy(self, *options):
        return self.start("microsocks", "-i", "127.0.0.1", "-p", "PORT", *options)

    def test_lines_arrive_through_it(self):
        proxy = self.proxy()
        sink = self.sink()
        self.assert_exit(self.through(sink, f"socks5://127.0.0.1:{proxy}", self.lines_file(5000)), 0)
        sink.address = f"localhost:{sink.port}"
        self.assert_exit(self.through(sink, f"socks5h://127.0.0.1:{proxy}", self.lines_file(10, "few.log")), 0)
        sink.stop()
        self.assertEqual(sink.report()["events"], 5010)

    def test_it_is_told_user_and_password(self):
        proxy = self.proxy("-u", "user", "-P", "s.cret")
        sink = self.sink()
        self.assert_exit(self.through(sink, f"socks5://user:{SECRET}@127.0.0.1:{proxy}", self.lines_file(10)), 0)
        self.assert_refused_with(self.hopeless(sink, f"socks5://user:{SECRET}x@127.0.0.1:{proxy}", self.lines_file(10)),
                                 "the proxy does not accept the user and the password")
        self.assert_refused_with(self.hopeless(sink, f"socks5://127.0.0.1:{proxy}", self.lines_file(10)),
                                 "the proxy wants a user and a password")

    def test_what_it_cannot_reach_is_told(self):
        proxy = self.proxy()
        with ClosedPort() as closed:
            self.assert_refused_with(self.hopeless(closed, f"socks5://127.0.0.1:{proxy}", self.lines_file(10)),
                                     "the proxy refuses: the connection was refused")


class NoProxy(ProxyTest):
    """What stands where a proxy is expected."""

    def answering(self, answer):
        """A server that says this to everybody, and nothing more; None: it says nothing."""
        server = socket.create_server(("127.0.0.1", 0))
        kept = []

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                kept.append(connection)
                if answer is not None:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()

        def end():
            server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join(PATIENCE)
            for each in kept:
                each.close()

        self.addCleanup(end)
        return server.getsockname()[1]

    def test_another_protocol_is_told(self):
        sink = self.sink()
        port = self.answering(b"220 mail.example.org\r\n\r\n")
        self.assert_refused_with(self.hopeless(sink, f"http://127.0.0.1:{port}", self.lines_file(10)),
                                 "what answers is no HTTP proxy")
        self.assert_refused_with(self.hopeless(sink, f"socks5://127.0.0.1:{port}", self.lines_file(10)),
                                 "what answers is no SOCKS5 proxy")

    def test_silence_has_an_end(self):
        sink = self.sink()
        port = self.answering(None)
        for kind in ("http", "socks5"):
            self.assert_refused_with(self.hopeless(sink, f"{kind}://user:{SECRET}@127.0.0.1:{port}", self.lines_file(10),
                                                  timeout="300ms"),
                                     "the proxy gave no answer within")

    def test_one_that_is_not_there_is_told(self):
        sink = self.sink()
        with ClosedPort() as closed:
            self.assert_refused_with(self.hopeless(sink, f"http://user:{SECRET}@{closed.address}", self.lines_file(10),
                                                  timeout="300ms"),
                                     f"connecting the proxy {closed.address}: Connection refused")

    def test_a_url_that_cannot_be_read_is_refused_without_repeating_it(self):
        ran = self.finish("test", "config", "--to", f"lumberjack://h?proxy_url=ftp://user:{SECRET}@p")
        self.assert_exit(ran, 2)
        self.assertIn("proxy_url: expected http://user:password@host:port", ran.log())
        self.assertNotIn(SECRET, ran.log() + ran.output())
