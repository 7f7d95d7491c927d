// What receiving sides have in common whose peers send windows one behind another, several of which may be open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "protocol/server_conversation.h"

namespace windlass::protocol {

/// Bytes are decoded as they are polled, so that an unpolled server holds one event and one read, whatever the peer
/// sends. `Decoder` has feed(), error() and error_detail(); a `Window` has `count` and `acked`.
template <typename Decoder, typename Window>
class WindowedServer : public ServerConversation {
 public:
  /// The error is errc::protocol_error.
  std::error_code receive(std::string_view bytes) final {
    if (error_) return error_;
    WINDLASS_ASSERT(hungry_ && !next_);
    decoder_.feed(bytes);
    hungry_ = false;
    next_ = decode();
    return error_;
  }
  std::optional<Event> poll() final { return next_ ? std::exchange(next_, std::nullopt) : decode(); }
  bool wants_input() const final {
    return !error_ && !next_ && hungry_ && has_room() && output_.size() + held_back() < max_unsent;
  }

  base::ByteQueue& output() final { return output_; }

  std::size_t pending() const final { return windows_.size(); }
  std::uint32_t oldest_count() const final { return windows_.empty() ? 0 : windows_.front().count; }
  std::uint32_t oldest_acked() const final { return windows_.empty() ? 0 : windows_.front().acked; }

  std::error_code error() const final { return error_; }
  std::string_view error_detail() const final { return error_detail_; }

 protected:
  /// `max_pending`: windows without a full ack; at the limit the next one is not begun.
  WindowedServer(Decoder decoder, std::size_t max_pending) : decoder_(std::move(decoder)), max_pending_(max_pending) {
    WINDLASS_ASSERT(max_pending > 0);
  }

  /// The next event of what was fed.
  virtual std::optional<Event> decode() = 0;
  /// Whether what comes next may be decoded.
  virtual bool has_room() const = 0;
  /// Bytes that are to follow on output().
  virtual std::size_t held_back() const { return 0; }

  bool may_begin_window() const { return windows_.size() < max_pending_; }
  /// The decoder has nothing: it needs more bytes, or has found an error.
  void starve() {
    hungry_ = true;
    if (decoder_.error()) fail(decoder_.error_detail());
  }
  virtual void fail(std::string detail) {
    error_ = errc::protocol_error;
    error_detail_ = std::move(detail);
  }

  Decoder decoder_;
  std::deque<Window> windows_;  ///< without a full ack
  base::ByteQueue output_;

 private:
  /// Answers that a peer leaves untaken before it is read no further.
  static constexpr std::size_t max_unsent = std::size_t{64} << 10;

  const std::size_t max_pending_;
  bool hungry_ = true;         ///< nothing can be decoded without more bytes
  std::optional<Event> next_;  ///< decoded by receive(), not yet polled
  std::error_code error_;
  std::string error_detail_;
};

}  // namespace windlass::protocol
