#include "app/config_reader.h"

#include <cstdlib>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "app/output.h"
#include "app/yaml_tree.h"
#include "support/temporary_directory.h"

namespace windlass::app {
namespace {

using namespace std::chrono_literals;
using net::HostPort;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Config read(const std::string& yaml, const std::vector<std::string>& to = {},
            const std::vector<std::string>& overrides = {}) {
  return read_config_text(yaml, "windlass.yml", to, overrides);
}

/// The whole message of the error that reading throws; what it says of the place is checked by the way.
std::string error_of(const std::string& yaml, const std::vector<std::string>& to = {},
                     const std::vector<std::string>& overrides = {}) {
  try {
    read(yaml, to, overrides);
  } catch (const ConfigError& error) {
    EXPECT_FALSE(error.place().source.empty());
    EXPECT_THAT(error.what(), testing::StartsWith(error.place().text()));
    return error.what();
  }
  return "no error";
}

TEST(ConfigReader, ReadsAnOutputSectionOfFilebeatAsItIs) {
  const Config config = read(R"(
# ------------------------------ Logstash Output -------------------------------
filebeat.inputs:
  - type: filestream
    id: my-filestream-id
    paths: [/var/log/*.log]
setup.kibana:
  host: "localhost:5601"
processors:
  - add_host_metadata: {when.not.contains.tags: forwarded}
logging.level: debug
logging.files: {path: /var/log/filebeat}
output.logstash:
  enabled: true
  hosts: ["h1", "h2:5045", "[::1]:5046"]
  worker: 2
  compression_level: 5
  escape_html: false
  ttl: 30s
  loadbalance: true
  pipelining: 4
  index: 'filebeat'
  slow_start: true
  backoff.init: 2s
  backoff.max: 2m
  max_retries: 3
  bulk_max_size: 1024
  timeout: 1m30s
  proxy_url:
  queue.mem:
    events: 3200
    flush.min_events: 1600
)");
  const OutputConfig& output = config.output;
  EXPECT_EQ(output.type, OutputType::lumberjack);
  EXPECT_THAT(output.hosts, ElementsAre(HostPort{"h1", 5044}, HostPort{"h2", 5045}, HostPort{"::1", 5046}));
  EXPECT_EQ(output.worker, 2u);
  EXPECT_EQ(output.compression_level, 5);
  EXPECT_EQ(output.ttl, 30s);
  EXPECT_TRUE(output.loadbalance);
  EXPECT_EQ(output.pipelining, 4u);
  EXPECT_EQ(output.backoff.init, 2s);
  EXPECT_EQ(output.backoff.max, 2min);
  EXPECT_EQ(output.max_retries, 3);
  EXPECT_EQ(output.bulk_max_size, 1024u);
  EXPECT_EQ(output.timeout, 90s);
  EXPECT_FALSE(output.tls);
  EXPECT_EQ(config.queue.events, 3200u);
  EXPECT_EQ(config.log_level, LogLevel::debug);
  // What has no effect is said, once a section.
  EXPECT_THAT(
      config.warnings,
      testing::UnorderedElementsAre(
          "windlass.yml:18:16: output.logstash.escape_html has no effect: events are sent as they are",
          "windlass.yml:22:10: output.logstash.index has no effect: events carry no index name",
          "windlass.yml:23:15: output.logstash.slow_start has no effect: every connection begins with a small window",
          "windlass.yml:8:9: setup is not used by Windlass", "windlass.yml:10:3: processors is not used by Windlass",
          "windlass.yml:12:23: logging is not used by Windlass",
          "windlass.yml:32:23: output.logstash.queue.mem.flush.min_events has no effect: events are sent as soon "
          "as a connection has room"));
}

TEST(ConfigReader, HasTheDefaultsOfFilebeat) {
  const OutputConfig output = read("output.logstash.hosts: h1").output;
  EXPECT_THAT(output.hosts, ElementsAre(HostPort{"h1", 5044}));
  EXPECT_EQ(output.worker, 1u);
  EXPECT_FALSE(output.loadbalance);
  EXPECT_EQ(output.pipelining, std::nullopt);
  EXPECT_EQ(output.bulk_max_size, 2048u);
  EXPECT_EQ(output.compression_level, 3);
  EXPECT_EQ(output.timeout, 30s);
  EXPECT_EQ(output.ttl, 0s);
  EXPECT_LT(output.max_retries, 0);
  EXPECT_EQ(output.backoff.init, 1s);
  EXPECT_EQ(output.backoff.max, 60s);
  EXPECT_FALSE(output.tls);
}

TEST(ConfigReader, TakesKeysNestedOrDottedOrBoth) {
  for (const char* yaml :
       {"output.logstash.backoff.init: 5s\noutput.logstash.hosts: h1",
        "output: {logstash: {hosts: [h1], backoff: {init: 5s}}}", "output.logstash:\n  hosts: [h1]\n  backoff.init: 5s",
        "output:\n  logstash.backoff: {init: 5}\n  logstash: {hosts: h1}"})
    EXPECT_EQ(read(yaml).output.backoff.init, 5s) << yaml;
}

TEST(ConfigReader, TakesHostsAsListTextOrTextWithCommas) {
  for (const char* hosts : {"[h1, h2]", "h1,h2", "\"h1 , h2\"", "['h1,h2']", "[h1:5044, 'h2:5044']"})
    EXPECT_THAT(read(fmt::format("output.logstash.hosts: {}", hosts)).output.hosts,
                ElementsAre(HostPort{"h1", 5044}, HostPort{"h2", 5044}))
        << hosts;
}

TEST(ConfigReader, NamesAreLookedUpAgainByAnIntervalOrByTheirTimesToLive) {
  const auto output = [](const char* interval) {
    return read(fmt::format("output.logstash: {{hosts: h1, resolve_interval: {}}}", interval)).output;
  };
  EXPECT_FALSE(output("0").each_address);
  EXPECT_TRUE(output("30s").each_address);
  EXPECT_EQ(output("30s").resolve_interval, 30s);
  EXPECT_TRUE(output("TTL").each_address);
  EXPECT_EQ(output("TTL").resolve_interval, 0s) << "for as long as answers hold";
  for (const char* wrong : {"50ms", "-1s", "tll"}) EXPECT_THROW(output(wrong), ConfigError) << wrong;
}

TEST(ConfigReader, ALimitIsTheOutputsUnlessAHostHasItsOwn) {
  const OutputConfig output =
      read("output.redis: {key: k, rate_limit: 300/min, hosts: [h1, 'h2?rate_limit=2k/s', 'h3?rate_limit=0']}").output;
  EXPECT_EQ(output.rate_limit, 5);
  EXPECT_FALSE(output.hosts[0].rate_limit);
  EXPECT_EQ(output.hosts[1].rate_limit, 2000);
  EXPECT_EQ(output.hosts[2].rate_limit, 0);
  EXPECT_EQ(read("output.logstash: {hosts: h1, rate_limit: 0}").output.rate_limit, 0);
}

TEST(ConfigReader, TakesWindlassNamesBesideFilebeats) {
  const Config config = read(
      "output.lumberjack: {hosts: h1, workers: 3}\n"
      "queue.mem.bytes: 10MiB\nprogress_timeout: 90s\npaths: [/var/log/a.log, '-']\n"
      "hedge.max_duplicates: 1%\ndead_letter.file: letters.ndjson");
  EXPECT_EQ(config.output.worker, 3u);
  EXPECT_EQ(config.queue.bytes, 10u << 20);
  EXPECT_EQ(config.progress_timeout, 90s);
  EXPECT_EQ(config.max_duplicates, 0.01);
  EXPECT_EQ(config.dead_letter_file, "letters.ndjson");
  EXPECT_THAT(config.paths, ElementsAre("/var/log/a.log", "-"));
}

TEST(ConfigReader, TakesFilebeatsSpecialNumbers) {
  // 0 batches beside the one that is waited for are a window of one; 0 events a batch are no limit but the server's.
  const OutputConfig output =
      read("output.logstash: {hosts: h1, pipelining: 0, bulk_max_size: 0, max_retries: -3}").output;
  EXPECT_EQ(output.pipelining, 1u);
  EXPECT_EQ(output.bulk_max_size, traits_of(OutputType::lumberjack).max_bulk_size);
  EXPECT_EQ(output.max_retries, -1);
}

TEST(ConfigReader, LimitsBatchesToWhatServersAcceptAndSaysSo) {
  const Config config = read("output.logstash: {hosts: h1, bulk_max_size: 50000}");
  EXPECT_EQ(config.output.bulk_max_size, 10'000u);
  EXPECT_THAT(config.warnings, ElementsAre(HasSubstr("windlass.yml:1:45: output.logstash.bulk_max_size is limited")));
}

TEST(ConfigReader, LeavesDisabledOutputsAlone) {
  const Config config = read(
      "output.elasticsearch: {enabled: false, hosts: [h9], unheard_of: 1}\n"
      "output.logstash: {hosts: [h1]}");
  EXPECT_THAT(config.output.hosts, ElementsAre(HostPort{"h1", 5044}));
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST(ConfigReader, TreatsAnEmptyValueAsNotGiven) {
  const Config config = read("output.logstash:\n  hosts: h1\n  timeout:\n  ttl: ~\n  worker: null\nqueue:\n");
  EXPECT_EQ(config.output.timeout, 30s);
  EXPECT_EQ(config.output.worker, 1u);
}

TEST(ConfigReader, ResolvesAliasesAndMerges) {
  const Config config = read(
      "x-common: &common {timeout: 7s, worker: 2}\n"
      "output.logstash:\n  <<: *common\n  hosts: h1\n  worker: 4\n");
  EXPECT_EQ(config.output.timeout, 7s);
  EXPECT_EQ(config.output.worker, 4u);
}

TEST(ConfigReader, PutsEnvironmentVariablesIn) {
  ::setenv("WINDLASS_TEST_HOSTS", "h1:1,h2:2", 1);
  ::unsetenv("WINDLASS_TEST_UNSET");
  const Config config = read(
      "output.logstash:\n  hosts: ${WINDLASS_TEST_HOSTS}\n  timeout: ${WINDLASS_TEST_UNSET:45}s\n"
      "paths: ['$${x}', '${WINDLASS_TEST_UNSET:}y', '$z']");
  EXPECT_THAT(config.output.hosts, ElementsAre(HostPort{"h1", 1}, HostPort{"h2", 2}));
  EXPECT_EQ(config.output.timeout, 45s);
  EXPECT_THAT(config.paths, ElementsAre("${x}", "y", "$z"));
}

TEST(ConfigReader, PutsNoEnvironmentVariablesIntoSectionsThatAreNotItsOwn) {
  EXPECT_NO_THROW(read("filebeat.inputs: ['${WINDLASS_TEST_UNSET}']\noutput.logstash.hosts: h1"));
}

TEST(ConfigReader, GivesAHostWithoutAPortThatOfItsProtocol) {
  const auto port = [](const std::string& yaml) { return read(yaml).output.hosts.at(0).address.port; };
  EXPECT_EQ(port("output.http.hosts: h1"), 80);
  EXPECT_EQ(port("output.http: {hosts: h1, ssl.enabled: true}"), 443);
  EXPECT_EQ(port("output.http: {hosts: h1, protocol: https}"), 443);
  EXPECT_EQ(port("output.http: {hosts: [h1, 'https://h2']}"), 443) << "over TLS, too";
  EXPECT_EQ(port("output.http: {hosts: 'h1:81', ssl.enabled: true}"), 81);
  EXPECT_EQ(read("output.http: {hosts: 'http://h1/a', path: /b}").output.request.path, "/a");
  EXPECT_EQ(read("output.http: {hosts: h1, path: /b}").output.request.path, "/b");
}

TEST(ConfigReader, TakesTlsAsFilebeatDoes) {
  TemporaryDirectory directory;
  const std::string ca = directory.write("ca.pem", "-----BEGIN CERTIFICATE-----\n");
  const auto tls = [&](const std::string& section) {
    return read("output.logstash:\n  hosts: h1\n" + section).output.tls;
  };

  // Any setting of TLS enables it, unless it is disabled.
  const auto full = tls(
      fmt::format("  ssl: {{certificate_authorities: ['{0}'], certificate: '{0}', key: '{0}', key_passphrase: secret,\n"
                  "        verification_mode: Certificate, supported_protocols: [TLSv1.2, TLSv1.3]}}",
                  ca));
  ASSERT_TRUE(full);
  EXPECT_THAT(full->certificate_authorities, ElementsAre(ca));
  EXPECT_EQ(full->certificate, ca);
  EXPECT_EQ(full->key, ca);
  EXPECT_EQ(full->key_passphrase, "secret");
  EXPECT_EQ(full->verification_mode, net::VerificationMode::certificate);
  EXPECT_TRUE(tls("  ssl.enabled: true"));
  EXPECT_FALSE(tls("  ssl: {enabled: false, verification_mode: none}"));
  // A PEM text may stand for a file.
  const auto inlined = tls("  ssl.certificate_authorities:\n    - |\n      -----BEGIN CERTIFICATE-----\n      AAAA\n");
  ASSERT_TRUE(inlined);
  EXPECT_THAT(inlined->certificate_authorities, ElementsAre("-----BEGIN CERTIFICATE-----\nAAAA\n"));
}

TEST(ConfigReader, LetsOverridesWinTheLastOneFirst) {
  const Config config =
      read("output.logstash: {hosts: h1, timeout: 5s}", {},
           {"output.logstash.timeout=6s", "output.logstash.timeout=7s", "output.logstash.hosts=[h2, h3]",
            "output.logstash={worker: 2}", "queue.mem.events=100", "output.logstash.ttl="});
  EXPECT_EQ(config.output.timeout, 7s);
  EXPECT_THAT(config.output.hosts, ElementsAre(HostPort{"h2", 5044}, HostPort{"h3", 5044}));
  EXPECT_EQ(config.output.worker, 2u);
  EXPECT_EQ(config.queue.events, 100u);
}

TEST(ConfigReader, CanSwitchOutputsByOverride) {
  const std::string yaml = "output.elasticsearch.hosts: h9\noutput.logstash: {enabled: false, hosts: h1}";
  EXPECT_THAT(read(yaml, {}, {"output.elasticsearch.enabled=false", "output.logstash.enabled=true"}).output.hosts,
              ElementsAre(HostPort{"h1", 5044}));
}

TEST(ConfigReader, ReplacesTheOutputOfTheFileByTo) {
  const Config config = read("output.elasticsearch: {hosts: h9}\nqueue.mem.events: 5",
                             {"lumberjack://h1,h2:5045?timeout=3s"}, {"output.logstash.worker=2"});
  EXPECT_THAT(config.output.hosts, ElementsAre(HostPort{"h1", 5044}, HostPort{"h2", 5045}));
  EXPECT_EQ(config.output.timeout, 3s);
  EXPECT_EQ(config.output.worker, 2u);
  EXPECT_EQ(config.queue.events, 5u);
  EXPECT_THAT(config.warnings, ElementsAre("windlass.yml:1:31: output is not used, as --to is given"));
}

struct BadConfig {
  const char* yaml;
  const char* error;
};

TEST(ConfigReader, SaysWhereAndWhatWasExpected) {
  ::unsetenv("WINDLASS_TEST_UNSET");
  const std::vector<BadConfig> cases{
      // Wrong values.
      {"output.logstash:\n  hosts: h1\n  timeout: soon",
       "windlass.yml:3:12: output.logstash.timeout: expected a duration such as 30s, got \"soon\""},
      {"output.logstash:\n  hosts: h1\n  timeout: 0",
       "windlass.yml:3:12: output.logstash.timeout: expected a duration from 1ms to 24h, got \"0\""},
      {"output.logstash:\n  hosts: h1\n  timeout: [1s]",
       "windlass.yml:3:12: output.logstash.timeout: expected a duration such as 30s, got a list"},
      {"output.logstash:\n  hosts: h1\n  rate_limit: fast",
       "windlass.yml:3:15: output.logstash.rate_limit: expected a rate such as 5000/s, 300/min or 2k/h, or 0 for no "
       "limit; got \"fast\""},
      {"output.logstash:\n  hosts: 'h1?rate_limit=5000/d'",
       "windlass.yml:2:10: output.logstash.hosts: expected a rate such as 5000/s, 300/min or 2k/h, or 0 for no limit; "
       "got \"5000/d\""},
      {"output.logstash: {hosts: h1, worker: 0}",
       "windlass.yml:1:38: output.logstash.worker: expected a whole number from 1 to 256, got \"0\""},
      {"output.logstash: {hosts: h1, workers: two}",
       "windlass.yml:1:39: output.logstash.workers: expected a whole number from 1 to 256, got \"two\""},
      {"output.logstash: {hosts: h1, loadbalance: maybe}",
       "windlass.yml:1:43: output.logstash.loadbalance: expected true or false, got \"maybe\""},
      {"output.logstash: {hosts: h1, compression_level: 10}",
       "windlass.yml:1:49: output.logstash.compression_level: expected a whole number from 0 to 9, got \"10\""},
      {"output.logstash: {hosts: h1, pipelining: -1}",
       "windlass.yml:1:42: output.logstash.pipelining: expected a whole number from 0 to 1024, got \"-1\""},
      {"output.logstash: {hosts: h1, backoff: 5s}", "windlass.yml:1:39: output.logstash.backoff: unknown setting"},
      {"output.logstash: {hosts: h1, backoff.init: 2m}",
       "windlass.yml:1:44: output.logstash.backoff.init: expected not more than backoff.max"},
      {"output.logstash.hosts: h1\nqueue.mem.events: many",
       "windlass.yml:2:19: queue.mem.events: expected a whole number from 1 to 1000000000, got \"many\""},
      {"output.logstash.hosts: h1\nqueue.mem.bytes: big",
       "windlass.yml:2:18: queue.mem.bytes: expected a size such as 10MiB, got \"big\""},
      {"output.logstash.hosts: h1\nqueue.mem.bytes: 1",
       "windlass.yml:2:18: queue.mem.bytes: expected a size from 64 KiB to 1.0 TiB, got \"1\""},
      {"output.logstash.hosts: h1\nlogging.level: loud",
       "windlass.yml:2:16: logging.level: expected one of debug, info, warning, warn, error, critical, got \"loud\""},
      {"output.logstash.hosts: h1\npaths: {a: b}", "windlass.yml:2:12: paths.a: unknown setting"},
      // Hosts.
      {"output.logstash:\n  timeout: 3s", "windlass.yml:2:12: output.logstash.hosts: expected at least one host"},
      {"output.logstash:", "windlass.yml:1:1: output.logstash.hosts: expected at least one host"},
      {"output.logstash.hosts: []",
       "windlass.yml:1:24: output.logstash.hosts: expected at least one host, got an empty list"},
      {"output.logstash.hosts: ''",
       "windlass.yml:1:24: output.logstash.hosts: expected a word before and after each comma, got \"\""},
      {"output.logstash.hosts: 'h1,,h2'",
       "windlass.yml:1:24: output.logstash.hosts: expected a word before and after each comma, got \"h1,,h2\""},
      {"output.logstash.hosts: [h1, [h2]]",
       "windlass.yml:1:29: output.logstash.hosts: expected a text in the list, got a list"},
      {"output.logstash.hosts: {h1: h2}", "windlass.yml:1:29: output.logstash.hosts.h1: unknown setting"},
      {"output.logstash.hosts: h1:99999", "windlass.yml:1:24: output.logstash.hosts: \"h1:99999\" is not an address"},
      {"output.logstash.hosts: h1:http", "windlass.yml:1:24: output.logstash.hosts: \"h1:http\" is not an address"},
      {"output.logstash.hosts: h1:0",
       "windlass.yml:1:24: output.logstash.hosts: expected a port from 1 to 65535, got \"h1:0\""},
      {"output.logstash.hosts: ':5044'",
       "windlass.yml:1:24: output.logstash.hosts: expected a host before the port, got \":5044\""},
      {"output.logstash.hosts: http://h1:5044",
       "windlass.yml:1:24: output.logstash.hosts: expected host or host:port without a scheme, got \"http://h1:5044\""},
      // Keys.
      {"output.logstash:\n  hosts: h1\n  timout: 3s",
       "windlass.yml:3:11: output.logstash.timout: unknown setting; did you mean timeout?"},
      {"output.logstash: {hosts: h1, ssl: {certificate_authority: a}}",
       "windlass.yml:1:59: output.logstash.ssl.certificate_authority: unknown setting; did you mean "
       "ssl.certificate_authorities?"},
      {"output.logstash.hosts: h1\nqueue.mem.event: 5",
       "windlass.yml:2:18: queue.mem.event: unknown setting; did you mean queue.mem.events?"},
      {"outputs.logstash.hosts: h1\noutput.logstash.hosts: h1",
       "windlass.yml:1:25: outputs.logstash.hosts: unknown setting; did you mean output?"},
      {"output.logstash: {hosts: h1, hosts: h2}",
       "windlass.yml:1:30: the key \"hosts\" occurs twice; first at windlass.yml:1:26"},
      {"output.logstash.hosts: h1\noutput: {logstash: {hosts: h2}}",
       "windlass.yml:2:28: output.logstash.hosts: given twice; first at windlass.yml:1:24"},
      {"output.logstash: {hosts: h1, worker: 1, workers: 2}",
       "windlass.yml:1:50: output.logstash.workers: given twice; first at windlass.yml:1:38"},
      // Outputs.
      {"output.redis.hosts: h1", "windlass.yml:1:21: output.redis.key: expected the name of a list, channel or stream"},
      {"output.redis: {hosts: h1, key: '%{[type]}'}", "output.redis.key: expected a fixed name"},
      {"output.redis: {hosts: h1, key: a, db: -1}", "output.redis.db: expected the number of a database, got \"-1\""},
      {"output.redis: {hosts: h1, key: a, datatype: set}", "output.redis.datatype: expected"},
      {"output.redis: {hosts: h1, key: a, compression_level: 1}", "compression_level: unknown setting"},
      {"output.file: {rotate_every_kb: 1}", "output.file.path: expected the directory of the file"},
      {"output.file: {path: /a, permissions: 0999}", "expected permissions such as 0600, got \"0999\""},
      {"output.file: {path: /a, hosts: h1}", "output.file.hosts: unknown setting"},
      {"output.console.pretty: true", "output.console.pretty: an event is one line; expected false"},
      {"", "windlass.yml: no output is enabled; expected output.logstash.hosts, or --to URL"},
      {"queue.mem.events: 5", "windlass.yml: no output is enabled"},
      {"output.logstash: {hosts: h1, enabled: false}", "windlass.yml: no output is enabled"},
      {"output: logstash", "windlass.yml:1:9: output: expected a section such as output.logstash"},
      {"output.logstash: h1", "windlass.yml:1:18: output.logstash: expected a section with hosts in it"},
      {"output.kafka.hosts: h1",
       "windlass.yml:1:21: output: not supported yet: kafka; supported: logstash, http, elasticsearch, redis, file, "
       "console"},
      {"output.logstahs.hosts: h1",
       "windlass.yml:1:24: output.logstahs.hosts: unknown output; supported: logstash, http, elasticsearch, redis, "
       "file, "
       "console; did you mean logstash?"},
      {"output.logstash.hosts: h1\noutput.kafka.hosts: h2",
       "windlass.yml:2:21: output: expected one output that is enabled, got kafka (at windlass.yml:2:21) and logstash "
       "(at "
       "windlass.yml:1:24)"},
      // What is known and not there.
      {"output.logstash: {hosts: h1, proxy_url: 'https://me:secret@p'}",
       "windlass.yml:1:41: output.logstash.proxy_url: expected http://user:password@host:port or "
       "socks5://user:password@host:port; other proxies are not supported"},
      {"output.logstash: {hosts: h1, ssl.ca_sha256: abc}",
       "windlass.yml:1:45: output.logstash.ssl.ca_sha256: pinning of certificates is not supported yet"},
      {"output.logstash.hosts: h1\nqueue.disk.max_size: 1GB",
       "windlass.yml:2:22: queue.disk.path: expected the directory of the queue on disk"},
      {"output.logstash.hosts: h1\nqueue.disk: {path: q, max_size: 10MiB, segment_size: 6MiB}",
       "windlass.yml:2:54: queue.disk.segment_size: expected not more than half of queue.disk.max_size"},
      {"output.logstash.hosts: h1\nqueue.disk: {path: q, sync: never}",
       "windlass.yml:2:29: queue.disk.sync: expected batch, system, or a duration such as 100ms, got \"never\""},
      {"output.logstash.hosts: h1\nqueue.spool.file.path: x",
       "windlass.yml:2:24: queue.spool.file.path: not supported; the queue on disk is queue.disk"},
      // TLS.
      {"output.logstash: {hosts: h1, ssl.certificate: /nowhere/a.pem}",
       "windlass.yml:1:47: output.logstash.ssl.certificate: cannot read \"/nowhere/a.pem\": No such file or directory"},
      {"output.logstash: {hosts: h1, ssl.certificate_authorities: [/tmp]}",
       "windlass.yml:1:59: output.logstash.ssl.certificate_authorities: expected a PEM file, but \"/tmp\" is a "
       "directory"},
      {"output.logstash: {hosts: h1, ssl.certificate: '-----BEGIN CERTIFICATE-----'}",
       "windlass.yml:1:47: output.logstash.ssl.certificate: expected both ssl.certificate and ssl.key, or neither"},
      {"output.logstash: {hosts: h1, ssl.verification_mode: some}",
       "windlass.yml:1:53: output.logstash.ssl.verification_mode: expected one of full, strict, certificate, none, got "
       "\"some\""},
      {"output.logstash: {hosts: h1, ssl.supported_protocols: [TLSv1.0]}",
       "windlass.yml:1:55: output.logstash.ssl.supported_protocols: expected TLSv1.2 or TLSv1.3 among the protocols"},
      {"output.logstash: {hosts: h1, ssl.supported_protocols: SSLv3}",
       "windlass.yml:1:55: output.logstash.ssl.supported_protocols: expected TLSv1.2 or TLSv1.3, got \"SSLv3\""},
      // The environment.
      {"output.logstash.hosts: ${WINDLASS_TEST_UNSET}",
       "windlass.yml:1:24: output.logstash.hosts: the environment variable \"WINDLASS_TEST_UNSET\" is not set; "
       "${WINDLASS_TEST_UNSET:something} would give it a default"},
      {"output.logstash.hosts: '${WINDLASS_TEST_UNSET:?name the hosts}'",
       "windlass.yml:1:24: output.logstash.hosts: the environment variable \"WINDLASS_TEST_UNSET\" is not set: name "
       "the hosts"},
      {"output.logstash.hosts: ${WINDLASS", "windlass.yml:1:24: output.logstash.hosts: expected a } after ${"},
      {"output.logstash.hosts: ${}",
       "windlass.yml:1:24: output.logstash.hosts: expected the name of an environment variable"},
      // YAML.
      {"output.logstash: [h1", "windlass.yml:1:1: not valid YAML: end of sequence flow not found"},
      {"output:\n\tlogstash: {}", "windlass.yml:2:10: not valid YAML: illegal map value"},
      {"just a text", "windlass.yml:1:1: expected sections such as output.logstash"},
      {"[a, b]", "windlass.yml:1:1: expected sections such as output.logstash"},
      {"a: 1\n---\nb: 2", "windlass.yml:3:1: expected one YAML document, got several"},
      {"? [a]\n: b", "windlass.yml:1:3: expected a name as key"},
      {"a: &a [*a]", "windlass.yml:1:8: an alias to something that is not complete yet"},
      {"a: *b", "windlass.yml:1:4: not valid YAML: "},
      {"output: {<<: 5}", "windlass.yml:1:14: expected a map to merge with <<"},
  };
  for (const BadConfig& bad : cases) EXPECT_THAT(error_of(bad.yaml), HasSubstr(bad.error)) << bad.yaml;
}

TEST(ConfigReader, NamesTheOptionWhereAnOverrideIsWrong) {
  const std::string yaml = "output.logstash.hosts: h1";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"output.logstash.timeout=soon", "-E output.logstash.timeout: expected a duration such as 30s, got \"soon\""},
      {"output.logstash.timeout", "-E output.logstash.timeout: expected key=value"},
      {"=5", "-E: expected key=value"},
      {"", "-E: expected key=value"},
      {"output.logstash.hosts=[h1", "-E output.logstash.hosts:1:1: not valid YAML: end of sequence flow not found"},
      {"output.logstash.hosts=[h1, [h2]]", "-E output.logstash.hosts: expected a text in the list, got a list"},
      {"output.logstash={timeout: soon}", "-E output.logstash: output.logstash.timeout: expected a duration"},
      {"output.logstash.timout=5", "-E output.logstash.timout: unknown setting; did you mean timeout?"},
      {"output.kafka.enabled=true", "output: expected one output that is enabled, got kafka"},
  };
  for (const auto& [option, error] : cases) EXPECT_THAT(error_of(yaml, {}, {option}), HasSubstr(error)) << option;
}

TEST(ConfigReader, HasTheDefaultsOfEachOutput) {
  const OutputConfig redis = read("output.redis: {hosts: h1, index: old, key: new}").output;
  EXPECT_EQ(redis.redis.key, "new");
  EXPECT_EQ(redis.timeout, std::chrono::seconds(5));
  EXPECT_TRUE(redis.loadbalance);
  EXPECT_EQ(read("output.redis: {hosts: h1, index: old}").output.redis.key, "old");
  const OutputConfig file = read("output.file: {path: /var/log}").output;
  EXPECT_EQ(file.file.path, "/var/log/windlass");
  EXPECT_EQ(file.file.rotate_bytes, 10u << 20);
  EXPECT_EQ(file.file.number_of_files, 7u);
  EXPECT_EQ(file.file.permissions, 0600u);
  EXPECT_FALSE(file.file.sync);
  EXPECT_EQ(read("output.file: {path: /var/log, filename: a, rotate_every_kb: 64}").output.file.path, "/var/log/a");
  EXPECT_EQ(read("output.console: {pretty: false}").output.type, OutputType::console);
}

TEST(ConfigReader, RefusesHostileYamlAtOnce) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < 12; ++level) {
    bomb += fmt::format("a{}: &a{} [", level, level);
    for (int copy = 0; copy < 10; ++copy) bomb += fmt::format("{}*a{}", copy == 0 ? "" : ", ", level - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(error_of(bomb), HasSubstr("expected at most 20000 YAML nodes, aliases resolved"));
  EXPECT_THAT(error_of(std::string(10'000, '[')), HasSubstr("nested at most 32 levels deep"));
  EXPECT_THAT(error_of("a: &a " + std::string(20, '[') + std::string(20, ']') + "\nb: " + std::string(20, '[') + "*a" +
                       std::string(20, ']')),
              HasSubstr("nested at most 32 levels deep"));
  EXPECT_THAT(error_of("# " + std::string(max_yaml_bytes, 'x')), HasSubstr("expected at most 1048576 bytes"));
  EXPECT_THAT(error_of(std::string(500, 'k') + ": 1"), HasSubstr("unknown key"));
}

TEST(ConfigReader, SaysWhyAFileCannotBeRead) {
  TemporaryDirectory directory;
  const auto error_of_file = [](const std::string& path) -> std::string {
    try {
      read_config({path, {}, {}});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of_file((directory.path() / "missing.yml").string()),
            (directory.path() / "missing.yml").string() + ": cannot read it: No such file or directory");
  EXPECT_EQ(error_of_file(directory.path().string()), directory.path().string() + ": cannot read it: Is a directory");
  EXPECT_THAT(error_of_file("/dev/zero"), HasSubstr("/dev/zero: expected at most 1048576 bytes of YAML"));
  if (::geteuid() != 0) {
    const std::string locked = directory.write("locked.yml", "");
    ::chmod(locked.c_str(), 0);
    EXPECT_EQ(error_of_file(locked), locked + ": cannot read it: Permission denied");
  }
}

TEST(ConfigReader, ReadsAFile) {
  TemporaryDirectory directory;
  const Config config = read_config({directory.write("windlass.yml", "output.logstash.hosts: h1\n"), {}, {}});
  EXPECT_THAT(config.output.hosts, ElementsAre(HostPort{"h1", 5044}));
}

TEST(ConfigReader, WorksWithoutAFile) {
  EXPECT_THAT(read_config({std::nullopt, {"lumberjack://h1"}, {}}).output.hosts, ElementsAre(HostPort{"h1", 5044}));
  try {
    read_config({});
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "command line: no output is enabled; expected output.logstash.hosts, or --to URL");
  }
}

}  // namespace
}  // namespace windlass::app
