"""`windlass ship` with a dead letter: events that endpoints die of are found, kept, and hold up nothing else."""

import json

from harness import NUMBERED_BYTES, ProgramTest

COUNT = 10_000
BAD = (17, 5000, 9999)


class DeadLetter(ProgramTest):
    def setUp(self):
        super().setUp()
        self.letters = self.directory / "letters.ndjson"

    def lines_with_poison(self):
        path = self.lines_file(COUNT)
        content = bytearray(path.read_bytes())
        for number in BAD:
            begin = number * NUMBERED_BYTES
            content[begin:begin + 4] = b"DEAD"
        path.write_bytes(content)
        return path

    def ship_poison(self, sinks, letters):
        return self.ship(sinks, "-E", f"dead_letter.file={letters}", self.lines_with_poison(),
                         settings="bulk_max_size=500&backoff.init=1ms&backoff.max=20ms")

    def assert_all_others_arrived(self, sinks):
        for sink in sinks:
            self.assertEqual(sink.stop(), 0, sink.story())
        found = self.deliveries(COUNT, sinks)
        self.assertEqual([number for number in range(COUNT) if found[number] == 0], list(BAD))

    def test_three_poisonous_lines_of_many_stand_in_the_file_and_the_others_arrive(self):
        sinks = [self.sink("--poison", "DEAD") for _ in range(2)]
        ship = self.ship_poison(sinks, self.letters)
        self.assert_exit(ship, 1)
        self.assert_all_others_arrived(sinks)

        letters = [json.loads(line) for line in self.letters.read_text().splitlines()]
        self.assertEqual(sorted(int(letter["event"]["message"][5:12]) for letter in letters), list(BAD))
        for letter in letters:
            self.assertEqual(letter["reason"], "undeliverable")
            self.assertTrue(letter["error"])
            self.assertGreaterEqual(letter["sends"], 1)
            self.assertTrue(letter["endpoints"])
            self.assertLessEqual(set(letter["endpoints"]), {sink.address for sink in sinks})
            self.assertRegex(letter["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        ledger = self.ledger()
        self.assertEqual(ledger["dead_lettered"], len(BAD))
        self.assertEqual(ledger["acked"], COUNT - len(BAD))
        self.assertEqual(ledger["dropped"], {})

    def test_what_the_file_does_not_take_is_not_called_kept(self):
        sinks = [self.sink("--poison", "DEAD") for _ in range(2)]
        ship = self.ship_poison(sinks, "/dev/full")
        self.assert_exit(ship, 1)
        self.assert_all_others_arrived(sinks)
        self.assertEqual(ship.log().count("/dev/full: No space left on device"), 1)
        ledger = self.ledger()
        self.assertEqual(ledger["dead_lettered"], 0)
        self.assertEqual(ledger["dropped"], {"undeliverable": len(BAD)})

    def test_a_file_that_cannot_be_opened_ends_it_before_anything_is_sent(self):
        sink = self.sink()
        missing = self.directory / "missing" / "letters"
        ship = self.ship([sink], "-E", f"dead_letter.file={missing}", self.lines_file(10))
        self.assert_exit(ship, 2)
        self.assertIn(f"dead_letter.file: {missing}: No such file or directory", ship.log())
        sink.stop()
        self.assertEqual(sink.report()["connections"], 0)
