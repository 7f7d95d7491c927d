"""What is shipped arrives, whatever happens to the endpoints."""

from harness import ClosedPort, ProgramTest, extra_copies, wait_until


class Delivery(ProgramTest):
    def test_a_million_lines_arrive_each_exactly_once_at_three_sinks(self):
        count = 1_000_000
        lines = self.lines_file(count)
        sinks = [self.sink() for _ in range(3)]
        ship = self.ship(sinks, lines)
        self.assert_exit(ship, 0)
        ledger = self.ledger()
        self.assertEqual(ledger["accepted"], count)
        self.assertEqual(ledger["acked"], count)
        for sink in sinks:
            self.assertEqual(sink.stop(), 0, sink.story())
        self.assert_each_once(self.deliveries(count, sinks))
        self.assertEqual(sum(sink.report()["acked"] for sink in sinks), count)
        self.assertEqual({endpoint["endpoint"] for endpoint in ledger["endpoints"]}, {sink.address for sink in sinks})

    def test_a_killed_sink_loses_nothing_and_repeats_no_more_than_was_in_flight_there(self):
        count = 150_000
        lines = self.lines_file(count)
        sinks = [self.sink("--rate", "25000/s") for _ in range(3)]
        ship = self.ship(sinks, lines, settings="pipelining=2&bulk_max_size=500&backoff.init=50ms&backoff.max=200ms")
        victim = sinks[0]
        wait_until(lambda: victim.recorded_bytes() > 4_000_000, "a part has arrived", ship, *sinks)
        victim.kill()
        wait_until(lambda: f"{victim.address}" in ship.log() and "efused" in ship.log(), "the loss is noticed", ship)
        sinks[0] = self.restart(victim, "--rate", "25000/s")
        self.assert_exit(ship, 0)
        for sink in sinks:
            self.assertEqual(sink.stop(), 0, sink.story())

        ledger = self.ledger()
        found = self.deliveries(count, sinks)
        self.assert_nothing_missing(found)
        self.assertEqual(ledger["acked"], count)
        self.assertLessEqual(extra_copies(found), 2 * 500 + ledger["hedged"])
        self.assertGreater(sinks[0].report()["events"], 0, "the sink that came back was used again")

    def test_an_outage_of_every_sink_loses_nothing(self):
        count = 60_000
        lines = self.lines_file(count)
        sinks = [self.sink("--rate", "20000/s") for _ in range(2)]
        ship = self.ship(sinks, lines, settings="bulk_max_size=500&backoff.init=20ms&backoff.max=100ms")
        wait_until(lambda: all(sink.recorded_bytes() > 1_000_000 for sink in sinks), "a part has arrived", ship, *sinks)
        for sink in sinks:
            sink.kill()
        refused = lambda sink: any(sink.address in line and "efused" in line for line in ship.log().splitlines())
        wait_until(lambda: all(map(refused, sinks)), "both connections are tried in vain", ship)
        self.assertIsNone(ship.exit_code())
        sinks = [self.restart(sink) for sink in sinks]
        self.assert_exit(ship, 0)
        for sink in sinks:
            sink.stop()
        self.assert_nothing_missing(self.deliveries(count, sinks))
        self.assertEqual(self.ledger()["acked"], count)

    def test_a_sink_that_refuses_at_first_is_used_once_it_accepts(self):
        lines = self.lines_file(1000)
        sink = self.sink("--refuse-for", "500ms")
        ship = self.ship([sink], lines, settings="backoff.init=20ms&backoff.max=100ms")
        self.assert_exit(ship, 0)
        sink.stop()
        self.assertGreater(sink.report()["refused"], 0)
        self.assert_each_once(self.deliveries(1000, [sink]))

    def test_a_sink_that_only_keeps_alive_is_left_behind(self):
        count = 20_000
        lines = self.lines_file(count)
        silent = self.sink("--keepalive-only")
        good = self.sink("--rate", "10000/s")
        ship = self.ship([silent, good], "-E", "progress_timeout=1s", lines,
                         settings="bulk_max_size=500&backoff.init=20ms&backoff.max=100ms")
        self.assert_exit(ship, 0)
        good.stop()
        silent.stop()
        self.assertGreater(silent.report()["events"], 0, "it was tried")
        self.assertEqual(silent.report()["acked"], 0)
        self.assert_each_once(self.deliveries(count, [good]))

    def test_a_half_acknowledged_window_is_resumed_at_the_half(self):
        count = 4_000
        lines = self.lines_file(count)
        sink = self.sink("--ack-partial", "100")
        ship = self.ship([sink], lines, settings="bulk_max_size=200&backoff.init=1ms&backoff.max=1ms")
        self.assert_exit(ship, 0)
        sink.stop()
        # The sink records what it acknowledges and nothing else: an event of an acknowledged half that came again
        # would stand there twice.
        self.assert_each_once(self.deliveries(count, [sink]))
        self.assertGreater(sink.report()["connections"], 1)

    def test_connections_that_are_closed_again_and_again_are_made_again_and_again(self):
        count = 20_000
        lines = self.lines_file(count)
        sinks = [self.sink("--close-after", "1000"), self.sink("--close-after", "700", "--reset")]
        ship = self.ship(sinks, lines, settings="bulk_max_size=300&backoff.init=1ms&backoff.max=5ms")
        self.assert_exit(ship, 0)
        for sink in sinks:
            sink.stop()
        self.assert_nothing_missing(self.deliveries(count, sinks))

    def test_failover_uses_one_sink_at_a_time(self):
        count = 60_000
        lines = self.lines_file(count)
        sinks = [self.sink("--rate", "30000/s") for _ in range(2)]
        ship = self.ship(sinks, lines,
                         settings="loadbalance=false&bulk_max_size=500&backoff.init=20ms&backoff.max=100ms")
        wait_until(lambda: any(sink.recorded_bytes() > 2_000_000 for sink in sinks), "a part has arrived", ship, *sinks)
        active, spare = sorted(sinks, key=lambda sink: -sink.recorded_bytes())
        self.assertEqual(spare.recorded_bytes(), 0)
        active.kill()
        self.assert_exit(ship, 0)
        spare.stop()
        self.assertGreater(spare.report()["events"], 0)
        self.assert_nothing_missing(self.deliveries(count, sinks))


class Drops(ProgramTest):
    settings = "max_retries=3&timeout=300ms&backoff.init=10ms&backoff.max=50ms"

    def test_events_for_which_there_is_nobody_are_dropped_by_name(self):
        lines = self.lines_file(500)
        with ClosedPort() as nobody:
            ship = self.ship([nobody], lines, settings=self.settings)
            self.assert_exit(ship, 1)
        ledger = self.ledger()
        self.assertEqual(ledger["accepted"], 500)
        self.assertEqual(ledger["acked"], 0)
        self.assertEqual(ledger["dropped"], {"no_worker": 500})
        self.assertEqual(ledger["endpoints"][0]["acked"], 0)
        self.assertIn("efused", ship.log())

    def test_events_that_nobody_acknowledges_are_dropped_by_name(self):
        lines = self.lines_file(500)
        sink = self.sink("--keepalive-only")
        ship = self.ship([sink], "-E", "progress_timeout=200ms", lines,
                         settings=self.settings.replace("300ms", "30s"))
        self.assert_exit(ship, 1)
        ledger = self.ledger()
        self.assertEqual(ledger["acked"], 0)
        self.assertEqual(ledger["dropped"], {"attempts_exhausted": 500})

    def test_what_was_acknowledged_before_an_outage_is_not_dropped(self):
        count = 40_000
        lines = self.lines_file(count)
        sink = self.sink("--rate", "20000/s")
        ship = self.ship([sink], lines, settings=self.settings + "&bulk_max_size=500")
        wait_until(lambda: sink.recorded_bytes() > 2_000_000, "a part has arrived", ship, sink)
        sink.kill()
        self.assert_exit(ship, 1)
        ledger = self.ledger()
        self.assertEqual(ledger["accepted"], count)
        self.assertEqual(ledger["acked"] + sum(ledger["dropped"].values()), count)
        arrived = count - self.deliveries(count, [sink]).count(0)
        self.assertGreater(ledger["acked"], 0)
        self.assertGreaterEqual(arrived, ledger["acked"], "an acknowledged event is not in the record")
