// A connected stream of bytes, over TCP or TLS.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "base/bytes.h"

namespace windlass::net {

class Transport;

/// One connection, made by a Connector or a Listener. Used from its io_context's thread only. Destroying it closes it.
/// TCP_NODELAY and SO_KEEPALIVE are set.
///
/// All callbacks come from the io_context, never from inside a call of the stream; each may call anything here, or
/// destroy the stream.
class Stream {
 public:
  class Handler {
   public:
    /// Some bytes, at most max_received. The view is good during the call.
    virtual void on_received(std::string_view bytes) = 0;
    /// Everything given to send() is with the kernel; send() may be called again.
    virtual void on_sent() = 0;
    /// The connection has ended: errc::connection_lost when the peer closed it, else why. Once, and nothing follows.
    /// What the peer had sent before was received first, unless reading is paused. Not called after close().
    virtual void on_closed(std::error_code error) = 0;

   protected:
    ~Handler() = default;
  };

  /// The largest view that on_received is given.
  static constexpr std::size_t max_received = std::size_t{64} << 10;

  explicit Stream(std::unique_ptr<Transport> transport);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Begins to read. Once, before anything else; the handler must live until close() or on_closed.
  void start(Handler& handler);

  /// Takes the bytes, by exchanging the queue for its own, empty one (so two buffers serve a connection). Tries to
  /// write at once; on_sent follows. Not to be called while sending(). On a closed stream the bytes are discarded.
  void send(base::ByteQueue& bytes);
  /// From send() until on_sent.
  bool sending() const noexcept;
  /// Bytes of the last send() that the kernel has not taken yet.
  std::size_t unsent() const noexcept;

  /// Backpressure: nothing is read, so the peer's sends come to rest. Its end is not noticed meanwhile, except by
  /// writing.
  void pause_reading() noexcept;
  void resume_reading();

  /// Ends the connection at once, telling the peer in the usual way; what the kernel has taken is still delivered. No
  /// callback comes afterwards. Does nothing the second time.
  void close() noexcept;
  /// As close, but by RST: what is not delivered yet is thrown away.
  void abort() noexcept;
  bool is_open() const noexcept;

  /// "10.0.0.1:5044", "[::1]:5044".
  const std::string& local_endpoint() const noexcept;
  const std::string& peer_endpoint() const noexcept;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace windlass::net
