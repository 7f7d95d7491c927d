"""What is read, and what becomes of it."""

import json
import re
import subprocess

from harness import ProgramTest, wait_until


class Inputs(ProgramTest):
    def shipped(self, *arguments, code=0, stdin=subprocess.DEVNULL):
        """Ships to a sink of its own; the recorded events."""
        sink = self.sink()
        ship = self.ship([sink], *arguments, stdin=stdin)
        self.assert_exit(ship, code)
        sink.stop()
        return list(sink.events())

    def messages(self, *arguments, **how):
        return [event["message"] for event in self.shipped(*arguments, **how)]

    def test_an_event_says_when_and_where_its_line_was_found(self):
        path = self.file("app.log", "first\nsecond\n")
        first, second = self.shipped(path)
        self.assertRegex(first["@timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(first["message"], "first")
        self.assertEqual(first["log"], {"file": {"path": str(path)}, "offset": 0})
        self.assertEqual(second["log"]["offset"], 6)
        self.assertTrue(first["host"]["name"])
        self.assertNotEqual(first["@metadata"]["_id"], second["@metadata"]["_id"])

    def test_the_id_of_a_line_is_the_same_when_it_is_shipped_again(self):
        path = self.file("app.log", "first\nsecond\n")
        ids = [event["@metadata"]["_id"] for event in self.shipped(path)]
        self.assertEqual([event["@metadata"]["_id"] for event in self.shipped(path)], ids)

    def test_several_files_are_shipped_at_once(self):
        paths = [self.file(f"{name}.log", f"{name} 1\n{name} 2\n") for name in ("a", "b", "c")]
        events = self.shipped(*paths)
        self.assertEqual(sorted(event["message"] for event in events), ["a 1", "a 2", "b 1", "b 2", "c 1", "c 2"])
        for event in events:
            self.assertTrue(event["log"]["file"]["path"].endswith(event["message"][0] + ".log"))
        self.assertEqual(len({event["@metadata"]["_id"] for event in events}), 6)

    def test_standard_input_is_shipped_while_it_goes_on(self):
        sink = self.sink()
        ship = self.ship([sink], "-", stdin=subprocess.PIPE)
        ship.stdin.write(b"first\n")
        ship.stdin.flush()
        wait_until(lambda: any(sink.events()), "the first line has arrived while the input is open", ship, sink)
        ship.stdin.write(b"second, without an end")
        ship.stdin.close()
        self.assert_exit(ship, 0)
        sink.stop()
        self.assertEqual([event["message"] for event in sink.events()], ["first", "second, without an end"])

    def test_a_file_as_standard_input_is_shipped_too(self):
        with open(self.file("app.log", "first\nsecond\n"), "rb") as file:
            self.assertEqual(self.messages("-", stdin=file), ["first", "second"])

    def test_an_empty_file_is_shipped_in_no_time(self):
        self.assertEqual(self.messages(self.file("empty.log", "")), [])
        self.assertEqual(self.ledger()["accepted"], 0)

    def test_the_last_line_needs_no_newline(self):
        self.assertEqual(self.messages(self.file("app.log", "first\nlast")), ["first", "last"])

    def test_empty_lines_are_skipped_and_counted(self):
        self.assertEqual(self.messages(self.file("app.log", "\n\nfirst\n\nlast\n\n")), ["first", "last"])
        self.assertEqual(self.ledger()["input"]["empty_lines"], 4)

    def test_windows_line_ends_are_no_part_of_lines(self):
        self.assertEqual(self.messages(self.file("app.log", "first\r\na\rb\r\nlast\r\n")), ["first", "a\rb", "last"])

    def test_any_byte_survives_but_what_is_no_utf_8_is_replaced(self):
        path = self.file("app.log", b"nul\0nul\n\xff\xfebad\ngr\xc3\xbc\xc3\x9fe \xf0\x9f\x90\x8b\n\"quoted\" \\ \x1b[0m\n")
        self.assertEqual(self.messages(path),
                         ["nul\0nul", "\ufffd\ufffdbad", "grüße 🐋", "\"quoted\" \\ \x1b[0m"])

    def test_a_line_over_the_limit_is_cut_and_counted(self):
        limit = 1 << 20
        path = self.file("app.log", b"before\n" + b"x" * limit + b"\n" + b"y" * (3 * limit) + b"\nafter\n")
        before, whole, cut, after = self.messages(path)
        self.assertEqual((before, after), ("before", "after"))
        self.assertEqual(whole, "x" * limit)
        self.assertEqual(cut, "y" * limit)
        self.assertEqual(self.ledger()["input"]["cut_lines"], 1)

    def test_json_lines_are_shipped_as_they_are(self):
        lines = ['{"n": 1, "text": "a\\nb"}', '{"nested":{"list":[1,2.50,null]}}']
        sink = self.sink()
        self.assert_exit(self.ship([sink], "--json", self.file("app.ndjson", "\n".join(lines))), 0)
        sink.stop()
        self.assertEqual(sink.record.read_text().splitlines(), lines)

    def test_json_lines_that_are_none_are_refused_and_counted(self):
        path = self.file("app.ndjson", '{"n":1}\nnot json\n[1]\n{"n":\n{"n":2}\n')
        self.assertEqual(self.shipped("--json", path, code=1), [{"n": 1}, {"n": 2}])
        self.assertEqual(self.ledger()["input"]["refused_lines"], 3)

    def test_a_missing_file_is_named_and_nothing_is_sent(self):
        sink = self.sink()
        ship = self.ship([sink], self.file("there.log", "first\n"), self.directory / "missing.log")
        self.assert_exit(ship, 2)
        self.assertRegex(ship.log(), r"missing\.log.*No such file or directory")
        sink.stop()
        self.assertEqual(list(sink.events()), [])

    def test_a_directory_is_no_file(self):
        ship = self.ship([self.sink()], self.directory)
        self.assert_exit(ship, 2)
        self.assertRegex(ship.log(), re.escape(str(self.directory)) + ".*[Dd]irectory")

    def test_the_report_may_go_to_standard_output(self):
        sink = self.sink()
        ship = self.finish("ship", "--to", f"lumberjack://{sink.address}", "--report", "-",
                           self.file("app.log", "first\n"))
        self.assertEqual(ship.exit_code(), 0, ship.story())
        self.assertEqual(json.loads(ship.output())["acked"], 1, "standard output is the report and nothing else")

    def test_the_report_has_what_was_used_and_each_endpoint(self):
        sink = self.sink()
        self.assert_exit(self.ship([sink], self.lines_file(5000)), 0)
        ledger = self.ledger()
        self.assertEqual(ledger["input"]["lines"], 5000)
        self.assertEqual(ledger["input"]["bytes"], 5000 * 250)
        for key in ("seconds", "cpu_seconds", "max_rss_bytes"):
            self.assertGreater(ledger[key], 0, key)
        endpoint, = ledger["endpoints"]
        self.assertEqual(endpoint["endpoint"], sink.address)
        self.assertEqual(endpoint["acked"], 5000)
        self.assertEqual(endpoint["connects"], 1)
        self.assertEqual(endpoint["failed_attempts"], 0)
        self.assertGreater(endpoint["latency_ms"]["p50"], 0)

    def test_ipv6_is_spoken(self):
        try:
            sink = self.sink(host="[::1]")
        except AssertionError as error:
            self.skipTest(f"no IPv6 here: {error}")
        self.assertTrue(sink.address.startswith("[::1]:"))
        self.assert_exit(self.ship([sink], self.file("app.log", "first\n")), 0)
        sink.stop()
        self.assertEqual([event["message"] for event in sink.events()], ["first"])
