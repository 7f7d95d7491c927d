"""What the program is told, and what it says when it cannot work with that."""

from harness import ClosedPort, ProgramTest


class Configuration(ProgramTest):
    def assert_refused(self, arguments, *words):
        """Usage or configuration that cannot be worked with: exit code 2, and a text that has all these words."""
        process = self.finish(*arguments)
        self.assertEqual(process.exit_code(), 2, process.story())
        for word in words:
            self.assertIn(word, process.log())

    def assert_config_refused(self, yaml, *words):
        path = self.file("windlass.yml", yaml)
        self.assert_refused(["test", "config", "-c", path], *words)
        self.assert_refused(["ship", "-c", path, self.file("app.log", "first\n")], *words)

    def test_version_tells_the_version(self):
        process = self.finish("version")
        self.assertEqual(process.exit_code(), 0)
        self.assertRegex(process.output(), r"^windlass \d+\.\d+\.\d+\n")
        self.assertEqual(self.finish("--version").output().strip(), process.output().strip())

    def test_help_is_there_for_each_command(self):
        for command in ([], ["ship"], ["sink"], ["test"], ["test", "config"], ["test", "output"]):
            process = self.finish(*command, "--help")
            self.assertEqual(process.exit_code(), 0, command)
            self.assertIn("Usage", process.output())

    def test_what_it_does_not_understand_is_named(self):
        self.assert_refused([], "subcommand")
        self.assert_refused(["shipp"], "shipp")
        self.assert_refused(["ship", "--too", "x"], "--too")
        self.assert_refused(["sink"], "--listen")
        self.assert_refused(["sink", "--listen", "lumberjack://127.0.0.1:0", "--delay", "soon"], "--delay", "soon")
        self.assert_refused(["sink", "--listen", "lumberjack://127.0.0.1:0", "--rate", "many"], "--rate", "many")
        self.assert_refused(["sink", "--listen", "lumbrjack://127.0.0.1:0"], "lumbrjack", "did you mean lumberjack?")

    def test_nothing_to_ship_and_nowhere_to_ship_to_are_errors(self):
        self.assert_refused(["ship", "--to", "lumberjack://127.0.0.1:5044"], "nothing to ship")
        self.assert_refused(["ship", self.file("app.log", "first\n")], "output")

    def test_a_good_configuration_is_fine(self):
        path = self.file("windlass.yml", """
output.logstash:
  hosts: ["h1:5044", "h2"]
  loadbalance: true
  worker: 2
queue.mem.events: 4096
""")
        process = self.finish("test", "config", "-c", path)
        self.assertEqual(process.exit_code(), 0, process.story())
        self.assertIn("fine", process.output())

    def test_a_bad_value_is_named_with_its_line_and_key(self):
        self.assert_config_refused("output.logstash:\n  hosts: [h1]\n  timeout: soon\n",
                                   "windlass.yml:3", "output.logstash.timeout", "soon", "30s")
        self.assert_config_refused("output:\n  logstash:\n    hosts: [h1]\n    worker: 0\n",
                                   "windlass.yml:4", "output.logstash.worker")
        self.assert_config_refused("output.logstash.hosts: ['h1:port']\n", "windlass.yml:1", "h1:port")

    def test_an_unknown_key_is_named_and_a_known_one_suggested(self):
        self.assert_config_refused("output.logstash:\n  hosts: [h1]\n  compresion_level: 3\n",
                                   "windlass.yml:3", "compresion_level", "did you mean compression_level?")

    def test_yaml_that_is_none_is_named_with_its_line(self):
        self.assert_config_refused("output.logstash:\n  hosts: [h1\n", "windlass.yml:")

    def test_a_missing_configuration_is_named(self):
        self.assert_refused(["ship", "-c", self.directory / "missing.yml", "x.log"], "missing.yml",
                            "No such file or directory")

    def test_overrides_win_and_are_checked(self):
        path = self.file("windlass.yml", "output.logstash.hosts: ['127.0.0.1:1']\n")
        sink = self.sink()
        ship = self.finish("ship", "-c", path, "-E", f"output.logstash.hosts=['{sink.address}']",
                           self.file("app.log", "first\n"))
        self.assertEqual(ship.exit_code(), 0, ship.story())
        sink.stop()
        self.assertEqual([event["message"] for event in sink.events()], ["first"])
        self.assert_refused(["test", "config", "-c", path, "-E", "output.logstash.timeout=soon"],
                            "-E output.logstash.timeout", "soon")

    def test_test_output_connects_to_each_host(self):
        sink = self.sink()
        process = self.finish("test", "output", "--to", f"lumberjack://{sink.address}")
        self.assertEqual(process.exit_code(), 0, process.story())
        self.assertIn("1 of 1 endpoints passed", process.output())
        with ClosedPort() as nobody:
            process = self.finish("test", "output", "--to", f"lumberjack://{sink.address},{nobody.address}")
        self.assertEqual(process.exit_code(), 1, process.story())
        self.assertIn("1 of 2 endpoints passed", process.output())
        self.assertIn("refused", process.output())
        sink.stop()
        self.assertEqual(sink.report()["events"], 0)

    def test_a_filebeat_configuration_works_as_it_is(self):
        sinks = [self.sink(), self.sink()]
        log = self.lines_file(20_000)
        path = self.file("filebeat.yml", f"""
filebeat.inputs:
- type: filestream
  id: my-filestream-id
  enabled: true
  paths:
    - /var/log/*.log
name: shipper
tags: ["service-X", "web-tier"]
fields:
  env: staging
setup.kibana:
  host: "localhost:5601"
# output.elasticsearch:
#   hosts: ["localhost:9200"]
output.logstash:
  # The Logstash hosts
  hosts: ["{sinks[0].address}", "{sinks[1].address}"]
  loadbalance: true
  worker: 2
  pipelining: 2
  compression_level: 3
  bulk_max_size: 2048
  timeout: 30
  ttl: 0s
  slow_start: false
  backoff.init: 1s
  backoff.max: 60s
  ssl.enabled: false
queue.mem:
  events: 4096
  flush.min_events: 2048
  flush.timeout: 1s
logging.level: info
processors:
  - add_host_metadata: ~
""")
        ship = self.finish("ship", "-c", path, "--report", self.directory / "ship.report", log)
        self.assertEqual(ship.exit_code(), 0, ship.story())
        for sink in sinks:
            sink.stop()
            self.assertGreater(sink.report()["events"], 0, "loadbalance: true means both")
        self.assert_each_once(self.deliveries(20_000, sinks))
        self.assertEqual(sum(endpoint["connects"] for endpoint in self.ledger()["endpoints"]), 4)
