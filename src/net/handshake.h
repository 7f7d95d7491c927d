// One TLS handshake, with its time limit.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include "net/transport.h"

namespace windlass::net {

/// "1.5 s": for texts about time limits.
std::string in_seconds(std::chrono::nanoseconds duration);

class Handshake : public std::enable_shared_from_this<Handshake> {
 public:
  /// Gives the transport back, secured; or null with an error and its explanation.
  using Callback = std::function<void(std::error_code, std::string why, std::unique_ptr<Transport>)>;

  /// The transport must have been made secure(). Held by shared_ptr.
  Handshake(std::unique_ptr<Transport> transport, Callback callback);

  /// The callback comes later, from the io_context.
  void start(std::chrono::nanoseconds timeout);
  /// Closes the connection; the callback is not called.
  void cancel() noexcept;

 private:
  void step();
  void finish(std::error_code error, std::string why);

  std::unique_ptr<Transport> transport_;
  Callback callback_;  // empty: finished or cancelled
  boost::asio::steady_timer timer_;
};

}  // namespace windlass::net
