"""windlass test output: each endpoint step by step, against real servers."""

import json
import shutil
import socket
import unittest

from harness import ClosedPort, ProgramTest
from redis_test import RedisTest
from tls_test import Certificates


def steps_of(process):
    """By endpoint: the result of each step."""
    return {endpoint["endpoint"]: {step["step"]: step for step in endpoint["steps"]}
            for endpoint in json.loads(process.output())["endpoints"]}


class Lumberjack(ProgramTest):
    def test_an_event_goes_there_and_comes_back_as_an_acknowledgement(self):
        sink = self.sink()
        ran = self.finish("test", "output", "--to", f"lumberjack://{sink.address}", "--send-event")
        self.assert_exit(ran, 0)
        self.assertRegex(ran.output(), r"resolution +passed +127.0.0.1:\d+ \([0-9.]+ ms\)\n")
        self.assertRegex(ran.output(), r"round trip +passed +a test event was sent and acknowledged \([0-9.]+ ms\)\n")
        self.assertIn("1 of 1 endpoints passed", ran.output())
        sink.stop()
        [event] = sink.events()
        self.assertEqual(event["tags"], ["windlass-test"])

    def test_nothing_is_sent_without_being_asked_for(self):
        sink = self.sink()
        ran = self.finish("test", "output", "--to", f"lumberjack://{sink.address}", "--json")
        self.assert_exit(ran, 0)
        [steps] = steps_of(ran).values()
        self.assertEqual(steps["round trip"]["result"], "none")
        sink.stop()
        self.assertEqual(sink.report()["events"], 0)

    def test_one_that_fails_says_what_to_look_at_and_the_others_are_tried_all_the_same(self):
        sink = self.sink()
        with ClosedPort() as closed:
            ran = self.finish("test", "output", "--json", "--to",
                              f"lumberjack://{closed.address},{sink.address},name.invalid:5044")
        self.assert_exit(ran, 1)
        steps = steps_of(ran)
        self.assertEqual(steps[closed.address]["connection"]["result"], "failed")
        self.assertIn("Connection refused", steps[closed.address]["connection"]["text"])
        self.assertIn("is the server running", steps[closed.address]["connection"]["hint"])
        self.assertEqual(steps[sink.address]["connection"]["result"], "passed")
        self.assertEqual(steps["name.invalid:5044"]["resolution"]["result"], "failed")

    def test_one_that_never_answers_fails_in_time(self):
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            ran = self.finish("test", "output", "--send-event", "--to",
                              f"lumberjack://127.0.0.1:{deaf.getsockname()[1]}?timeout=300ms")
        self.assert_exit(ran, 1)
        self.assertIn("no answer within 300ms", ran.output())


class OverHttp(ProgramTest):
    def test_elasticsearch_is_asked_who_it_is(self):
        fine, denying, failing = (self.sink(*options, scheme="elasticsearch") for options in
                                  [(), ("--status", "401"), ("--status", "503")])
        forbidding = self.sink("--status", "403", scheme="elasticsearch")
        sinks = [fine, denying, failing, forbidding]
        ran = self.finish("test", "output", "--json", "--to",
                          f"elasticsearch://me:secret@{','.join(sink.address for sink in sinks)}?parameters.refresh=true")
        self.assert_exit(ran, 1)
        of_fine, of_denying, of_failing, of_forbidding = (steps_of(ran)[sink.address] for sink in sinks)
        self.assertEqual(of_fine["authentication"]["text"], "as me")
        self.assertEqual(of_fine["round trip"]["result"], "passed")
        self.assertRegex(of_fine["round trip"]["text"], r"GET / is answered 200 OK by Elasticsearch 8\.")
        self.assertEqual(of_denying["authentication"]["result"], "failed")
        self.assertIn("GET / is answered 401 Unauthorized", of_denying["authentication"]["text"])
        self.assertEqual(of_failing["round trip"]["result"], "failed")
        self.assertEqual(of_forbidding["round trip"]["result"], "none")
        self.assertNotIn("authentication", of_forbidding)
        self.assertEqual(list(fine.events()), [])

    def test_an_event_is_stored_or_it_is_told_why_not(self):
        for scheme in "elasticsearch", "http":
            with self.subTest(scheme):
                fine, denying = self.sink(scheme=scheme), self.sink("--status", "401", scheme=scheme)
                ran = self.finish("test", "output", "--json", "--send-event", "--to",
                                  f"{scheme}://{fine.address},{denying.address}")
                self.assert_exit(ran, 1)
                steps = steps_of(ran)
                self.assertEqual(steps[fine.address]["round trip"]["result"], "passed")
                self.assertEqual(steps[denying.address]["authentication"]["result"], "failed")
                self.assertIn("is answered 401", steps[denying.address]["authentication"]["text"])
                [event] = fine.events()
                self.assertEqual(event["tags"], ["windlass-test"])


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificates")
class Tls(Certificates):
    def test_the_certificate_is_told_with_its_expiry(self):
        self.certificate("server", end=10)
        sink = self.sink(tls={"certificate": self.path("server.pem"), "key": self.path("server.key")})
        ran = self.finish("test", "output", "--send-event", "--to",
                          f"lumberjacks://{sink.address}?ssl.certificate_authorities={self.path('ca.pem')}")
        self.assert_exit(ran, 0)
        for text in ("TLSv1.3", "certificate: CN=server\n", "issued by: CN=ca\n", "names: IP:127.0.0.1, DNS:localhost\n",
                     " UTC, 9 days left\n"):
            self.assertIn(text, ran.output())

    def test_a_certificate_that_is_refused_is_named_with_what_to_look_at(self):
        self.certificate("server")
        self.authority("another")
        sink = self.sink(tls={"certificate": self.path("server.pem"), "key": self.path("server.key")})
        ran = self.finish("test", "output", "--json", "--to",
                          f"lumberjacks://{sink.address}?ssl.certificate_authorities={self.path('another.pem')}")
        self.assert_exit(ran, 1)
        step = steps_of(ran)[sink.address]["TLS"]
        self.assertEqual(step["result"], "failed")
        self.assertIn('"CN=server" (depth 0, issued by "CN=ca") is signed by an unknown authority', step["text"])
        self.assertIn("ssl.certificate_authorities", step["hint"])

    def test_a_server_that_wants_our_certificate_says_so_without_an_event(self):
        self.certificate("server")
        sink = self.sink(tls={"certificate": self.path("server.pem"), "key": self.path("server.key"),
                              "certificate_authorities": self.path("ca.pem"), "client_authentication": "required"})
        ran = self.finish("test", "output", "--to",
                          f"lumberjacks://{sink.address}?ssl.certificate_authorities={self.path('ca.pem')}")
        self.assert_exit(ran, 1)
        self.assertIn("certificate required", ran.output())
        self.assertIn("look at ssl.certificate and ssl.key", ran.output())


class Redis(RedisTest):
    def test_it_is_pinged_and_nothing_is_written(self):
        redis = self.server()
        ran = self.finish("test", "output", "--to", f"redis://{redis.address}?key=logs", "--json")
        self.assert_exit(ran, 0)
        self.assertEqual(steps_of(ran)[redis.address]["round trip"]["text"], "PING was answered")
        self.assertEqual(redis.ask("EXISTS", "logs"), 0)

    def test_a_wrong_password_fails_the_authentication(self):
        redis = self.server("--requirepass", "right")
        ran = self.finish("test", "output", "--json", "--to", f"redis://:wrong@{redis.address}?key=logs")
        self.assert_exit(ran, 1)
        step = steps_of(ran)[redis.address]["authentication"]
        self.assertEqual(step["result"], "failed")
        self.assertIn("WRONGPASS", step["text"])
        self.assertIn("look at username and password", step["hint"])
        self.assertNotIn("wrong", step["text"].lower().replace("wrongpass", ""))
        ran = self.finish("test", "output", "--to", f"redis://:right@{redis.address}?key=logs")
        self.assert_exit(ran, 0)
        self.assertRegex(ran.output(), "authentication +passed +by password")
