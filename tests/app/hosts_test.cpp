#include "app/hosts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <unistd.h>

#include "app/config_error.h"
#include "support/temporary_directory.h"

namespace windlass::app {
namespace {

using net::HostPort;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ParseHost, TakesWhatHoldsForTheHostAloneBehindIt) {
  Host expected(HostPort{"h1", 5044});
  expected.priority = 2;
  EXPECT_EQ(parse_host("h1?priority=2", 5044), expected);
  expected.weight = 3;
  EXPECT_EQ(parse_host("h1?weight=3&priority=2", 5044), expected);
  expected.rate_limit = 5000;
  EXPECT_EQ(parse_host("h1?weight=3&rate_limit=5k/s&priority=2", 5044), expected);
  expected.rate_limit = 0;
  EXPECT_EQ(parse_host("h1?weight=3&rate_limit=0&priority=2", 5044), expected) << "none, whatever the output has";
  EXPECT_EQ(parse_host("h1?", 5044), Host(HostPort{"h1", 5044}));
  for (const char* wrong : {"h1?rate_limit=", "h1?rate_limit=fast", "h1?rate_limit=-1/s", "h1?priority", "h1?priority=",
                            "h1?priority=-1", "h1?priority=65536", "h1?weight=0", "h1?colour=red", "h1?&"})
    EXPECT_THROW(parse_host(wrong, 5044), std::invalid_argument) << wrong;
}

TEST(ParseHost, TakesTheNameOfAServiceWithoutAPort) {
  Host expected(HostPort{"_lumberjack._tcp.example.org", 0});
  EXPECT_EQ(parse_host("_lumberjack._tcp.example.org", 5044), expected);
  expected.priority = 2;
  EXPECT_EQ(parse_host("_lumberjack._tcp.example.org?priority=2", 5044), expected);
  EXPECT_EQ(parse_host("_h1.example.org", 5044), Host(HostPort{"_h1.example.org", 5044})) << "an odd name of a host";
  for (const char* wrong : {"_lumberjack._tcp.example.org:5044", "_lumberjack._udp.example.org"})
    EXPECT_THROW(parse_host(wrong, 5044), std::invalid_argument) << wrong;
}

class HostsFileTest : public testing::Test {
 protected:
  std::vector<Host> read(std::string_view text) { return read_hosts_file(directory.write("hosts", text), 5044); }
  std::string error_of(std::string_view text) {
    try {
      read(text);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryDirectory directory;
  std::string path = (directory.path() / "hosts").string();
};

TEST_F(HostsFileTest, HasOneHostALine) {
  EXPECT_THAT(read("# the first rack\nh1\n\n  h2:5045  # new\r\n[::1]:5046"),
              ElementsAre(HostPort{"h1", 5044}, HostPort{"h2", 5045}, HostPort{"::1", 5046}));
}

TEST_F(HostsFileTest, MistakesAreToldWithFileAndLine) {
  EXPECT_EQ(error_of("h1\nh2:99999\n").find(path + ":2: "), 0u) << error_of("h1\nh2:99999\n");
  EXPECT_THAT(error_of("h1\nh2, h3\n"), HasSubstr(":2: expected one host a line, got \"h2, h3\""));
  EXPECT_THAT(error_of("h1:0"), HasSubstr(":1: expected a port from 1 to 65535"));
  EXPECT_THAT(error_of("http://h1"), HasSubstr(":1: expected host or host:port without a scheme"));
  EXPECT_THAT(error_of(std::string("h1\0h2", 5)), HasSubstr(":1: "));
}

TEST_F(HostsFileTest, AFileWithoutHostsIsAnError) {
  EXPECT_EQ(error_of(""), path + ": expected at least one host, one a line");
  EXPECT_EQ(error_of("# h1\n"), path + ": expected at least one host, one a line");
}

TEST_F(HostsFileTest, HasALimit) {
  std::string hosts;
  for (std::size_t i = 0; i < OutputConfig::max_hosts; ++i) hosts += fmt::format("h{}\n", i);
  EXPECT_EQ(read(hosts).size(), OutputConfig::max_hosts);
  EXPECT_THAT(error_of(hosts + "one-more\n"), HasSubstr(":1025: expected at most 1024 hosts"));
  EXPECT_THAT(error_of(std::string(2 << 20, '\n')), HasSubstr("expected at most 1.0 MiB"));
}

TEST_F(HostsFileTest, AChangeIsNoticedOnceAndWhenItIsOver) {
  directory.write("hosts", "h1\n");
  HostsFile file(path, 5044);
  EXPECT_FALSE(file.look()) << "it is as it was";
  directory.write("hosts", "h1\nh2");
  EXPECT_FALSE(file.look()) << "it may be being written";
  directory.write("hosts", "h1\nh2:5045\n");
  EXPECT_FALSE(file.look());
  EXPECT_THAT(file.look().value(), ElementsAre(HostPort{"h1", 5044}, HostPort{"h2", 5045}));
  EXPECT_FALSE(file.look());
}

TEST_F(HostsFileTest, AFileThatIsPutInItsPlaceIsNoticed) {
  directory.write("hosts", "h1\n");
  HostsFile file(path, 5044);
  ASSERT_EQ(::rename(directory.write("new", "h2\n").c_str(), path.c_str()), 0);
  EXPECT_FALSE(file.look());
  EXPECT_THAT(file.look().value(), ElementsAre(HostPort{"h2", 5044}));
}

TEST_F(HostsFileTest, AMistakeIsToldOnceAndMended) {
  directory.write("hosts", "h1\n");
  HostsFile file(path, 5044);
  ASSERT_EQ(::unlink(path.c_str()), 0);
  EXPECT_FALSE(file.look());
  EXPECT_THROW(file.look(), ConfigError) << "it is not there any more";
  EXPECT_FALSE(file.look());
  directory.write("hosts", "nonsense:\n");
  EXPECT_FALSE(file.look());
  EXPECT_THROW(file.look(), ConfigError);
  EXPECT_FALSE(file.look());
  directory.write("hosts", "h3\n");
  EXPECT_FALSE(file.look());
  EXPECT_THAT(file.look().value(), ElementsAre(HostPort{"h3", 5044}));
}

}  // namespace
}  // namespace windlass::app
