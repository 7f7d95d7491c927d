#include "protocol/proxy_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>

#include <windlass/error.h>

namespace windlass::protocol {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using Kind = ProxyClient::Kind;

std::string said(ProxyClient& client) {
  return std::exchange(client.output(), {});
}

/// Hands it over in pieces of `size` bytes; returns what it left.
std::string hear(ProxyClient& client, std::string_view bytes, std::size_t size) {
  while (!bytes.empty() && !client.done() && !client.error()) {
    const std::string_view piece = bytes.substr(0, size);
    bytes.remove_prefix(client.receive(piece));
  }
  return std::string(bytes);
}

std::string refusal(ProxyClient::Options options, std::string_view answer) {
  ProxyClient client(std::move(options));
  hear(client, answer, 1);
  EXPECT_FALSE(client.done());
  EXPECT_TRUE(client.error());
  return client.error_detail();
}

class InPieces : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Of, InPieces, testing::Values(1, 2, 7, 1000));

TEST_P(InPieces, HttpConnectsAndLeavesWhatFollowsToTheTunnel) {
  ProxyClient client({.kind = Kind::http, .host = "h1", .port = 5044});
  EXPECT_EQ(said(client), "CONNECT h1:5044 HTTP/1.1\r\nHost: h1:5044\r\n\r\n");
  EXPECT_EQ(hear(client, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 Connection established\r\nVia: p\r\n\r\nhello",
                 GetParam()),
            "hello");
  EXPECT_TRUE(client.done());
  EXPECT_EQ(said(client), "");
}

TEST_P(InPieces, SocksNamesTheHostAndLeavesWhatFollowsToTheTunnel) {
  ProxyClient client({.kind = Kind::socks5, .host = "h1", .port = 5044});
  EXPECT_EQ(said(client), "\5\1\0"s);
  EXPECT_EQ(hear(client, "\5\0"s, GetParam()), "");
  EXPECT_EQ(said(client), "\5\1\0\3\2h1\x13\xb4"s);
  EXPECT_EQ(hear(client, "\5\0\0\1\x7f\0\0\1\x12\x34hello"s, GetParam()), "hello");
  EXPECT_TRUE(client.done());
}

TEST(HttpProxy, IsToldWhoWeAreAndAddressesOfSixStandInBrackets) {
  ProxyClient client({.kind = Kind::http, .host = "::1", .port = 5044, .authorization = "Basic bWU6c2VjcmV0"});
  EXPECT_EQ(said(client),
            "CONNECT [::1]:5044 HTTP/1.1\r\nHost: [::1]:5044\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n");
}

TEST(HttpProxy, SaysWhyItDoesNotConnect) {
  EXPECT_EQ(refusal({.host = "h"}, "HTTP/1.1 403 Access denied\r\n\r\n"), "the proxy refuses: 403 Access denied");
  EXPECT_EQ(refusal({.host = "h"}, "HTTP/1.1 407 Who?\r\n\r\n"), "the proxy wants a user and a password");
  EXPECT_EQ(refusal({.host = "h", .authorization = "Basic x"}, "HTTP/1.1 407 Who?\r\n\r\n"),
            "the proxy does not accept the user and the password");
}

TEST(HttpProxy, ThatIsNoneIsFoundOut) {
  EXPECT_THAT(refusal({.host = "h"}, "220 mail.example.org\r\n\r\n"), HasSubstr("what answers is no HTTP proxy"));
  EXPECT_EQ(refusal({.host = "h"}, std::string(20'000, 'x')), "the proxy's answer is too long");
  std::string without_end;
  while (without_end.size() < 40'000) without_end += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(refusal({.host = "h"}, without_end), "the proxy's answer is too long");
}

TEST(SocksProxy, IsToldWhoWeAreWhereItAsks) {
  const ProxyClient::Options options{.kind = Kind::socks5, .host = "h1", .port = 1, .user = "me", .password = "secret"};
  ProxyClient asked(options);
  EXPECT_EQ(said(asked), "\5\2\0\2"s);
  hear(asked, "\5\2"s, 1);
  EXPECT_EQ(said(asked), "\1\2me\6secret"s);
  hear(asked, "\1\0"s, 1);
  EXPECT_EQ(said(asked), "\5\1\0\3\2h1\0\1"s);
  ProxyClient not_asked(options);
  said(not_asked);
  hear(not_asked, "\5\0"s, 1);
  EXPECT_EQ(said(not_asked), "\5\1\0\3\2h1\0\1"s);
}

TEST(SocksProxy, IsGivenAddressesAsSuch) {
  ProxyClient four({.kind = Kind::socks5, .host = "10.0.0.1", .port = 1, .address = "\x0a\0\0\1"s});
  said(four);
  hear(four, "\5\0"s, 1);
  EXPECT_EQ(said(four), "\5\1\0\1\x0a\0\0\1\0\1"s);
  ProxyClient six({.kind = Kind::socks5, .host = "::1", .port = 1, .address = std::string(15, '\0') + '\1'});
  said(six);
  hear(six, "\5\0"s, 1);
  EXPECT_EQ(said(six), "\5\1\0\4"s + std::string(15, '\0') + "\1\0\1"s);
}

TEST(SocksProxy, MayAnswerWithAnyTypeOfAddress) {
  for (const std::string& address : {"\1abcd"s, "\4"s + std::string(16, 'x'), "\3\4name"s, "\3\0"s}) {
    ProxyClient client({.kind = Kind::socks5, .host = "h"});
    EXPECT_EQ(hear(client, "\5\0\5\0\0"s + address + "ppX", 1), "X");
    EXPECT_TRUE(client.done());
  }
}

TEST(SocksProxy, SaysWhyItDoesNotConnect) {
  const ProxyClient::Options nobody{.kind = Kind::socks5, .host = "h"};
  const ProxyClient::Options me{.kind = Kind::socks5, .host = "h", .user = "me", .password = "secret"};
  EXPECT_EQ(refusal(nobody, "\5\xff"), "the proxy wants a user and a password, or more than that");
  EXPECT_EQ(refusal(me, "\5\2\1\1"), "the proxy does not accept the user and the password");
  EXPECT_EQ(refusal(nobody, "\5\0\5\5\0\1\0"s), "the proxy refuses: the connection was refused");
  EXPECT_EQ(refusal(nobody, "\5\0\5\x42\0\1\0"s), "the proxy refuses: code 66");
}

TEST(SocksProxy, ThatIsNoneIsFoundOut) {
  const ProxyClient::Options nobody{.kind = Kind::socks5, .host = "h"};
  EXPECT_EQ(refusal(nobody, "HTTP/1.1 400 Bad request"), "what answers is no SOCKS5 proxy");
  EXPECT_THAT(refusal(nobody, "\5\2"), HasSubstr("was not offered"));
  EXPECT_THAT(refusal(nobody, "\5\0\5\0\0\7\0"s), HasSubstr("no known type"));
}

}  // namespace
}  // namespace windlass::protocol
