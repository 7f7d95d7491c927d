"""The relay: what clients are told, and when; clients that go away, that are slow, and that mean no good."""

import json
import resource
import shutil
import signal
import socket
import struct
import unittest
import zlib

from harness import ClosedPort, PATIENCE, ProgramTest, total_of, wait_until
from lumberjack import Peers, ack, compressed, event, frame, hostile, window
from tls_test import Certificates

KEEP_ALIVE = ack(0)
OFTEN = ("-E", "relay.keep_alive_interval=20ms")


def numbered(first, last):
    return [b'{"n":%d}' % n for n in range(first, last)]


class RelayTest(Peers, ProgramTest):
    def received(self, sink):
        return sorted(event["n"] for event in sink.events())

    def cut(self, relay):
        return relay.report()["clients"]["cut"]

    def assert_cut(self, relay, connection, why):
        peer = "%s:%d" % connection.getsockname()
        self.assert_ended(connection)
        wait_until(lambda: f"{peer}: closed, as {why}" in relay.log(), f"{peer} is cut, as {why}", relay)

    def assert_served(self, relay):
        """Somebody who behaves is served."""
        connection = self.connect(relay)
        connection.sendall(window(b'{"n":-1}'))
        self.hear_ack(connection, 1)
        connection.close()


class Acknowledgements(RelayTest):
    def test_what_is_acknowledged_is_at_the_endpoint(self):
        sink = self.sink()
        relay = self.relay([sink])
        connection = self.connect(relay)
        connection.sendall(window(*numbered(0, 10)) + frame(b"W", 2) + compressed(event(1, b"{}") + event(2, b"{}")))
        self.assertEqual(self.hear(connection, 12), ack(10) + ack(2))
        sink.kill()
        self.assertEqual(sum(1 for _ in sink.events()), 12)

    def test_nothing_is_acknowledged_before_the_endpoint_has(self):
        sink = self.sink("--keepalive-only")
        relay = self.relay([sink], *OFTEN)
        connection = self.connect(relay)
        connection.sendall(window(*numbered(0, 10)))
        wait_until(lambda: self.received(sink) == list(range(10)), "the endpoint has it", relay, sink)
        self.assertEqual(self.hear(connection, 18), KEEP_ALIVE * 3)

    def test_a_long_window_is_acknowledged_part_by_part(self):
        sink = self.sink("--rate", "20000/s")
        relay = self.relay([sink], settings="bulk_max_size=500")
        connection = self.connect(relay)
        connection.sendall(window(*numbered(0, 10_000)))
        before = self.hear_ack(connection, 10_000)
        self.assertEqual(before, sorted(before))
        self.assertGreater(len([count for count in before if count > 0]), 2)
        self.assertEqual(relay.stop(), 0)
        self.assertEqual(relay.report()["clients"]["acked"], 10_000)
        self.assertEqual(relay.report()["clients"]["acked_windows"], 1)

    def test_a_window_that_was_damaged_on_the_way_is_not_acknowledged_in_full(self):
        sink = self.sink()
        relay = self.relay([sink])
        connection = self.connect(relay)
        stream = bytearray(zlib.compress(event(1, b"{}") + event(2, b"{}")))
        stream[-1] ^= 1  # of the checksum
        connection.sendall(frame(b"W", 2) + frame(b"C", len(stream)) + stream)
        self.assert_cut(relay, connection, "it breaks the protocol: a compressed frame holds no sound zlib stream")

    def test_an_event_that_was_dropped_is_left_to_the_client(self):
        with ClosedPort() as nobody:
            relay = self.relay([nobody], settings="max_retries=0&timeout=100ms&backoff.init=10ms&backoff.max=20ms")
            connection = self.connect(relay)
            connection.sendall(window(*numbered(0, 3)))
            self.assert_cut(relay, connection, "an event of it was dropped, and it is to send it again")
            self.assertEqual(relay.stop(), 1)
        report = relay.report()
        self.assertEqual(report["dropped"], {"no_worker": 3})
        self.assertEqual(report["clients"]["acked"], 0)
        self.assertEqual(report["clients"]["cut"], {"dropped": 1})

    def relay_to_poisonable_sinks(self, letters):
        sinks = [self.sink("--poison", "DEAD") for _ in range(2)]
        return self.relay(sinks, "-E", f"dead_letter.file={letters}", settings="backoff.init=1ms&backoff.max=20ms")

    def test_an_event_in_the_dead_letter_is_done(self):
        letters = self.directory / "letters.ndjson"
        relay = self.relay_to_poisonable_sinks(letters)
        connection = self.connect(relay)
        connection.sendall(window(b'{"n":0}', b'{"n":"DEAD"}', b'{"n":2}'))
        self.hear_ack(connection, 3)
        self.assertEqual([json.loads(line)["event"] for line in letters.read_text().splitlines()], [{"n": "DEAD"}])
        self.assertEqual(relay.stop(), 1)
        self.assertEqual(relay.report()["dead_lettered"], 1)

    def test_an_event_that_the_dead_letter_could_not_keep_is_left_to_the_client(self):
        relay = self.relay_to_poisonable_sinks("/dev/full")
        connection = self.connect(relay)
        connection.sendall(window(b'{"n":0}', b'{"n":"DEAD"}'))
        self.assert_cut(relay, connection, "an event of it was dropped, and it is to send it again")
        self.assertEqual(relay.stop(), 1)
        self.assertEqual(relay.report()["dropped"], {"undeliverable": 1})

    def test_with_a_queue_on_disk_it_is_acknowledged_once_it_is_there_and_survives_a_kill(self):
        with ClosedPort() as nobody:
            relay = self.relay([nobody], "-E", f"queue.disk.path={self.directory / 'queue'}")
            connection = self.connect(relay)
            connection.sendall(window(*numbered(0, 10)))
            self.hear_ack(connection, 10)
            relay.kill()
        sink = self.sink()
        relay = self.restart(relay, "--to", f"lumberjack://{sink.address}")
        wait_until(lambda: self.received(sink) == list(range(10)), "it is delivered after all", relay, sink)
        self.assertEqual(relay.stop(), 0)

    def test_newlines_between_tokens_are_blanks_afterwards(self):
        sink = self.sink()
        relay = self.relay([sink])
        connection = self.connect(relay)
        connection.sendall(window(b'{\n"n":\r\n1}'))
        self.hear_ack(connection, 1)
        self.assertEqual(sink.record.read_bytes(), b'{ "n":  1}\n')


class Backpressure(RelayTest):
    def test_a_full_queue_reaches_the_client(self):
        sink = self.sink("--keepalive-only")
        relay = self.relay([sink], "-E", "queue.mem.events=100", "-E", "progress_timeout=1h", *OFTEN)
        connection = self.connect(relay)
        self.assertGreater(self.send_until_blocked(connection), 0)
        wait_until(lambda: len(self.received(sink)) == 100, "the queue is full", relay, sink)
        # Its sign of life reaches the one who waits for room, too.
        self.assertEqual(self.hear(connection, 60), KEEP_ALIVE * 10)

    def send_until_blocked(self, connection):
        """Windows of 50 events, as many as the relay and the kernel take; the last one may be cut short."""
        connection.setblocking(False)
        windows = window(*numbered(0, 50)) * 10_000
        sent = 0
        try:
            while sent < len(windows):
                sent += connection.send(memoryview(windows)[sent:sent + (64 << 10)])
        except BlockingIOError:
            connection.settimeout(PATIENCE)
        return sent

    def test_many_clients_share_a_small_queue_and_each_gets_its_turn(self):
        sink = self.sink("--rate", "20000/s")
        relay = self.relay([sink], "-E", "queue.mem.events=300", settings="bulk_max_size=100")
        connections = [self.connect(relay) for _ in range(20)]
        for index, connection in enumerate(connections):
            connection.sendall(b"".join(window(*numbered(1000 * index + first, 1000 * index + first + 250))
                                        for first in range(0, 1000, 250)))
        for connection in connections:
            for _ in range(4):
                self.hear_ack(connection, 250)
        self.assertEqual(relay.stop(), 0)
        sink.stop()
        self.assertEqual(self.received(sink), list(range(20_000)))

    def test_what_waits_for_room_is_bounded_over_all_clients(self):
        sink = self.sink("--keepalive-only")
        relay = self.relay([sink], "-E", "queue.mem.events=100", "-E", "relay.receive_bytes=2MiB", *OFTEN)
        connections = [self.connect(relay) for _ in range(100)]
        for connection in connections:
            self.send_until_blocked(connection)
        for connection in connections:
            self.hear(connection, 6)
        self.assertEqual(sum(" closed, as" in line for line in relay.log().splitlines()), 0, relay.log())
        relay.signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in relay.log(), "the first signal is noticed", relay)
        relay.signal(signal.SIGTERM)
        relay.wait()
        self.assert_memory_below(relay.report()["max_rss_bytes"], 60 << 20)


class Vanishing(RelayTest):
    def test_windows_of_a_client_that_went_away_go_on(self):
        sink = self.sink("--delay", "300ms")
        relay = self.relay([sink])
        connection = self.connect(relay)
        connection.sendall(window(*numbered(0, 1000)) + frame(b"W", 2) + event(1, b'{"n":1000}') + b"2J")
        wait_until(lambda: len(self.received(sink)) >= 1000, "the endpoint has it", relay, sink)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        self.assert_served(relay)
        self.assertEqual(relay.stop(), 0)
        sink.stop()
        self.assertEqual([n for n in self.received(sink) if n in range(1000)], list(range(1000)))
        self.assertEqual(relay.report()["acked"], relay.report()["accepted"])

    def test_clients_that_come_and_go_leave_nothing_behind(self):
        sink = self.sink("--delay", "20ms")
        relay = self.relay([sink])
        payload = b'{"n":1,"text":"%s"}' % (b"x" * 1000)
        sizes = []
        for _ in range(6):
            for _ in range(50):
                connection = self.connect(relay)
                connection.sendall(window(*[payload] * 100))
                connection.close()
            self.assert_served(relay)
            sizes.append(resident_bytes(relay))
        self.assert_memory_below(sizes[-1], sizes[1] + (16 << 20), sizes)


class Ending(RelayTest):
    def test_a_signal_finishes_what_is_in_flight_and_acknowledges_it(self):
        sink = self.sink("--delay", "400ms")
        relay = self.relay([sink])
        connection = self.connect(relay)
        idle = self.connect(relay)
        connection.sendall(window(*numbered(0, 10)) + frame(b"W", 3) + event(1, b'{"n":10}'))
        wait_until(lambda: self.received(sink) == list(range(11)), "the endpoint has it", relay, sink)
        relay.signal(signal.SIGTERM)
        self.assert_closed(idle)
        self.assertEqual(self.hear(connection, 12), ack(10) + ack(1))
        self.assert_closed(connection)
        self.assert_exit(relay, 0)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", relay.port))
        report = relay.report()
        self.assertEqual(report["acked"], 11)
        self.assertEqual(report["accepted"], total_of(report))

    def test_the_deadline_leaves_to_the_client_what_is_not_acknowledged(self):
        sink = self.sink("--keepalive-only")
        relay = self.relay([sink], "-E", "shutdown_timeout=200ms")
        connection = self.connect(relay)
        connection.sendall(window(*numbered(0, 10)))
        wait_until(lambda: self.received(sink) == list(range(10)), "the endpoint has it", relay, sink)
        relay.signal(signal.SIGTERM)
        self.assert_closed(connection)
        self.assert_exit(relay, 1)
        self.assertEqual(relay.report()["dropped"], {"closed": 10})

    def test_a_second_signal_closes_at_once(self):
        sink = self.sink("--keepalive-only")
        relay = self.relay([sink], "-E", "shutdown_timeout=1h")
        connection = self.connect(relay)
        connection.sendall(window(*numbered(0, 10)))
        wait_until(lambda: self.received(sink) == list(range(10)), "the endpoint has it", relay, sink)
        relay.signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in relay.log(), "the first signal is noticed", relay)
        relay.signal(signal.SIGTERM)
        self.assert_closed(connection)
        self.assert_exit(relay, 1)


class Limits(RelayTest):
    SOON = ("-E", "relay.window_timeout=200ms", "-E", "relay.client_inactivity_timeout=200ms")

    def test_a_window_of_which_nothing_comes_any_more_is_cut(self):
        relay = self.relay([self.sink()], *self.SOON)
        for half in (frame(b"W", 2), frame(b"W", 2) + event(1, b"{}"), frame(b"W", 1) + event(1, b"{}")[:-1],
                     frame(b"W", 2) + compressed(event(1, b"{}"))[:-3]):
            connection = self.connect(relay)
            connection.sendall(half)
            self.assert_cut(relay, connection, "it has begun a window, and nothing came of it for 200ms")
        self.assert_served(relay)
        relay.stop()
        self.assertEqual(self.cut(relay), {"half_window": 4})

    def test_an_event_that_comes_byte_by_byte_is_not_waited_for(self):
        relay = self.relay([self.sink()], *self.SOON)
        loris = self.connect(relay)
        loris.sendall(frame(b"W", 1) + frame(b"J", 1) + struct.pack(">I", 1 << 20))
        loris.settimeout(0.02)
        with self.assertRaises((BrokenPipeError, ConnectionResetError)):
            while True:  # until it is cut
                loris.send(b" ")
                try:
                    if not loris.recv(1):
                        raise BrokenPipeError
                except TimeoutError:
                    pass
        self.assert_served(relay)
        relay.stop()
        self.assertEqual(self.cut(relay), {"half_window": 1})

    def test_a_client_that_says_nothing_is_let_go_and_one_that_is_owed_something_is_not(self):
        sink = self.sink("--keepalive-only")
        relay = self.relay([sink], *self.SOON, *OFTEN)
        owed = self.connect(relay)
        owed.sendall(window(b"{}"))
        for said in (b"", b"2", frame(b"W", 0)):
            connection = self.connect(relay)
            connection.sendall(said)
            self.assert_cut(relay, connection, "it said nothing for 200ms")
        self.hear(owed, 60)

    def test_a_client_that_takes_no_answer_is_cut(self):
        relay = self.relay([self.sink()], *self.SOON)
        deaf = self.connect(relay, receive_buffer=4096)
        with self.assertRaises((BrokenPipeError, ConnectionResetError)):
            while True:
                deaf.sendall(window(b"{}") * 1000)
        self.assertIn("it took no answer for 200ms", relay.log())
        self.assert_served(relay)
        relay.stop()
        self.assertEqual(self.cut(relay), {"deaf": 1})

    def test_hostile_peers_are_named_and_harm_nobody(self):
        sink = self.sink()
        relay = self.relay([sink])
        good = self.connect(relay)
        good.sendall(frame(b"W", 2) + event(1, b'{"good":1}'))
        peers = hostile() | {
            "event that is no JSON": window(b"{}", b"[]"),
            "event that is no UTF-8": window(b'{"n":"\xff"}'),
        }
        for what, said in peers.items():
            with self.subTest(what):
                connection = self.connect(relay)
                try:
                    connection.sendall(said)
                except (ConnectionResetError, BrokenPipeError):
                    pass
                self.assert_cut(relay, connection, "it breaks the protocol: ")
        good.sendall(event(2, b'{"good":2}'))
        self.hear_ack(good, 2)
        self.assertEqual(relay.stop(), 0)
        self.assertEqual(self.cut(relay), {"protocol_error": len(peers)})
        self.assert_memory_below(relay.report()["max_rss_bytes"], 100 << 20)

    def test_whoever_holds_the_most_of_what_is_not_complete_is_cut_when_there_is_too_much_of_it(self):
        relay = self.relay([self.sink()], "-E", "relay.receive_bytes=16MiB", "-E", "queue.mem.bytes=64MiB")
        small = self.connect(relay)
        small.sendall(frame(b"W", 1) + frame(b"J", 1) + struct.pack(">I", 200_000) + b'{"n":"' + b"x" * 99_994)
        hogs = [self.connect(relay) for _ in range(20)]
        for hog in hogs:
            try:
                hog.sendall(frame(b"W", 1) + frame(b"J", 1) + struct.pack(">I", 9 << 20) + b'{"n":"' + b"x" * (2 << 20))
            except (ConnectionResetError, BrokenPipeError):
                pass
        wait_until(lambda: relay.log().count("of what is not complete") >= 10, "most of them are cut", relay)
        small.sendall(b"x" * 99_998 + b'"}')
        self.hear_ack(small, 1)
        self.assert_served(relay)

    def test_more_clients_than_allowed_wait_for_their_turn(self):
        relay = self.relay([self.sink()], "-E", "relay.max_clients=2")
        first, second, third = (self.connect(relay) for _ in range(3))
        third.sendall(window(b"{}"))
        second.sendall(window(b"{}"))
        self.hear_ack(second, 1)
        second.close()
        self.hear_ack(third, 1)

    def test_five_thousand_idle_clients_need_less_than_200_MB(self):
        count = 5000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < count + 500:
            self.skipTest(f"only {hard} open files are allowed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        sink = self.sink()
        relay = self.relay([sink], "-E", "relay.client_inactivity_timeout=0", "-E", "logging.level=warning")
        said = frame(b"W", 10) + compressed(b"".join(event(n, b'{"n":%d}' % n) for n in range(1, 11)))
        connections = [self.connect(relay) for _ in range(count)]
        for connection in connections:
            connection.sendall(said)
        for connection in connections:
            self.hear_ack(connection, 10)
        resident = resident_bytes(relay)
        print(f"{count} clients: {resident / 1e6:.1f} MB resident")
        self.assert_memory_below(resident, 200_000_000)
        self.assert_served(relay)
        self.assertEqual(relay.stop(), 0)
        self.assertEqual(relay.report()["clients"]["connections"], count + 1)


def resident_bytes(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


class Configuration(RelayTest):
    def test_it_listens_where_the_configuration_says(self):
        sink = self.sink()
        path = self.file("windlass.yml", f"""
relay:
  listen: ["lumberjack://127.0.0.1:0", "lumberjack://localhost:0"]
  client_inactivity_timeout: 90s
output.logstash.hosts: ["{sink.address}"]
""")
        relay = self.run_program("relay", "-c", path)
        wait_until(lambda: relay.output().count("listening on") == 2, "it listens", relay)
        for line in relay.output().splitlines()[:2]:
            host, port = line.split("://")[1].rsplit(":", 1)
            with socket.create_connection((host.strip("[]"), int(port)), PATIENCE) as connection:
                connection.sendall(window(b"{}"))
                self.hear_ack(connection, 1)
        self.assertEqual(relay.stop(), 0)

    def test_what_cannot_be_worked_with_is_named(self):
        sink = self.sink()
        for arguments, words in (
                (["--to", f"lumberjack://{sink.address}"], ["nowhere to listen", "--listen", "relay.listen"]),
                (["--listen", "lumberjack://127.0.0.1:0"], ["no output is enabled"]),
                (["--listen", f"lumberjack://{sink.address}", "--to", "lumberjack://h"], [sink.address, "in use"]),
                (["-E", "relay.listen=nonsense", "--to", "lumberjack://h"], ["relay.listen", "nonsense"]),
                (["-E", "relay.window_timout=1s", "--to", "lumberjack://h"], ["did you mean relay.window_timeout?"])):
            relay = self.finish("relay", *arguments)
            self.assertEqual(relay.exit_code(), 2, relay.story())
            for word in words:
                self.assertIn(word, relay.log())


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificates")
class RelayTls(Certificates, RelayTest):
    def test_clients_show_certificates_where_they_are_asked_to(self):
        self.certificate("server")
        self.certificate("client", alternative="DNS:client")
        sink = self.sink()
        relay = self.relay([sink], tls={"certificate": self.path("server.pem"), "key": self.path("server.key"),
                                        "client_authentication": "required",
                                        "certificate_authorities": self.path("ca.pem")})
        trusted = f"ssl.certificate_authorities={self.path('ca.pem')}"
        identity = f"&ssl.certificate={self.path('client.pem')}&ssl.key={self.path('client.key')}"
        lines = self.lines_file(1000)
        self.assert_exit(self.ship([relay], lines, scheme="lumberjacks", settings=trusted + self.hopeless), 1)
        self.assert_exit(self.ship([relay], lines, scheme="lumberjacks", settings=trusted + identity), 0)
        self.assertEqual(relay.stop(), 0)
        sink.stop()
        self.assert_each_once(self.deliveries(1000, [sink]))
        self.assertGreater(relay.report()["clients"]["failed_accepts"], 0)


class EndToEnd(RelayTest):
    def test_ship_through_two_relays_of_which_one_is_killed_and_comes_back_loses_nothing(self):
        count = 100_000
        lines = self.lines_file(count)
        sinks = [self.sink("--rate", "20000/s") for _ in range(2)]
        relays = [self.relay(sinks, "-E", "queue.mem.events=4000", settings="bulk_max_size=500") for _ in range(2)]
        ship = self.ship(relays, lines, settings="pipelining=4&bulk_max_size=1000&backoff.init=20ms&backoff.max=200ms")
        victim = relays[0]
        wait_until(lambda: sum(sink.recorded_bytes() for sink in sinks) > 5_000_000, "a part has arrived", ship, *relays)
        victim.kill()
        wait_until(lambda: victim.address in ship.log() and "efused" in ship.log(), "the loss is noticed", ship)
        relays[0] = self.restart(victim)
        self.assert_exit(ship, 0)
        ledger = self.ledger()
        self.assertEqual(ledger["acked"], count)
        for relay in relays:
            self.assertEqual(relay.stop(), 0, relay.story())
            report = relay.report()
            self.assertEqual(report["accepted"], total_of(report))
            self.assertEqual(report["accepted"], report["acked"])
            self.assertEqual(report["accepted"], report["clients"]["events"])
        for sink in sinks:
            sink.stop()
        self.assert_nothing_missing(self.deliveries(count, sinks))
        self.assertGreater(relays[0].report()["acked"], 0, "the relay that came back was used again")
