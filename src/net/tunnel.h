// One way through a proxy, with its time limit.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include "net/transport.h"
#include "protocol/proxy_client.h"

namespace windlass::net {

class Tunnel : public std::enable_shared_from_this<Tunnel> {
 public:
  /// Gives the transport back, which is connected to the target; or null with an error and its explanation.
  using Callback = std::function<void(std::error_code, std::string why, std::unique_ptr<Transport>)>;

  /// The transport is connected to the proxy, and nothing was said on it. Held by shared_ptr.
  Tunnel(std::unique_ptr<Transport> transport, protocol::ProxyClient conversation, Callback callback);

  /// The callback comes later, from the io_context.
  void start(std::chrono::nanoseconds timeout);
  /// Closes the connection; the callback is not called.
  void cancel() noexcept;

 private:
  void step();
  void wait_for(IoResult::Status wanted);
  void finish(std::error_code error, std::string why);

  std::unique_ptr<Transport> transport_;
  protocol::ProxyClient conversation_;
  Callback callback_;  // empty: finished or cancelled
  boost::asio::steady_timer timer_;
};

}  // namespace windlass::net
