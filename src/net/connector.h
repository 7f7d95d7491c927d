// From a configured address to a connected stream.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "net/address.h"
#include "net/proxy.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/tls.h"

namespace boost::asio {
class io_context;
}

namespace windlass::net {

/// Hears of each step of a connect, as it happens. From the io_context's thread; must not destroy the connector.
class ConnectObserver {
 public:
  virtual void on_resolved(const std::vector<SocketAddress>& addresses) = 0;
  virtual void on_connected(const SocketAddress& address) = 0;
  virtual void on_secured(const SocketAddress& address, const TlsInfo& tls) = 0;
  /// This address failed; the next one, if any, is tried. `detail` is as in Connector::Callback.
  virtual void on_address_failed(const SocketAddress& address, std::string_view detail) = 0;

 protected:
  ~ConnectObserver() = default;
};

/// Connects to one place, again and again. Each time the name is looked up anew and its addresses are tried in turn,
/// each with its share of the time that is left, so that one that swallows packets does not use it all. Used from the
/// io_context's thread only.
class Connector {
 public:
  struct Options {
    HostPort to;
    std::optional<TlsContext> tls;        ///< made by TlsContext::client; none: plain TCP
    std::string server_name;              ///< for SNI and for verification, instead of `to.host`
    ConnectObserver* observer = nullptr;  ///< must outlive the connector
    std::optional<Proxy> proxy = {};      ///< on the way to `to`; TLS is with `to`, through it
  };

  /// A stream; or an error, with a text that names the step and the address, such as
  /// "connecting 127.0.0.1:5044: Connection refused". With several addresses it tells of each.
  using Callback = std::function<void(std::error_code error, std::string detail, std::unique_ptr<Stream> stream)>;

  /// `context` and `resolver` must outlive the connector.
  Connector(boost::asio::io_context& context, Resolver& resolver, Options options);
  /// Cancels.
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// Lookup, TCP, the way through the proxy, TLS handshake and verification, all within `timeout`, else
  /// errc::timeout. The callback comes from the io_context, never from in here; it may connect again, or destroy the
  /// connector. One connect at a time.
  void connect(std::chrono::nanoseconds timeout, Callback callback);
  bool connecting() const noexcept;
  /// Gives up at once. The callback is not called.
  void cancel() noexcept;

 private:
  class Attempt;

  boost::asio::io_context& context_;
  Resolver& resolver_;
  const std::shared_ptr<const Options> options_;
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace windlass::net
