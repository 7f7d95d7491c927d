#include "net/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/socket.h>

namespace windlass::net {
namespace {

TEST(Address, ReadsEveryFormOfHostAndPort) {
  EXPECT_EQ(parse_host_port("logs", 5044), (HostPort{"logs", 5044}));
  EXPECT_EQ(parse_host_port("logs.example.org:80", 5044), (HostPort{"logs.example.org", 80}));
  EXPECT_EQ(parse_host_port("10.0.0.1:65535", 5044), (HostPort{"10.0.0.1", 65535}));
  EXPECT_EQ(parse_host_port("[::1]", 5044), (HostPort{"::1", 5044}));
  EXPECT_EQ(parse_host_port("[::1]:9", 5044), (HostPort{"::1", 9}));
  EXPECT_EQ(parse_host_port("::1", 5044), (HostPort{"::1", 5044}));
  EXPECT_EQ(parse_host_port("fe80::1:2", 5044), (HostPort{"fe80::1:2", 5044}));
  EXPECT_EQ(parse_host_port(":0", 5044), (HostPort{"", 0}));
}

TEST(Address, RefusesAnythingElseAndSaysWhy) {
  for (const char* text : {"", "h:", "h:65536", "h:-1", "h: 1", "h:1x", "[::1", "[::1]9", "[host]:1", "a:b:c",
                           "http://h", "h/p", "a b", "user@h", "[]:1", "h\n", "1:2:3"})
    EXPECT_THROW(parse_host_port(text, 5044), std::invalid_argument) << text;
  EXPECT_THROW(parse_host_port(std::string(256, 'h'), 5044), std::invalid_argument);
  try {
    parse_host_port("h:http", 5044);
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "\"h:http\" is not an address: the port \"http\" is not a number from 0 to 65535 (expected host, "
                 "host:port or [address]:port)");
  }
}

TEST(Address, IsWrittenAsItIsRead) {
  for (const char* text : {"logs:80", "[::1]:9", "10.0.0.1:1", ":5044"})
    EXPECT_EQ(to_string(parse_host_port(text, 0)), text);
}

TEST(Address, LiteralsBecomeSocketAddressesAndNamesDoNot) {
  const auto four = SocketAddress::from_literal("127.0.0.1", 5044);
  ASSERT_TRUE(four);
  EXPECT_EQ(four->family(), AF_INET);
  EXPECT_EQ(four->port(), 5044);
  EXPECT_EQ(to_string(*four), "127.0.0.1:5044");
  const auto six = SocketAddress::from_literal("2001:db8::1", 1);
  ASSERT_TRUE(six);
  EXPECT_EQ(six->family(), AF_INET6);
  EXPECT_EQ(to_string(*six), "[2001:db8::1]:1");
  EXPECT_FALSE(SocketAddress::from_literal("localhost", 1));
  EXPECT_FALSE(SocketAddress::from_literal("", 1));
}

}  // namespace
}  // namespace windlass::net
