#include "app/target.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "app/config_reader.h"
#include "support/temporary_directory.h"

namespace windlass::app {
namespace {

using namespace std::chrono_literals;
using net::HostPort;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

OutputConfig output_of(const std::vector<std::string>& to) {
  return read_config({std::nullopt, to, {}}).output;
}

std::string error_of(const std::vector<std::string>& to) {
  try {
    output_of(to);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Target, TakesHostsAndSettingsFromAUrl) {
  const OutputConfig output =
      output_of({"lumberjack://h1:5045,h2,[::1]:5046?pipelining=2&compression_level=3&timeout=1m30s"});
  EXPECT_THAT(output.hosts, ElementsAre(HostPort{"h1", 5045}, HostPort{"h2", 5044}, HostPort{"::1", 5046}));
  EXPECT_EQ(output.pipelining, 2u);
  EXPECT_EQ(output.compression_level, 3);
  EXPECT_EQ(output.timeout, 90s);
  EXPECT_FALSE(output.tls);
}

TEST(Target, BalancesUnlessToldOtherwise) {
  EXPECT_TRUE(output_of({"lumberjack://h1,h2"}).loadbalance);
  EXPECT_FALSE(output_of({"lumberjack://h1,h2?loadbalance=false"}).loadbalance);
}

TEST(Target, PutsSeveralUrlsTogether) {
  const OutputConfig output = output_of({"lumberjack://h1/?worker=2", "lumberjack://h2,h3?worker=2&ttl=1m"});
  EXPECT_THAT(output.hosts, ElementsAre(HostPort{"h1", 5044}, HostPort{"h2", 5044}, HostPort{"h3", 5044}));
  EXPECT_EQ(output.worker, 2u);
  EXPECT_EQ(output.ttl, 1min);
}

TEST(Target, WhatHoldsForHostsAloneStandsBehindEachOfThem) {
  const Target target = parse_targets({"lumberjack://h1,h2:1?worker=2&priority=0", "lumberjack://h3?priority=1"});
  EXPECT_EQ(target.hosts, "h1?priority=0,h2:1?priority=0,h3?priority=1");
  EXPECT_EQ(target.parameters.size(), 1u);
  EXPECT_THROW(parse_targets({"lumberjack://?hosts_file=hosts&priority=1"}), ConfigError);
  EXPECT_THROW(parse_targets({"lumberjack://h1?weight=1,h2"}), ConfigError);
}

TEST(Target, ALimitHoldsForTheHostsOfItsUrlAndThoseOfItsFile) {
  const OutputConfig output = output_of({"lumberjack://h1,h2?rate_limit=5000/s", "lumberjack://h3"});
  EXPECT_EQ(output.hosts[0].rate_limit, 5000);
  EXPECT_EQ(output.hosts[1].rate_limit, 5000);
  EXPECT_FALSE(output.hosts[2].rate_limit);
  EXPECT_EQ(output.rate_limit, 0);
  TemporaryDirectory directory;
  const std::string file = directory.write("hosts", "h4\nh5?rate_limit=0\n");
  for (const char* hosts : {"", "h1"}) {
    const OutputConfig with_file =
        output_of({fmt::format("lumberjack://{}?hosts_file={}&rate_limit=10/min", hosts, file)});
    EXPECT_EQ(with_file.rate_limit, 10.0 / 60);
    EXPECT_EQ(with_file.hosts.back().rate_limit, 0);
  }
  EXPECT_THAT(error_of({"lumberjack://h1?rate_limit=much"}), HasSubstr("expected a rate such as 5000/s"));
  EXPECT_THAT(error_of({"stdout://?rate_limit=5/s"}), HasSubstr("rate_limit"));
}

TEST(Target, MeansTlsByTheSchemesS) {
  TemporaryDirectory directory;
  const std::string ca = directory.write("my ca.pem", "");
  const OutputConfig output =
      output_of({fmt::format("LumberjackS://h1?ssl.certificate_authorities={}&ssl.verification_mode=none",
                             (directory.path() / "my%20ca.pem").string())});
  ASSERT_TRUE(output.tls);
  EXPECT_THAT(output.tls->certificate_authorities, ElementsAre(ca));
  EXPECT_EQ(output.tls->verification_mode, net::VerificationMode::none);
  EXPECT_TRUE(output_of({"lumberjacks://h1"}).tls);
}

TEST(Target, TakesUserKeyAndDatabaseOfRedisFromAUrl) {
  const OutputConfig output = output_of({"rediss://me:p%40ss@h1,h2:7000/3?key=logs&datatype=stream"});
  EXPECT_EQ(output.type, OutputType::redis);
  EXPECT_THAT(output.hosts, ElementsAre(HostPort{"h1", 6379}, HostPort{"h2", 7000}));
  EXPECT_EQ(output.username, "me");
  EXPECT_EQ(output.password, "p@ss");
  EXPECT_EQ(output.redis.key, "logs");
  EXPECT_EQ(output.redis.database, 3u);
  EXPECT_EQ(output.redis.data_type, RedisDataType::stream);
  EXPECT_EQ(output.timeout, 5s);
  EXPECT_TRUE(output.tls);
}

TEST(Target, TakesTheDatesOfAnIndexAsFilesHaveThem) {
  EXPECT_EQ(output_of({"elasticsearch://h1?index=a-%{+yyyy.MM.dd}-%{+HH}&pipeline=b%20c"}).index,
            "a-%{+yyyy.MM.dd}-%{+HH}");
  EXPECT_EQ(output_of({"elasticsearch://h1?index=a-%25%7B%2Byyyy%7D"}).index, "a-%{+yyyy}");
  EXPECT_THROW(parse_targets({"elasticsearch://h1?index=a-%{+yyyy"}), ConfigError) << "a date without its end";
  EXPECT_THROW(parse_targets({"elasticsearch://h1?index=a-%{yyyy}"}), ConfigError) << "that is no date";
}

TEST(Target, TakesAFileOrStandardOutput) {
  const OutputConfig output = output_of({"file:///var/log/a%20b?permissions=0640&sync=batch"});
  EXPECT_EQ(output.type, OutputType::file);
  EXPECT_EQ(output.file.path, "/var/log/a b");
  EXPECT_EQ(output.file.rotate_bytes, 0u);
  EXPECT_EQ(output.file.permissions, 0640u);
  EXPECT_TRUE(output.file.sync);
  EXPECT_EQ(output_of({"file://here?rotate_every_kb=64&number_of_files=3"}).file.path, "here");
  EXPECT_EQ(output_of({"stdout://"}).type, OutputType::console);
}

TEST(Target, SaysWhatIsWrongWithAUrl) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{""}, "--to : expected a URL such as lumberjack://host:5044"},
      {{"h1:5044"}, "--to h1:5044: expected a URL such as lumberjack://host:5044"},
      {{"://h1"}, "expected a URL such as"},
      {{"lumberjck://h1"},
       "--to lumberjck://h1: unknown scheme \"lumberjck\"; supported: lumberjack://, lumberjacks://, http://, "
       "https://, elasticsearch://, elasticsearchs://, redis://, rediss://, file://, stdout://; did you mean "
       "lumberjack?"},
      {{"kafka://h1"},
       "--to kafka://h1: not supported yet: kafka://; supported: lumberjack://, lumberjacks://, http://, https://, "
       "elasticsearch://, elasticsearchs://, redis://, rediss://, file://, stdout://"},
      {{"files:///a"}, "unknown scheme \"files\""},
      {{"file://"}, "expected the path of a file, as in file:///var/log/events"},
      {{"file:///a?path=/b"}, "path: not for a URL"},
      {{"file:///a?worker=2"}, "worker: unknown setting"},
      {{"stdout://h1"}, "--to stdout://h1: expected nothing after ://"},
      {{"redis://h1"}, "--to redis://h1: output.redis.key: expected the name of a list, channel or stream"},
      {{"redis://h1/logs?key=a"}, "--to redis://h1/logs: db: expected the number of a database, got \"/logs\""},
      {{"lumberjack://"}, "expected at least one host"},
      {{"lumberjack://?worker=2"}, "expected at least one host"},
      {{"lumberjack://h1/path"}, "expected no path"},
      {{"lumberjack://h1#x"}, "expected no #"},
      {{"lumberjack://me:secret@h1"}, "--to lumberjack://...@h1: expected no user or password"},
      {{"lumberjack://h1,,h2"}, "--to lumberjack://h1,,h2: hosts: expected a word before and after each comma"},
      {{"lumberjack://h1:0"}, "--to lumberjack://h1:0: hosts: expected a port from 1 to 65535"},
      {{"lumberjack://h1:x"}, "hosts: \"h1:x\" is not an address"},
      {{"lumberjack://h1?timeout=soon"},
       "--to lumberjack://h1: timeout: expected a duration such as 30s, got \"soon\""},
      {{"lumberjack://h1?timeout"}, "--to lumberjack://h1: timeout: expected = and a value"},
      {{"lumberjack://h1?timout=3"}, "--to lumberjack://h1: timout: unknown setting; did you mean timeout?"},
      {{"lumberjack://h1?a=%zz"}, "--to lumberjack://h1: expected name=value pairs"},
      {{"lumberjack://h1?worker=1&workers=1"}, "--to lumberjack://h1: workers: given twice"},
      {{"lumberjack://h1?hosts=h2"}, "--to lumberjack://h1: hosts: not for a URL"},
      {{"lumberjack://h1?ssl.enabled=true"}, "--to lumberjack://h1: ssl.enabled: not for a URL"},
      {{"lumberjack://h1?ssl.key=a"}, "--to lumberjack://h1: ssl.key: expected lumberjacks:// for TLS"},
      {{"lumberjack://h1", "lumberjacks://h2"}, "--to lumberjacks://h2: expected the scheme of the first --to"},
      {{"lumberjack://h1?worker=1", "lumberjack://h2?worker=2"},
       "--to lumberjack://h2: worker: expected the value of the other --to"},
  };
  for (const auto& [to, error] : cases) EXPECT_THAT(error_of(to), HasSubstr(error)) << to.front();
}

TEST(Target, NeverRepeatsAQueryWhichMayHoldSecrets) {
  EXPECT_THAT(error_of({"lumberjacks://h1?ssl.key_passphrase=secret&worker=0"}), testing::Not(HasSubstr("secret")));
}

TEST(Listen, TakesAnAddressAndACertificate) {
  const ListenConfig plain = read_listen("lumberjack://127.0.0.1:0");
  EXPECT_EQ(plain.at, (HostPort{"127.0.0.1", 0}));
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(read_listen("lumberjack://:5045").at, (HostPort{"", 5045}));
  EXPECT_EQ(read_listen("lumberjack://localhost").at, (HostPort{"localhost", 5044}));

  TemporaryDirectory directory;
  const std::string pem = directory.write("a.pem", "");
  const ListenConfig secure = read_listen(
      fmt::format("lumberjacks://[::1]:1?ssl.certificate={0}&ssl.key={0}&ssl.client_authentication=required", pem));
  EXPECT_EQ(secure.at, (HostPort{"::1", 1}));
  ASSERT_TRUE(secure.tls);
  EXPECT_EQ(secure.tls->certificate, pem);
  EXPECT_EQ(secure.tls->client_authentication, net::ClientAuthentication::required);
}

TEST(Listen, SaysWhatIsWrongWithAUrl) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"127.0.0.1:0", "--listen 127.0.0.1:0: expected a URL such as"},
      {"lumberjack://h1,h2", "--listen lumberjack://h1,h2: expected one host"},
      {"lumberjack://h1?worker=2", "--listen lumberjack://h1: worker: not a setting of a listener"},
      {"lumberjack://h1?ssl.key=a", "--listen lumberjack://h1: ssl.key: expected lumberjacks:// for TLS"},
      {"lumberjacks://h1", "--listen lumberjacks://h1: expected ssl.certificate and ssl.key"},
      {"lumberjacks://h1?ssl.certficate=a",
       "ssl.certficate: not a setting of a listener; did you mean ssl.certificate?"},
  };
  for (const auto& [url, error] : cases) {
    try {
      read_listen(url);
      ADD_FAILURE() << url;
    } catch (const ConfigError& problem) {
      EXPECT_THAT(problem.what(), HasSubstr(error)) << url;
    }
  }
}

}  // namespace
}  // namespace windlass::app
