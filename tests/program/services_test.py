"""Names whose records change while events are shipped: SRV records, and addresses with their times to live."""

import json
import shutil
import subprocess
import unittest

from dns_server import DOMAIN, ELSEWHERE, DnsServer, use_own_dns
from harness import ClosedPort, ProgramTest, numbered_line, wait_until
from proxy_test import ProxyTest
from tls_test import Certificates

SERVICE = f"_lumberjack._tcp.{DOMAIN}"


def setUpModule():
    use_own_dns()


def srv(*targets, name="_lumberjack._tcp"):
    """Records of a service; each target is (host, port) or (host, port, priority, weight). Hosts are at 127.0.0.1."""
    lines = []
    for host, port, *more in targets:
        priority, weight = more or (0, 0)
        lines += [f"{name} SRV {priority} {weight} {port} {host}", f"{host} A 127.0.0.1"]
    return "\n".join(lines)


class ServiceTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.dns = DnsServer(self.directory)
        self.addCleanup(self.dns.end)
        self.said = 0

    def start(self, settings="", scheme="lumberjack", hosts=SERVICE):
        """`windlass ship` of what say() writes."""
        return self.run_program("ship", "--to", f"{scheme}://{hosts}?backoff.init=10ms&backoff.max=100ms{settings}",
                                "--report", self.directory / "ship.report", "-", stdin=subprocess.PIPE)

    def say(self, ship, count):
        ship.stdin.write(b"".join(numbered_line(n) + b"\n" for n in range(self.said, self.said + count)))
        ship.stdin.flush()
        self.said += count

    def count(self, *sinks):
        return sum(1 for sink in sinks for _ in sink.events())

    def wait_for(self, ship, text, times=1):
        wait_until(lambda: ship.log().count(text) >= times, f"the log says {text!r} {times} times", ship)

    def assert_arrived(self, ship, *sinks):
        wait_until(lambda: self.count(*sinks) >= self.said, "everything arrives", ship, *sinks)

    def end(self, ship, *sinks):
        """All that was said has arrived once, and nothing failed."""
        ship.stdin.close()
        self.assert_exit(ship, 0)
        ledger = self.ledger()
        self.assertEqual(ledger["acked"], self.said)
        for sink in sinks:
            sink.stop()
        self.assert_each_once(self.deliveries(self.said, sinks))
        return ledger


def endpoint(host, sink, domain=DOMAIN):
    return f"{host}.{domain}:{sink.port}"


class RecordsThatChange(ServiceTest):
    def test_targets_join_and_leave_and_nothing_is_lost(self):
        first, second = self.sink(), self.sink()
        self.dns.set(srv(("h1", first.port)))
        ship = self.start()
        self.say(ship, 1000)
        self.assert_arrived(ship, first)
        self.dns.set(srv(("h1", first.port), ("h2", second.port)))
        self.wait_for(ship, f"joining: {endpoint('h2', second)}")
        self.say(ship, 1000)
        self.assert_arrived(ship, first, second)
        self.dns.set(srv(("h2", second.port)))
        self.wait_for(ship, f"leaving: {endpoint('h1', first)}")
        before = self.count(first)
        self.say(ship, 1000)
        self.assert_arrived(ship, first, second)
        self.assertEqual(self.count(first), before)
        ledger = self.end(ship, first, second)
        self.assertEqual({one["endpoint"] for one in ledger["endpoints"]}, {endpoint("h1", first), endpoint("h2", second)})

    def test_a_target_of_another_priority_or_weight_from_now_on_is_used_so(self):
        first, second = self.sink(), self.sink()
        self.dns.set(srv(("h1", first.port, 0, 1), ("h2", second.port, 0, 1)))
        ship = self.start()
        self.wait_for(ship, "connected", 2)
        self.dns.set(srv(("h1", first.port, 1, 1), ("h2", second.port, 0, 1)))
        self.wait_for(ship, f"joining: {endpoint('h1', first)}", 1)
        self.wait_for(ship, f"leaving: {endpoint('h1', first)}", 1)
        self.say(ship, 1000)
        self.assert_arrived(ship, second)  # h1 is a standby now
        self.dns.set(srv(("h1", first.port, 1, 1), ("h2", second.port, 0, 5)))
        self.wait_for(ship, f"leaving: {endpoint('h2', second)}", 1)
        self.wait_for(ship, f"joining: {endpoint('h2', second)}", 1)
        self.say(ship, 1000)
        self.assert_arrived(ship, first, second)
        self.end(ship, first, second)

    def test_a_standby_draws_only_while_those_before_it_are_down(self):
        first, standby = self.sink(), self.sink()
        self.dns.set(srv(("h1", first.port, 10, 0), ("h2", standby.port, 20, 0)))
        ship = self.start()
        self.say(ship, 1000)
        self.assert_arrived(ship, first)
        first.stop()
        self.say(ship, 1000)
        self.assert_arrived(ship, first, standby)
        self.assertEqual(self.count(first), 1000)
        self.end(ship, standby, first)

    def test_more_targets_than_a_datagram_holds_come_over_tcp(self):
        sink = self.sink()
        self.dns.set(srv(*((f"host-with-a-long-name-{n}", sink.port) for n in range(100))))
        ship = self.start()
        self.wait_for(ship, "connected", 100)
        self.say(ship, 1000)
        self.assertEqual(len(self.end(ship, sink)["endpoints"]), 100)

    def test_the_service_may_be_an_alias_of_another_one(self):
        sink = self.sink()
        self.dns.set(f"_lumberjack._tcp CNAME _logs._tcp.{ELSEWHERE}.", srv(("h1", sink.port), name="_logs._tcp"))
        ship = self.start()
        self.say(ship, 10)
        ledger = self.end(ship, sink)
        self.assertEqual([one["endpoint"] for one in ledger["endpoints"]], [endpoint("h1", sink, ELSEWHERE)])

    def test_one_at_a_time_the_next_one_takes_over(self):
        first, second = self.sink(), self.sink()
        self.dns.set(srv(("h1", first.port)))
        ship = self.start("&loadbalance=false")
        self.say(ship, 10)
        self.assert_arrived(ship, first)
        self.dns.set(srv(("h1", first.port), ("h2", second.port)))
        self.wait_for(ship, f"joining: {endpoint('h2', second)}")
        self.say(ship, 10)
        self.assert_arrived(ship, first)
        self.dns.set(srv(("h2", second.port)))
        self.wait_for(ship, f"leaving: {endpoint('h1', first)}")
        self.say(ship, 10)
        self.end(ship, first, second)

    def test_a_file_of_hosts_may_name_services(self):
        first, second = self.sink(), self.sink()
        self.dns.set(srv(("h1", first.port)))
        hosts = self.file("hosts", f"{second.address}\n")
        ship = self.start(f"&hosts_file={hosts}", hosts="")
        self.wait_for(ship, "connected")
        hosts.write_text(f"{SERVICE}  # instead\n")
        self.wait_for(ship, f"joining: {endpoint('h1', first)}")
        self.say(ship, 10)
        self.assert_arrived(ship, first)
        self.end(ship, first, second)

    def test_a_relay_follows_them_as_well(self):
        sink = self.sink()
        self.dns.set(srv(("h1", sink.port)))
        relay = self.run_program("relay", "--listen", "lumberjack://127.0.0.1:0", "--to", f"lumberjack://{SERVICE}")
        wait_until(lambda: f"{endpoint('h1', sink)}: connected" in relay.log(), "it connects", relay)
        self.assertEqual(relay.stop(), 0)


class NamesThatFail(ServiceTest):
    def test_the_last_known_endpoints_are_kept_while_dns_fails(self):
        sink, other = self.sink(), self.sink()
        self.dns.set(srv(("h1", sink.port)))
        ship = self.start()
        self.say(ship, 10)
        self.assert_arrived(ship, sink)
        self.dns.stop()
        self.wait_for(ship, f"looking up {SERVICE}: no DNS server has an answer; its endpoints stay as they are")
        self.say(ship, 10)
        self.assert_arrived(ship, sink)
        self.dns.start()
        self.dns.set("")
        self.wait_for(ship, f"looking up {SERVICE}: DNS has no such name; its endpoints stay as they are")
        self.say(ship, 10)
        self.assert_arrived(ship, sink)
        self.dns.set("_lumberjack._tcp A 127.0.0.1")
        self.wait_for(ship, f"looking up {SERVICE}: the name has no SRV records; its endpoints stay as they are")
        self.dns.set(srv(("h1", sink.port), ("h2", other.port)))
        self.wait_for(ship, f"joining: {endpoint('h2', other)}")
        self.assertNotIn("leaving", ship.log())
        self.assertEqual(ship.log().count("no DNS server has an answer"), 1)
        self.end(ship, sink, other)

    def test_a_service_that_is_not_offered_has_no_endpoints_and_events_wait(self):
        sink = self.sink()
        self.dns.set(srv(("h1", sink.port)))
        ship = self.start()
        self.say(ship, 10)
        self.assert_arrived(ship, sink)
        self.dns.set("_lumberjack._tcp SRV 0 0 0 .")
        self.wait_for(ship, f"looking up {SERVICE}: the service is not offered there, as its SRV record says "
                            "(its target is \".\"); its endpoints leave")
        self.wait_for(ship, f"leaving: {endpoint('h1', sink)}")
        self.say(ship, 10)
        self.dns.set(srv(("h1", sink.port)))
        self.wait_for(ship, f"joining: {endpoint('h1', sink)}")
        self.end(ship, sink)

    def test_a_service_that_is_not_found_at_the_start_is_told_and_waited_for(self):
        sink = self.sink()
        ship = self.start()
        self.say(ship, 10)
        self.wait_for(ship, f"looking up {SERVICE}: DNS has no such name")
        self.dns.set(srv(("h1", sink.port)))
        self.end(ship, sink)

    def test_records_that_are_no_hosts_are_passed_over(self):
        sink = self.sink()
        self.dns.set(srv(("h1", sink.port), ("h2", 0)) + "\n_lumberjack._tcp SRV 0 0 1 quo\\\"te\\032d")
        ship = self.start()
        self.say(ship, 10)
        self.assertEqual([one["endpoint"] for one in self.end(ship, sink)["endpoints"]], [endpoint("h1", sink)])


class Addresses(ServiceTest):
    def test_by_the_time_to_live_each_address_of_a_name_is_an_endpoint(self):
        first = self.sink(host="127.0.0.2")
        second = self.sink(host="127.0.0.3", port=first.port)
        self.dns.set("pool A 127.0.0.2")
        ship = self.start("&resolve_interval=ttl", hosts=f"pool.{DOMAIN}:{first.port}")
        self.say(ship, 10)
        self.assert_arrived(ship, first)
        self.dns.set("pool A 127.0.0.3")
        self.wait_for(ship, f"joining: {second.address}")
        self.wait_for(ship, f"leaving: {first.address}")
        self.say(ship, 10)
        self.end(ship, first, second)

    def test_each_address_of_a_target_is_an_endpoint_then(self):
        first = self.sink(host="127.0.0.2")
        second = self.sink(host="127.0.0.3", port=first.port)
        self.dns.set(f"_lumberjack._tcp SRV 0 0 {first.port} pool\npool A 127.0.0.2\npool A 127.0.0.3")
        ship = self.start("&resolve_interval=ttl")
        self.wait_for(ship, "connected", 2)
        self.say(ship, 10)
        ledger = self.end(ship, first, second)
        self.assertEqual({one["endpoint"] for one in ledger["endpoints"]}, {first.address, second.address})


@unittest.skipUnless(shutil.which("microsocks"), "microsocks is the proxy")
class ByProxy(ProxyTest):
    def setUp(self):
        super().setUp()
        dns = DnsServer(self.directory)
        self.addCleanup(dns.end)
        dns.set("".join(f"pool A 127.0.0.{n}\n" for n in (2, 3, 4)))
        self.pool = self.sink(host="127.0.0.4")
        self.pool.address = f"pool.{DOMAIN}:{self.pool.port}"

    def test_each_address_of_a_name_that_is_looked_up_here_is_tried(self):
        proxy = self.start("microsocks", "-i", "127.0.0.1", "-p", "PORT")
        self.assert_exit(self.through(self.pool, f"socks5://127.0.0.1:{proxy}", self.lines_file(10),
                                      settings="&proxy_use_local_resolver=true"), 0)
        self.pool.stop()
        self.assertEqual(self.pool.report()["events"], 10)

    def test_a_proxy_that_is_not_there_is_tried_once(self):
        with ClosedPort() as closed:
            ship = self.hopeless(self.pool, f"socks5://{closed.address}", self.lines_file(10), timeout="300ms",
                                 settings="&proxy_use_local_resolver=true")
            self.assert_refused_with(ship, f"connecting the proxy {closed.address}: Connection refused")
        self.assertEqual(ship.log().count("Connection refused"), 1)


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificates")
class Tls(ServiceTest, Certificates):
    def sink_with(self, *names):
        self.certificate("server", alternative=",".join(f"DNS:{name}" for name in names))
        return self.another_sink()

    def another_sink(self):
        return self.sink(tls={"certificate": self.path("server.pem"), "key": self.path("server.key")})

    def begin(self, settings=""):
        ship = self.start(f"&ssl.certificate_authorities={self.path('ca.pem')}{settings}", "lumberjacks")
        self.say(ship, 10)
        return ship

    def test_a_target_in_the_services_domain_has_a_certificate_for_its_name(self):
        sink = self.sink_with(f"h1.{DOMAIN}")
        self.dns.set(srv(("h1", sink.port)))
        self.end(self.begin(), sink)

    def test_a_target_elsewhere_has_a_certificate_for_the_services_domain(self):
        sink = self.sink_with(DOMAIN)
        self.dns.set(f"_lumberjack._tcp SRV 0 0 {sink.port} h1.{ELSEWHERE}.", "h1 A 127.0.0.1")
        self.end(self.begin(), sink)

    def test_a_forged_record_leads_nowhere(self):
        sink = self.sink_with(f"h1.{ELSEWHERE}")
        self.dns.set(f"_lumberjack._tcp SRV 0 0 {sink.port} h1.{ELSEWHERE}.", "h1 A 127.0.0.1")
        ship = self.begin(self.hopeless.replace("&backoff.init=10ms&backoff.max=50ms", ""))
        self.wait_for(ship, f"is not for \"{DOMAIN}\"")
        ship.stdin.close()
        self.assert_exit(ship, 1)
        self.assertEqual(self.count(sink), 0)

    def test_an_endpoint_that_cannot_join_as_a_file_is_missing_joins_when_it_is_there(self):
        first = self.sink_with(f"h1.{DOMAIN}", f"h2.{DOMAIN}")
        second = self.another_sink()
        self.dns.set(srv(("h1", first.port)))
        ship = self.begin()
        self.assert_arrived(ship, first)
        self.path("ca.pem").rename(self.path("ca.away"))
        self.dns.set(srv(("h2", second.port)))
        self.wait_for(ship, "endpoints that are to join do not, which is tried again: ")
        self.assertNotIn("leaving", ship.log())
        self.path("ca.away").rename(self.path("ca.pem"))
        self.wait_for(ship, f"leaving: {endpoint('h1', first)}")
        self.say(ship, 10)
        self.assertEqual(ship.log().count("endpoints that are to join do not"), 1)
        self.end(ship, first, second)

    def test_each_address_is_known_by_the_name_that_it_was_found_by(self):
        sink = self.sink_with(f"h1.{DOMAIN}")
        self.dns.set(srv(("h1", sink.port)))
        ledger = self.end(self.begin("&resolve_interval=1s"), sink)
        self.assertEqual([one["endpoint"] for one in ledger["endpoints"]], [sink.address])


class TestOutput(ServiceTest):
    def output(self, *arguments):
        ran = self.finish("test", "output", "--to", f"lumberjack://{SERVICE}", *arguments)
        return ran, ran.output()

    def test_the_records_are_a_step_and_each_target_is_tried(self):
        sink = self.sink()
        with ClosedPort() as closed:
            self.dns.set(srv(("h1", sink.port, 0, 10), ("h2", closed.port, 1, 0)))
            ran, text = self.output("--send-event")
        self.assert_exit(ran, 1)
        self.assertRegex(text, rf"{SERVICE}\n  SRV +passed +2 targets, for 1s \([0-9.]+ ms\)\n"
                               rf" +{endpoint('h1', sink)}: priority 0, weight 10\n"
                               rf" +h2.{DOMAIN}:{closed.port}: priority 1, weight 1\n")
        self.assertIn("1 of 2 endpoints passed", text)

    def test_a_service_that_is_not_found_is_told_with_what_to_look_at(self):
        ran, text = self.output("--json")
        self.assert_exit(ran, 1)
        [step] = json.loads(text)["endpoints"][0]["steps"]
        self.assertEqual((step["step"], step["result"], step["text"]), ("SRV", "failed", "DNS has no such name"))
        self.assertIn("dig SRV", step["hint"])


if __name__ == "__main__":
    unittest.main()
