// One endpoint, tried for real and step by step: what windlass test output does.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "app/config.h"
#include "net/connector.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/tls.h"
#include "protocol/client_conversation.h"
#include "protocol/http_greeting.h"

namespace windlass::app {

/// What came of one step.
struct ProbeStep {
  enum class Result {
    passed,
    failed,
    warned,  ///< an address that failed where another one is left to try
    none,    ///< not tried, or not needed; the text says why
  };
  std::string_view name;  ///< "SRV", "resolution", "connection", "TLS", "authentication", "round trip"
  Result result = Result::none;
  std::string text;                  ///< what was found, or what went wrong
  std::vector<std::string> details;  ///< further lines
  std::string hint = {};             ///< of a failure: what to look at
  std::optional<double> milliseconds = {};
};

/// "passed", "failed", "warned", "none".
std::string_view to_string(ProbeStep::Result result);

/// Looks the name up, connects, makes TLS, says who we are, and goes as far as the protocol allows without writing an
/// event; or, where that is asked for, sends one event that is marked as a test and waits for its acknowledgement. On
/// the io_context's thread.
class Probe final : private net::ConnectObserver, private net::Stream::Handler {
 public:
  /// All of them must outlive the probe. `tls` is that of the output, loaded.
  Probe(boost::asio::io_context& context, net::Resolver& resolver, const Host& host, const OutputConfig& output,
        const std::optional<net::TlsContext>& tls, bool send_event);

  /// Everything together takes at most the output's timeout, twice: until the connection stands, and from then on.
  void start();

  const std::string& endpoint() const { return endpoint_; }
  const std::vector<ProbeStep>& steps() const { return steps_; }
  /// Once the io_context has nothing left to do.
  bool passed() const { return passed_; }

 private:
  using Clock = std::chrono::steady_clock;

  void on_resolved(const std::vector<net::SocketAddress>& addresses) override;
  void on_connected(const net::SocketAddress& address) override;
  void on_secured(const net::SocketAddress& address, const net::TlsInfo& tls) override;
  void on_address_failed(const net::SocketAddress& address, std::string_view detail) override;
  void connected(std::error_code error, const std::string& detail, std::unique_ptr<net::Stream> stream);

  void on_received(std::string_view bytes) override;
  void on_sent() override;
  void on_closed(std::error_code error) override;

  void converse();
  void flush();
  void proceed(std::error_code error);
  void authenticated();
  void send_test_event();
  void took_event(const PublishResult& result);
  void arm(std::chrono::nanoseconds time, void (Probe::*expired)());
  void nothing_came();
  void no_objection();
  void lost(std::error_code error);
  void end(bool passed);

  void add(std::string_view name, ProbeStep::Result result, std::string text, std::vector<std::string> details = {});
  void fail(std::string_view name, std::error_code error, const std::string& text);

  const OutputConfig& output_;
  const Host host_;
  const std::string endpoint_;
  const bool tls_;
  const bool send_event_;
  std::vector<ProbeStep> steps_;
  Clock::time_point step_began_;
  std::string_view connecting_ = "resolution";  // the step that is under way until the connection stands
  net::Connector connector_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<protocol::ClientConversation> conversation_;
  const protocol::HttpGreeting* greeting_ = nullptr;  // that is what the conversation is
  bool authenticated_ = false;
  bool ended_ = false;
  bool passed_ = false;
};

}  // namespace windlass::app
