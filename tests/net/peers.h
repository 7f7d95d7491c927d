// What the tests of this room connect: handlers that remember, and pairs of streams over loopback.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "net/connector.h"
#include "net/listener.h"
#include "support/certificates.h"
#include "support/run_until.h"

namespace windlass::net {

/// Remembers what it hears, and does what the test asks for at that moment.
struct Recorder final : Stream::Handler {
  std::string received;
  int sent = 0;
  std::vector<std::error_code> closed;
  std::function<void(std::string_view)> when_received = [](std::string_view) {};
  std::function<void()> when_sent = [] {};
  std::function<void()> when_closed = [] {};

  void on_received(std::string_view bytes) override {
    received += bytes;
    when_received(bytes);
  }
  void on_sent() override {
    ++sent;
    when_sent();
  }
  void on_closed(std::error_code error) override {
    closed.push_back(error);
    when_closed();
  }
};

inline void send_text(Stream& stream, std::string_view text) {
  base::ByteQueue bytes;
  bytes.append(text);
  stream.send(bytes);
}

/// The contexts of a server for "localhost" and of a client that trusts it.
struct TlsPair {
  test::CertificateAuthority authority;
  TlsContext server;
  TlsContext client;

  TlsPair() : server(make_server(authority)), client(make_client(authority)) {}

  static TlsContext make_server(const test::CertificateAuthority& authority) {
    const test::Identity identity = authority.issue();
    TlsOptions options;
    options.certificate = identity.certificate;
    options.key = identity.key;
    return TlsContext::server(options);
  }
  static TlsContext make_client(const test::CertificateAuthority& authority) {
    TlsOptions options;
    options.certificate_authorities = {authority.certificate()};
    return TlsContext::client(options);
  }
};

struct ConnectResult {
  std::error_code error;
  std::string detail;
  std::unique_ptr<Stream> stream;
};

/// A loop with what connects and listens on it.
class Network {
 public:
  static constexpr auto patience = std::chrono::seconds(30);

  boost::asio::io_context context{1};
  Resolver resolver{context};
  std::vector<std::unique_ptr<Stream>> accepted;
  struct Failure {
    std::error_code error;
    std::string detail;
  };
  std::vector<Failure> failures;

  std::unique_ptr<Listener> listen(Listener::Options options) {
    return std::make_unique<Listener>(
        context, std::move(options), [this](std::unique_ptr<Stream> stream) { accepted.push_back(std::move(stream)); },
        [this](std::error_code error, const std::string& detail) {
          failures.push_back({error, detail});
        });
  }
  std::unique_ptr<Listener> listen(std::optional<TlsContext> tls = std::nullopt) {
    Listener::Options options;
    options.at = {"127.0.0.1", 0};
    options.tls = std::move(tls);
    return listen(std::move(options));
  }

  ConnectResult connect(Connector::Options options, std::chrono::nanoseconds timeout = patience) {
    Connector connector(context, resolver, std::move(options));
    std::optional<ConnectResult> result;
    connector.connect(timeout, [&](std::error_code error, std::string detail, std::unique_ptr<Stream> stream) {
      result = ConnectResult{error, std::move(detail), std::move(stream)};
    });
    EXPECT_TRUE(run_until([&] { return result.has_value(); }));
    return result ? std::move(*result) : ConnectResult{};
  }

  template <class Condition>
  bool run_until(Condition condition) {
    return test::run_until(context, condition);
  }
  /// Runs what is ready, until nothing is.
  void settle() {
    context.restart();
    while (context.poll() > 0) context.restart();
  }
};

/// Two ends of one connection, both started.
class Connection {
 public:
  explicit Connection(Network& network, const TlsPair* tls = nullptr) {
    Connector::Options options;
    const auto listener = network.listen(tls ? std::optional(tls->server) : std::nullopt);
    options.to = {"127.0.0.1", listener->port()};
    if (tls) options.tls = tls->client;
    ConnectResult result = network.connect(options);
    EXPECT_FALSE(result.error) << result.detail;
    EXPECT_TRUE(network.run_until([&] { return !network.accepted.empty(); }));
    client = std::move(result.stream);
    server = std::move(network.accepted.back());
    network.accepted.clear();
    client->start(at_client);
    server->start(at_server);
  }

  Recorder at_client;
  Recorder at_server;
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

}  // namespace windlass::net
