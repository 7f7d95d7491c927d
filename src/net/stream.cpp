#include "net/stream.h"

#include <boost/asio/post.hpp>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"
#include "net/transport.h"

namespace windlass::net {
namespace {

// Reads of one stream before the others get their turn.
constexpr int reads_in_a_row = 16;
// Reads of what a peer left behind when writing to it has failed: more than a kernel holds for one socket.
constexpr int last_reads = 4096;

/// Views end with the call that shows them, so the streams of a thread can share one buffer.
char* read_buffer() {
  thread_local const auto buffer = std::make_unique_for_overwrite<char[]>(Stream::max_received);
  return buffer.get();  // NOLINT(clang-analyzer-cplusplus.NewDelete): the analyzer takes thread_local for local
}

std::string endpoint_text(const Socket& socket, bool of_peer) {
  boost::system::error_code error;
  const auto endpoint = of_peer ? socket.remote_endpoint(error) : socket.local_endpoint(error);
  return error ? "unknown" : to_string(to_address(endpoint));
}

std::error_code reason(const IoResult& result) {
  return result.status == IoResult::Status::ended ? make_error_code(errc::connection_lost) : result.error;
}

}  // namespace

/// Outlives the stream while an operation is under way: each holds a reference, and finds the transport gone.
class Stream::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(std::unique_ptr<Transport> transport)
      : transport_(std::move(transport)),
        local_(endpoint_text(transport_->socket(), false)),
        peer_(endpoint_text(transport_->socket(), true)) {}

  void start(Handler& handler) {
    WINDLASS_ASSERT(!handler_);
    if (!transport_) return;
    handler_ = &handler;
    read_soon();  // TLS may hold bytes already, for which no readiness would come
  }

  void send(base::ByteQueue& bytes) {
    WINDLASS_ASSERT(!sending_);
    if (!transport_) return bytes.clear();
    WINDLASS_ASSERT(handler_);
    std::swap(bytes, out_);
    sending_ = true;
    if (write_some()) later(&Impl::write);
  }

  void pause_reading() noexcept { paused_ = true; }

  void resume_reading() {
    if (!paused_) return;
    paused_ = false;
    if (handler_) read_soon();
  }

  void close(bool by_reset) noexcept {
    handler_ = nullptr;
    sending_ = false;
    out_.clear();
    const auto transport = std::move(transport_);
    if (transport && by_reset) transport->abort();
  }

  bool is_open() const noexcept { return transport_ != nullptr; }
  bool sending() const noexcept { return sending_; }
  std::size_t unsent() const noexcept { return out_.size(); }
  const std::string& local() const noexcept { return local_; }
  const std::string& peer() const noexcept { return peer_; }

 private:
  using Step = void (Impl::*)();

  void later(Step step) {
    boost::asio::post(transport_->socket().get_executor(), [self = shared_from_this(), step] { self->run(step); });
  }
  void when_ready(IoResult::Status wanted, Step step) {
    wait_until_ready(transport_->socket(), wanted,
                     [self = shared_from_this(), step](boost::system::error_code) { self->run(step); });
  }
  void run(Step step) {
    if (transport_) (this->*step)();
  }

  void read() {
    read_pending_ = false;
    for (int i = 0; i < reads_in_a_row; ++i) {
      if (!transport_ || paused_) return;
      const IoResult result = transport_->read(read_buffer(), max_received);
      switch (result.status) {
        case IoResult::Status::done:
          handler_->on_received({read_buffer(), result.count});
          break;
        case IoResult::Status::want_read:
        case IoResult::Status::want_write:
          return read_when_ready(result.status);
        case IoResult::Status::ended:
        case IoResult::Status::failed:
          return finish(reason(result));
      }
      if (!transport_ || paused_) return;
      const bool exhausted = result.count < max_received && !transport_->holds_bytes_back();
      if (exhausted) return read_when_ready(IoResult::Status::want_read);
    }
    read_soon();
  }

  // A read may be pending already: a handler that pauses and resumes in one go has asked for it.
  void read_soon() {
    if (!std::exchange(read_pending_, true)) later(&Impl::read);
  }
  void read_when_ready(IoResult::Status wanted) {
    if (!std::exchange(read_pending_, true)) when_ready(wanted, &Impl::read);
  }

  /// True when nothing is left to do but to tell: all is written, or writing has failed.
  bool write_some() {
    while (!out_.empty()) {
      const IoResult result = transport_->write(out_.view());
      switch (result.status) {
        case IoResult::Status::done:
          out_.consume(result.count);
          break;
        case IoResult::Status::want_read:
        case IoResult::Status::want_write:
          when_ready(result.status, &Impl::write);
          return false;
        case IoResult::Status::ended:
        case IoResult::Status::failed:
          write_error_ = reason(result);
          return true;
      }
    }
    return true;
  }

  void write() {
    if (!write_error_ && !write_some()) return;
    if (write_error_) return finish_after_last_words();
    sending_ = false;
    handler_->on_sent();
  }

  /// A peer that resets the connection may have answered first; that answer is still to be had.
  void finish_after_last_words() {
    for (int i = 0; i < last_reads && transport_ && !paused_; ++i) {
      const IoResult result = transport_->read(read_buffer(), max_received);
      if (result.status != IoResult::Status::done) break;
      handler_->on_received({read_buffer(), result.count});
    }
    if (transport_) finish(write_error_);
  }

  void finish(std::error_code error) {
    Handler* const handler = handler_;
    close(false);
    handler->on_closed(error);
  }

  std::unique_ptr<Transport> transport_;  // null: closed
  Handler* handler_ = nullptr;            // null: not started, or closed
  base::ByteQueue out_;
  std::error_code write_error_;
  bool sending_ = false;
  bool paused_ = false;
  bool read_pending_ = false;  // a read is posted, or waits for the socket
  const std::string local_;
  const std::string peer_;
};

Stream::Stream(std::unique_ptr<Transport> transport) : impl_(std::make_shared<Impl>(std::move(transport))) {}
Stream::~Stream() {
  close();
}

void Stream::start(Handler& handler) {
  impl_->start(handler);
}
void Stream::send(base::ByteQueue& bytes) {
  impl_->send(bytes);
}
bool Stream::sending() const noexcept {
  return impl_->sending();
}
std::size_t Stream::unsent() const noexcept {
  return impl_->unsent();
}
void Stream::pause_reading() noexcept {
  impl_->pause_reading();
}
void Stream::resume_reading() {
  impl_->resume_reading();
}
void Stream::close() noexcept {
  impl_->close(false);
}
void Stream::abort() noexcept {
  impl_->close(true);
}
bool Stream::is_open() const noexcept {
  return impl_->is_open();
}
const std::string& Stream::local_endpoint() const noexcept {
  return impl_->local();
}
const std::string& Stream::peer_endpoint() const noexcept {
  return impl_->peer();
}

}  // namespace windlass::net
