// What a connection has to get through before it can be used: a proxy, a TLS handshake.
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

/// One such thing, with its time limit. Held by shared_ptr.
class Opening : public std::enable_shared_from_this<Opening> {
 public:
  /// Gives the transport back; or null with an error and its explanation.
  using Callback = std::function<void(std::error_code, std::string why, std::unique_ptr<Transport>)>;

  virtual ~Opening() = default;
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

  /// The callback comes later, from the io_context.
  void start(std::chrono::nanoseconds timeout);
  /// Closes the connection; the callback is not called.
  void cancel() noexcept;

 protected:
  /// `late` is what is said of the time limit, followed by it.
  Opening(std::unique_ptr<Transport> transport, const char* late, Callback callback);

  /// Goes as far as it can, and ends with wait_for() or finish(). Not called once it is finished or cancelled.
  virtual void step() = 0;
  void wait_for(IoResult::Status wanted);
  void finish(std::error_code error, std::string why);
  Transport& transport() { return *transport_; }

 private:
  void go_on();

  std::unique_ptr<Transport> transport_;
  const char* const late_;
  Callback callback_;  // empty: finished or cancelled
  boost::asio::steady_timer timer_;
};

}  // namespace windlass::net
