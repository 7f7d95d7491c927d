"""Redis from end to end, against the real server: lists, channels and streams, who may what, and what goes wrong."""

import shutil
import socket
import subprocess
import types
import unittest

import tls_test
from harness import PATIENCE, ProgramTest, wait_until


class Connection:
    """Speaks to a server, one command after another."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._file = self._socket.makefile("rb")

    def close(self):
        self._file.close()
        self._socket.close()

    def send(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self._socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))

    def reply(self):
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return rest

    def __call__(self, *words):
        self.send(*words)
        return self.reply()


class Server:
    """redis-server with a directory and a port of its own."""

    def __init__(self, directory, name, *options, port=None, tls_port=None):
        self.directory = directory / name
        self.directory.mkdir(exist_ok=True)
        self.options = options
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = port or free.getsockname()[1]
        self.address = f"127.0.0.1:{tls_port or self.port}"
        self._log = open(self.directory / "log", "ab")
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory), "--save", "",
             *map(str, options)],
            stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL)
        wait_until(self.listens, f"redis-server listens\n{(self.directory / 'log').read_text()}")

    def listens(self):
        if self._process.poll() is not None:
            raise AssertionError((self.directory / "log").read_text())
        try:
            self.connect().close()
            return True
        except ConnectionRefusedError:
            return False

    def connect(self):
        return Connection(self.port)

    def ask(self, *words):
        connection = self.connect()
        try:
            return connection(*words)
        finally:
            connection.close()

    def length(self, key="logs"):
        return self.ask("LLEN", key)

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._log.close()


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is the peer of these tests")
class RedisTest(ProgramTest):
    def server(self, *options, name="redis", **more):
        server = Server(self.directory, name, *options, **more)
        self.addCleanup(server.kill)
        return server

    def again(self, server, *options):
        return self.server(*server.options, *options, port=server.port, name=server.directory.name)

    def ship_to(self, server, *arguments, settings="key=logs", scheme="redis", user=""):
        at = types.SimpleNamespace(address=user + server.address)
        settings += "&backoff.init=20ms&backoff.max=100ms"
        return self.ship([at], *arguments, settings=settings, scheme=scheme)

    def record(self, events):
        """Events as deliveries() reads them from a sink."""
        record = self.directory / "events"
        record.write_bytes(b"".join(event + b"\n" for event in events))
        return types.SimpleNamespace(record=record)

    def listed(self, server, count):
        return self.deliveries(count, [self.record(server.ask("LRANGE", "logs", 0, -1))])


class Data(RedisTest):
    def test_lines_arrive_in_a_list_in_their_order(self):
        server = self.server()
        self.assert_exit(self.ship_to(server, self.lines_file(20_000), settings="key=logs&pipelining=1"), 0)
        self.assert_each_once(self.listed(server, 20_000))
        self.assertEqual(self.ledger()["acked"], 20_000)
        lines = server.ask("LRANGE", "logs", 0, -1)
        self.assertEqual([b"line %07d" % n in line for n, line in enumerate(lines)], [True] * 20_000)

    def test_lines_reach_the_subscribers_of_a_channel(self):
        server = self.server("--client-output-buffer-limit", "pubsub 0 0 0")
        subscriber = server.connect()
        self.addCleanup(subscriber.close)
        subscriber("SUBSCRIBE", "logs")
        self.assert_exit(self.ship_to(server, self.lines_file(5000), settings="key=logs&datatype=channel"), 0)
        heard = [subscriber.reply()[2] for _ in range(5000)]
        self.assert_each_once(self.deliveries(5000, [self.record(heard)]))

    def test_lines_arrive_in_a_stream(self):
        server = self.server()
        self.assert_exit(self.ship_to(server, self.lines_file(5000), settings="key=logs&datatype=stream"), 0)
        entries = server.ask("XRANGE", "logs", "-", "+")
        self.assertEqual({fields[0] for _, fields in entries}, {b"event"})
        self.assert_each_once(self.deliveries(5000, [self.record(fields[1] for _, fields in entries)]))

    def test_an_output_section_of_filebeats_works_as_it_is(self):
        server = self.server("--requirepass", "secret")
        config = self.file("windlass.yml", f"""\
output.redis:
  hosts: ["{server.address}"]
  password: secret
  key: logs
  db: 2
  timeout: 5
  datatype: list
""")
        self.assert_exit(self.run_program("ship", "-c", config, self.lines_file(1000)), 0)
        connection = server.connect()
        self.addCleanup(connection.close)
        connection("AUTH", "secret")
        self.assertEqual(connection("LLEN", "logs"), 0)
        connection("SELECT", 2)
        self.assertEqual(connection("LLEN", "logs"), 1000)


class Access(RedisTest):
    def test_a_user_with_a_password_writes_to_a_database(self):
        server = self.server()
        server.ask("ACL", "SETUSER", "shipper", "on", ">secret", "~logs", "+rpush", "+select", "+auth")  # and no PING
        ship = self.ship_to(server, self.lines_file(1000), settings="key=logs&db=3", user="shipper:secret@")
        self.assert_exit(ship, 0)
        connection = server.connect()
        self.addCleanup(connection.close)
        connection("SELECT", 3)
        self.assertEqual(connection("LLEN", "logs"), 1000)

    def test_a_wrong_password_and_a_missing_one_are_named(self):
        server = self.server("--requirepass", "secret")
        for user, word in (":wrong@", "WRONGPASS"), ("", "NOAUTH"):
            ship = self.ship_to(server, self.lines_file(10), settings="key=logs&max_retries=0&timeout=300ms", user=user)
            self.assert_exit(ship, 1)
            self.assertIn(word, ship.log())
            self.assertNotIn("secret", ship.log())

    def test_a_user_who_may_not_write_is_told_so_and_nothing_is_lost(self):
        server = self.server()
        server.ask("ACL", "SETUSER", "shipper", "on", ">secret", "~other", "+@all")
        ship = self.ship_to(server, self.lines_file(10), user="shipper:secret@")
        wait_until(lambda: "NOPERM" in ship.log(), "the log names the reason", ship)
        server.ask("ACL", "SETUSER", "shipper", "~logs")
        self.assert_exit(ship, 0)
        self.assertEqual(server.length(), 10)


class Trouble(RedisTest):
    def test_events_wait_while_the_memory_is_used_up(self):
        server = self.server("--maxmemory-policy", "noeviction")
        server.ask("CONFIG", "SET", "maxmemory", 4_000_000)
        for datatype in "list", "stream":
            server.ask("FLUSHALL")
            server.ask("CONFIG", "SET", "maxmemory", 4_000_000)
            refused = int(self.errors(server, "OOM"))
            ship = self.ship_to(server, self.lines_file(20_000), settings=f"key=logs&datatype={datatype}")
            wait_until(lambda: self.errors(server, "OOM") > refused, "the memory is used up", ship)
            server.ask("CONFIG", "SET", "maxmemory", 0)
            self.assert_exit(ship, 0)
            events = server.ask("LRANGE", "logs", 0, -1) if datatype == "list" else \
                [fields[1] for _, fields in server.ask("XRANGE", "logs", "-", "+")]
            self.assert_each_once(self.deliveries(20_000, [self.record(events)]))

    def errors(self, server, code):
        for line in server.ask("INFO", "errorstats").decode().splitlines():
            if line.startswith(f"errorstat_{code}:count="):
                return int(line.split("=")[1])
        return 0

    def test_events_wait_for_a_replica_to_become_the_master(self):
        master = self.server(name="master")
        replica = self.server("--replicaof", f"127.0.0.1 {master.port}", name="replica")
        ship = self.ship_to(replica, self.lines_file(2000))
        wait_until(lambda: "READONLY" in ship.log(), "the log names the reason", ship)
        replica.ask("REPLICAOF", "NO", "ONE")
        self.assert_exit(ship, 0)
        self.assert_each_once(self.listed(replica, 2000))

    def test_events_wait_while_the_key_is_of_another_kind(self):
        server = self.server()
        server.ask("SET", "logs", "a string")
        ship = self.ship_to(server, self.lines_file(1000))
        wait_until(lambda: "WRONGTYPE" in ship.log(), "the log names the reason", ship)
        server.ask("DEL", "logs")
        self.assert_exit(ship, 0)
        self.assert_each_once(self.listed(server, 1000))

    def test_events_wait_while_the_server_loads_its_data(self):
        server = self.server("--appendonly", "no", "--dbfilename", "dump.rdb")
        connection = server.connect()
        for first in range(0, 30_000, 1000):
            connection("MSET", *(word for n in range(first, first + 1000) for word in (f"key{n}", "x" * 50)))
        connection("SAVE")
        connection.close()
        server.kill()
        # So many microseconds a key, and answers meanwhile.
        server = self.again(server, "--key-load-delay", 100, "--loading-process-events-interval-bytes", 1024)
        ship = self.ship_to(server, self.lines_file(1000))
        wait_until(lambda: "LOADING" in ship.log(), "the log names the reason", ship)
        self.assert_exit(ship, 0)
        self.assert_each_once(self.listed(server, 1000))

    def test_nothing_is_lost_where_the_server_is_killed_and_comes_back(self):
        server = self.server("--appendonly", "yes", "--appendfsync", "always")
        ship = self.ship_to(server, self.lines_file(100_000), settings="key=logs&bulk_max_size=100&timeout=2s")
        for part in 1, 2, 3:
            wait_until(lambda part=part: server.length() > part * 10_000, "a part has arrived", ship)
            server.kill()
            server = self.again(server)
            wait_until(lambda: self.loaded(server), "the data is there again")
        self.assert_exit(ship, 0)
        self.assert_nothing_missing(self.listed(server, 100_000))
        self.assertEqual(self.ledger()["acked"], 100_000)

    def loaded(self, server):
        try:
            return server.ask("PING") == b"PONG"
        except RuntimeError:
            return False


class Tls(RedisTest):
    openssl, authority = tls_test.Tls.openssl, tls_test.Tls.authority
    certificate, path = tls_test.Tls.certificate, tls_test.Tls.path

    def test_lines_arrive(self):
        self.authority("ca")
        self.certificate("server")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            tls_port = free.getsockname()[1]
        server = self.server("--tls-port", tls_port, "--tls-cert-file", self.path("server.pem"), "--tls-key-file",
                             self.path("server.key"), "--tls-ca-cert-file", self.path("ca.pem"), "--tls-auth-clients",
                             "no", tls_port=tls_port)
        ship = self.ship_to(server, self.lines_file(20_000), scheme="rediss",
                            settings=f"key=logs&ssl.certificate_authorities={self.path('ca.pem')}")
        self.assert_exit(ship, 0)
        self.assert_each_once(self.listed(server, 20_000))


class RedisSink(ProgramTest):
    def test_takes_what_redis_would_take(self):
        for datatype in "list", "channel", "stream":
            sink = self.sink(scheme="redis")
            ship = self.ship([sink], self.lines_file(20_000), scheme="redis", settings=f"key=logs&datatype={datatype}")
            self.assert_exit(ship, 0)
            sink.stop()
            self.assert_each_once(self.deliveries(20_000, [sink]))

    def test_nothing_is_lost_where_it_closes_the_connection_again_and_again(self):
        sink = self.sink("--close-after", 3000, scheme="redis")
        ship = self.ship([sink], self.lines_file(20_000), scheme="redis", settings="key=logs&backoff.init=10ms")
        self.assert_exit(ship, 0)
        sink.stop()
        self.assert_nothing_missing(self.deliveries(20_000, [sink]))


if __name__ == "__main__":
    unittest.main()
