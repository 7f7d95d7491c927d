#include "app/test_command.h"

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdio>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_error.h"
#include "app/exit_code.h"
#include "net/connector.h"
#include "net/resolver.h"
#include "net/tls.h"

namespace windlass::app {
namespace {

constexpr std::size_t longest_name = 200;

/// Connects to one host and tells of each step.
class Probe final : public net::ConnectObserver {
 public:
  Probe(boost::asio::io_context& context, net::Resolver& resolver, const net::HostPort& host,
        const std::optional<net::TlsContext>& tls)
      : name_(net::to_string(host)), connector_(context, resolver, {host, tls, {}, this}) {}

  void start(base::Duration timeout) {
    connector_.connect(timeout, [this](std::error_code error, const std::string& detail, std::unique_ptr<net::Stream>) {
      works_ = !error;
      say(error ? "failed: " + printable(detail.empty() ? error.message() : detail, 500) : "works");
      fmt::print("{}\n{}", name_, story_);
      std::fflush(stdout);
    });
  }
  bool works() const { return works_; }

  void on_resolved(const std::vector<net::SocketAddress>& addresses) override {
    std::string list;
    for (const net::SocketAddress& address : addresses) list += (list.empty() ? "" : ", ") + net::to_string(address);
    say("addresses: " + list);
  }
  void on_connected(const net::SocketAddress& address) override { say("connected: " + net::to_string(address)); }
  void on_secured(const net::SocketAddress&, const net::TlsInfo& tls) override {
    say(fmt::format("TLS: {}, {}", tls.version, tls.cipher));
    if (tls.peer)
      say(fmt::format("certificate: {}, by {}, valid until {:%Y-%m-%d}", printable(tls.peer->subject, longest_name),
                      printable(tls.peer->issuer, longest_name),
                      fmt::gmtime(std::chrono::system_clock::to_time_t(tls.peer->not_after))));
  }
  void on_address_failed(const net::SocketAddress& address, std::string_view detail) override {
    say(fmt::format("{} failed: {}", net::to_string(address), printable(detail, longest_name)));
  }

 private:
  void say(const std::string& line) { story_ += fmt::format("  {}\n", line); }

  std::string name_;
  std::string story_;
  bool works_ = false;
  net::Connector connector_;
};

int test_output(const OutputConfig& output) {
  std::optional<net::TlsContext> tls;
  if (output.tls) tls = net::TlsContext::client(*output.tls);
  boost::asio::io_context context;
  net::Resolver resolver(context);
  std::vector<std::unique_ptr<Probe>> probes;
  for (const net::HostPort& host : output.hosts) {
    probes.push_back(std::make_unique<Probe>(context, resolver, host, tls));
    probes.back()->start(output.timeout);
  }
  context.run();
  std::size_t working = 0;
  for (const auto& probe : probes) working += probe->works() ? 1 : 0;
  fmt::print("{} of {} hosts work\n", working, probes.size());
  return working == probes.size() ? exit_all_acked : exit_incomplete;
}

}  // namespace

int run_test(const TestOptions& options) {
  const Config config = read_config(options.sources);
  for (const std::string& warning : config.warnings) fmt::print("warning: {}\n", warning);
  if (options.what == TestOptions::What::output) return test_output(config.output);
  fmt::print("configuration is fine\n");
  return exit_all_acked;
}

}  // namespace windlass::app
