"""Elasticsearch's _bulk, by the same stories with the sink and with a real server.

The latter is any Elasticsearch or OpenSearch whose URL is in WINDLASS_TEST_ELASTICSEARCH (http://user:password@host:port).
What the stories make there begins with "windlass-test-", and is removed at their ends.
"""

import base64
import json
import os
import signal
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid

import harness

REAL = os.environ.get("WINDLASS_TEST_ELASTICSEARCH", "").rstrip("/")


def lines(count, first=0):
    return "".join(f"line {number}\n" for number in range(first, first + count))


def as_json(events):
    return "".join(json.dumps(event) + "\n" for event in events)


class BulkTest(harness.ProgramTest):
    """What a story needs of a server: start(), block lifted by unblock(), documents(), and ask()."""

    def setUp(self):
        super().setUp()
        self.index = f"windlass-test-{uuid.uuid4()}"

    def ask(self, method, path, body=None, content_type="application/json"):
        """Status and body of the answer, from JSON."""
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        request = urllib.request.Request(self.base + path, text.encode() if text else None, method=method,
                                         headers={"Content-Type": content_type, **self.credentials})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def bulk(self, *actions, query=""):
        """Each an action and its document, which may be a text."""
        body = "".join(f"{json.dumps(action)}\n{document if isinstance(document, str) else json.dumps(document)}\n"
                       for action, document in actions)
        return self.ask("POST", f"/_bulk{query}", body, "application/x-ndjson")

    def start_shipping(self, text, *options, index=None, settings=""):
        path = self.file("input.log", text)
        to = f"{self.address}?index={index or self.index}&backoff.init=10ms{settings}"
        return self.run_program("ship", "--to", to, "--report", self.directory / "ship.report",
                                "-E", f"dead_letter.file={self.directory / 'letters'}", *options, path)

    def ship_all(self, text, *options, **where):
        ship = self.start_shipping(text, *options, **where)
        ship.wait()
        return ship.exit_code(), self.ledger(), ship

    def letters(self):
        return [json.loads(line) for line in (self.directory / "letters").read_text().splitlines()]

    def messages(self):
        return sorted(document["message"] for document in self.documents())


class WithTheSink(BulkTest):
    credentials = {}

    def start(self, data_stream=False, blocked=False):
        self.server = self.sink(*(["--data-stream", self.index] if data_stream else []),
                                *(["--block", "windlass-*"] if blocked else []), scheme="elasticsearch")
        self.address = f"elasticsearch://{self.server.address}"
        self.base = f"http://{self.server.address}"

    def unblock(self):
        self.server.stop()
        self.server = self.restart(self.server)

    def documents(self):
        return list(self.server.events())


@unittest.skipUnless(REAL, "WINDLASS_TEST_ELASTICSEARCH names no Elasticsearch or OpenSearch")
class WithARealServer(BulkTest):
    def setUp(self):
        super().setUp()
        url = urllib.parse.urlsplit(REAL)
        self.base = f"{url.scheme}://{url.hostname}:{url.port or 9200}"
        user = f"{url.username}:{url.password}@" if url.username else ""
        self.credentials = {"Authorization": "Basic " + base64.b64encode(
            urllib.parse.unquote(user[:-1]).encode()).decode()} if user else {}
        self.address = f"elasticsearch{'s' if url.scheme == 'https' else ''}://{user}{url.hostname}:{url.port or 9200}"
        self.made = [f"/{self.index}"]
        self.addCleanup(self.remove)

    def remove(self):
        for path in self.made:
            self.ask("DELETE", path)

    def do(self, method, path, body=None):
        status, answer = self.ask(method, path, body)
        self.assertLess(status, 300, answer)
        return answer

    def start(self, data_stream=False, blocked=False):
        if data_stream:
            self.do("PUT", f"/_index_template/{self.index}",
                    {"index_patterns": [self.index], "data_stream": {}, "priority": 1000})
            self.made = [f"/_data_stream/{self.index}", f"/_index_template/{self.index}"]
        if blocked:
            self.do("PUT", f"/{self.index}", {"settings": {"index.blocks.write": True}})

    def unblock(self):
        self.do("PUT", f"/{self.index}/_settings", {"index.blocks.write": False})

    def count(self):
        self.ask("POST", f"/{self.index}/_refresh")
        return self.ask("GET", f"/{self.index}/_count")[1].get("count")

    def documents(self, index=None):
        index = index or self.index
        self.do("POST", f"/{index}/_refresh")
        found = self.do("GET", f"/{index}/_search?size=10000")
        return [hit["_source"] for hit in found["hits"]["hits"]]


class Stories:
    def test_stores_every_line_once_without_its_metadata(self):
        self.start()
        for settings in "&compression_level=0", "&headers.Accept-Encoding=identity":
            code, ledger, ship = self.ship_all(lines(5000), settings=settings)
            self.assertEqual((code, ledger["acked"]), (0, 5000), ship.story())
            self.assertEqual(self.messages(), sorted(f"line {n}" for n in range(5000)))
        self.assertFalse([document for document in self.documents() if "@metadata" in document])

    def test_writes_over_what_is_indexed(self):
        self.start()
        events = [{"@metadata": {"_id": f"id {n % 100}"}, "message": f"line {n}"} for n in range(200)]
        code, ledger, ship = self.ship_all(as_json(events), "--json", settings="&op_type=index&bulk_max_size=100")
        self.assertEqual((code, ledger["acked"]), (0, 200), ship.story())
        # The sink has a record of all that came.
        self.assertLessEqual({f"line {n}" for n in range(100, 200)}, set(self.messages()) | {f"line {n}" for n in range(100)})
        self.assertEqual(self.bulk(({"index": {"_index": self.index, "_id": "id 7"}}, {"message": "again"}))[1]["items"][0]
                         ["index"]["result"], "updated")

    def test_answers_each_item_as_it_is(self):
        self.start()
        create = {"create": {"_index": self.index, "_id": "1"}}
        index = {"index": {"_index": self.index, "_id": "1"}}
        no_id = {"create": {"_index": self.index}}
        document = {"message": "m"}
        status, answer = self.bulk((create, document), (create, document), (index, document), (no_id, document),
                                   (no_id, "no JSON"), ({"create": {"_index": self.index, "_id": ""}}, document),
                                   ({"create": {"_index": "Upper", "_id": "1"}}, document))
        self.assertEqual((status, answer["errors"], len(answer["items"])), (200, True, 7), answer)
        found = []
        for item in answer["items"]:
            (operation, said), = item.items()
            found.append((operation, said["status"], said.get("result"), said.get("error", {}).get("type")))
        self.assertIn(found[4][3], ("document_parsing_exception", "mapper_parsing_exception"))
        found[4] = (*found[4][:3], "parsing")
        self.assertEqual(found, [
            ("create", 201, "created", None), ("create", 409, None, "version_conflict_engine_exception"),
            ("index", 200, "updated", None), ("create", 201, "created", None), ("create", 400, None, "parsing"),
            ("create", 400, None, "illegal_argument_exception"), ("create", 400, None, "invalid_index_name_exception")])
        for item, operation in (answer["items"][0], "create"), (answer["items"][2], "index"):
            self.assertEqual((item[operation]["_index"], item[operation]["_id"]), (self.index, "1"))

    def test_answers_what_was_asked_for(self):
        self.start()
        create = {"create": {"_index": self.index, "_id": "1"}}
        for paths, expected in [
                ("errors,items.*.status", {"errors": False, "items": [{"create": {"status": 201}}]}),
                ("items.*.status", {"items": [{"create": {"status": 409}}]}),
                ("errors%2Citems.%2A.error.type",
                 {"errors": True, "items": [{"create": {"error": {"type": "version_conflict_engine_exception"}}}]}),
                ("items.index", {})]:
            with self.subTest(paths):
                self.assertEqual(self.bulk((create, {"a": 1}), query=f"?filter_path={paths}"), (200, expected))

    def test_refuses_requests_that_it_cannot_read(self):
        self.start()
        create = json.dumps({"create": {"_index": self.index, "_id": "1"}}) + "\n"
        for what, type, body in [
                (400, "parse_exception", ""), (400, "action_request_validation_exception", "\n"),
                (400, "illegal_argument_exception", create + '{"a":1}'),
                (400, "illegal_argument_exception", '{"make":{}}\n{}\n'),
                (400, "action_request_validation_exception", '{"create":{"_id":"1"}}\n{}\n'),
                (400, "action_request_validation_exception", create.replace('"1"', '"' + 513 * "1" + '"') + "{}\n")]:
            with self.subTest(body[:100]):
                status, answer = self.ask("POST", "/_bulk", body, "application/x-ndjson")
                self.assertEqual((status, answer["error"]["type"], answer["error"]["root_cause"][0]["type"]),
                                 (what, type, type))
        self.assertEqual(self.ask("POST", "/_bulk", create + "{}\n", "text/plain")[0], 406)
        self.assertEqual(self.ask("POST", "/_bulk?what=x", create + "{}\n")[0], 400)
        self.assertEqual(self.ask("POST", "/a/b/c/_bulk", create + "{}\n")[0], 400)
        self.assertEqual(self.ask("GET", "/_bulk")[0], 405)
        self.assertEqual(self.ask("GET", "/")[1]["version"].keys() & {"number"}, {"number"})

    def test_ships_to_a_data_stream(self):
        self.start(data_stream=True)
        for _ in range(2):  # its ids are kept as those of an index
            code, ledger, ship = self.ship_all(lines(100))
            self.assertEqual((code, ledger["acked"]), (0, 100), ship.story())
        self.assertEqual(self.messages(), sorted(f"line {n}" for n in range(100)))

    def test_keeps_what_a_data_stream_does_not_take(self):
        self.start(data_stream=True)
        time = "2024-05-06T07:08:09.123Z"
        events = [{"message": f"line {n}", **({} if n % 10 == 3 else {"@timestamp": time})} for n in range(100)]
        code, ledger, ship = self.ship_all(as_json(events), "--json")
        self.assertEqual((code, ledger["acked"], ledger["dead_lettered"]), (1, 90, 10), ship.story())
        self.assertEqual(self.messages(), sorted(event["message"] for event in events if "@timestamp" in event))
        for letter in self.letters():
            self.assertRegex(letter["error"], "400 .*_parsing_exception: .*timestamp")
        self.assertIn("timestamp", ship.log())

    def test_keeps_what_is_indexed_where_only_creating_is_allowed(self):
        self.start(data_stream=True)
        code, ledger, ship = self.ship_all(lines(10), settings="&op_type=index")
        self.assertEqual((code, ledger["acked"], ledger["dead_lettered"]), (1, 0, 10), ship.story())
        self.assertIn("only write ops with an op_type of create are allowed in data streams", self.letters()[0]["error"])

    def test_holds_what_is_blocked_until_it_is_not(self):
        self.start(blocked=True)
        ship = self.start_shipping(lines(3000))
        harness.wait_until(lambda: "403 cluster_block_exception" in ship.log(), "the reason is told", ship)
        self.assertIsNone(ship.exit_code())
        self.unblock()
        self.assertEqual(ship.wait(), 0, ship.story())
        self.assertEqual((self.ledger()["acked"], len(self.messages())), (3000, 3000), ship.story())

    def test_gives_up_what_is_blocked_where_it_is_told_to(self):
        self.start(blocked=True)
        code, ledger, ship = self.ship_all(lines(100), settings="&forbidden=reject")
        self.assertEqual((code, ledger["acked"], ledger["dead_lettered"]), (1, 0, 100), ship.story())
        self.assertRegex(self.letters()[0]["error"], r"403 cluster_block_exception: index \[.*\] blocked by: \[FORBIDDEN/8/")

    def test_refuses_an_id_that_is_too_long_by_itself(self):
        self.start()
        events = [{"@metadata": {"_id": "x" * length}, "message": str(length)} for length in (0, 1, 512, 513)]
        code, ledger, ship = self.ship_all(as_json(events), "--json")
        self.assertEqual((code, ledger["acked"], ledger["dead_lettered"]), (1, 3, 1), ship.story())
        self.assertEqual(self.messages(), ["0", "1", "512"])
        self.assertIn("longer than the 512 bytes", self.letters()[0]["error"])

    def test_names_the_index_in_lower_case(self):
        self.start()
        code, ledger, ship = self.ship_all(lines(10), index=self.index.upper())
        self.assertEqual((code, ledger["acked"], len(self.messages())), (0, 10, 10), ship.story())

    def test_holds_everything_for_a_parameter_that_nobody_knows(self):
        self.start()
        ship = self.start_shipping(lines(10), settings="&parameters.refesh=true")
        harness.wait_until(lambda: "unrecognized parameter: [refesh]" in ship.log(), "the reason is told", ship)
        self.assertIsNone(ship.exit_code())
        ship.signal(signal.SIGINT)
        ship.signal(signal.SIGINT)
        self.assertEqual(ship.wait(), 1)
        self.assertEqual(self.ledger()["acked"], 0)

    def test_is_tried_out_by_test_output(self):
        self.start()
        config = self.file("windlass.yml", f"output.elasticsearch:\n  hosts: ['{self.base}']\n  index: {self.index}\n")
        test = self.finish("test", "output", "-c", config)
        self.assertEqual(test.exit_code(), 0, test.story())
        self.assertRegex(test.output(), r"round trip +passed +GET / is answered 200 OK by (OpenSearch|Elasticsearch) \d")
        test = self.finish("test", "output", "-c", config, "--send-event")
        self.assertEqual(test.exit_code(), 0, test.story())
        self.assertEqual(len(self.documents()), 1)

    def test_a_data_stream_is_tried_out_by_test_output(self):
        self.start(data_stream=True)
        for operation, code, words in ("index", 1, "this is a data stream, which wants op_type: create"), ("create", 0, ""):
            test = self.finish("test", "output", "--send-event", "--to",
                               f"{self.address}?index={self.index}&op_type={operation}")
            self.assertEqual(test.exit_code(), code, test.story())
            self.assertIn(words, test.output())


class SinkStories(Stories, WithTheSink):
    def test_counts_what_came_again(self):
        self.start()
        self.ship_all(lines(300))
        self.ship_all(lines(300))
        self.ship_all(lines(300), settings="&op_type=index")
        self.ship_all(lines(300), index=self.index + "-b")
        self.server.stop()
        report = self.server.report()
        self.assertEqual((report["events"], report["known"], report["replaced"]), (1200, 300, 300))
        self.assertEqual(len(self.documents()), 900)

    def test_blocks_what_it_is_told_to(self):
        self.start(blocked=True)
        code, ledger, ship = self.ship_all(lines(10), index="other")
        self.assertEqual((code, ledger["acked"]), (0, 10), ship.story())
        code, ledger, ship = self.ship_all(lines(10), settings="&forbidden=reject")
        self.assertEqual((code, ledger["dead_lettered"]), (1, 10), ship.story())
        self.server.stop()
        self.assertEqual(self.server.report()["rejected"], 10)


class RealStories(Stories, WithARealServer):
    def test_keeps_what_does_not_fit_a_mapping_with_the_cause(self):
        self.do("PUT", f"/{self.index}", {"mappings": {"properties": {"n": {"type": "long"}}}})
        events = [{"message": f"line {n}", "n": "many" if n == 5 else n} for n in range(10)]
        code, ledger, ship = self.ship_all(as_json(events), "--json")
        self.assertEqual((code, ledger["acked"], ledger["dead_lettered"]), (1, 9, 1), ship.story())
        letter, = self.letters()
        self.assertEqual(letter["event"]["n"], "many")
        self.assertRegex(letter["error"], r'failed to parse field \[n\].*, caused by illegal_argument_exception: .*"many"')

    def test_gives_up_what_goes_to_a_closed_index(self):
        self.do("PUT", f"/{self.index}")
        self.do("POST", f"/{self.index}/_close")
        code, ledger, ship = self.ship_all(lines(10))
        self.assertEqual((code, ledger["dead_lettered"]), (1, 10), ship.story())
        self.assertIn("400 index_closed_exception", self.letters()[0]["error"])

    def test_gives_up_what_goes_through_no_pipeline(self):
        code, ledger, ship = self.ship_all(lines(10), settings="&pipeline=windlass-test-none")
        self.assertEqual((code, ledger["dead_lettered"]), (1, 10), ship.story())
        self.assertIn("pipeline with id [windlass-test-none] does not exist", self.letters()[0]["error"])

    def test_ships_through_a_pipeline(self):
        pipeline = {"processors": [{"set": {"field": "stamped", "value": "yes"}}]}
        status, answer = self.ask("PUT", f"/_ingest/pipeline/{self.index}", pipeline)
        if status != 200:
            self.skipTest(f"the server has no processor `set`: {answer}")
        self.made.append(f"/_ingest/pipeline/{self.index}")
        code, ledger, ship = self.ship_all(lines(10), settings=f"&pipeline={self.index}&parameters.refresh=true")
        self.assertEqual((code, ledger["acked"]), (0, 10), ship.story())
        self.assertEqual([document["stamped"] for document in self.documents()], 10 * ["yes"])

    def test_names_the_index_by_the_day(self):
        days = ["2024-02-28", "2024-02-29", "2024-03-01"]
        names = [f"{self.index}-{day.replace('-', '.')}" for day in days]
        self.made += [f"/{name}" for name in names]
        events = [{"@timestamp": f"{days[n % 3]}T23:59:59.999Z", "message": f"line {n}"} for n in range(30)]
        code, ledger, ship = self.ship_all(as_json(events), "--json", index=self.index + "-%{+yyyy.MM.dd}")
        self.assertEqual((code, ledger["acked"]), (0, 30), ship.story())
        self.assertEqual([len(self.documents(name)) for name in names], [10, 10, 10])

    def test_makes_an_index_again_that_is_deleted_meanwhile(self):
        ship = self.run_program("ship", "--to", f"{self.address}?index={self.index}&bulk_max_size=100", "-",
                                "--report", self.directory / "ship.report", stdin=harness.subprocess.PIPE)
        ship.stdin.write(lines(500).encode())
        ship.stdin.flush()
        harness.wait_until(lambda: self.count() == 500, "all of it is stored", ship)
        self.do("DELETE", f"/{self.index}")
        ship.stdin.write(lines(500, 500).encode())
        ship.stdin.close()
        self.assertEqual(ship.wait(), 0, ship.story())
        self.assertEqual(self.ledger()["acked"], 1000)
        self.assertEqual(self.messages(), sorted(f"line {n}" for n in range(500, 1000)))


if __name__ == "__main__":
    unittest.main()
