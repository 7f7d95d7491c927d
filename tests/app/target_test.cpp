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

TEST(Target, SaysWhatIsWrongWithAUrl) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{""}, "--to : expected a URL such as lumberjack://host:5044"},
      {{"h1:5044"}, "--to h1:5044: expected a URL such as lumberjack://host:5044"},
      {{"://h1"}, "expected a URL such as"},
      {{"lumberjck://h1"},
       "--to lumberjck://h1: unknown scheme \"lumberjck\"; supported: lumberjack://, lumberjacks://; did you mean "
       "lumberjack?"},
      {{"redis://h1"}, "--to redis://h1: not supported yet: redis://; supported: lumberjack://, lumberjacks://"},
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
