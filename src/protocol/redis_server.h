// Redis, the receiving side: one conversation over one connection. No I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "base/bytes.h"
#include "protocol/server_conversation.h"
#include "wire/resp_decoder.h"

namespace windlass::protocol {

/// Takes what is pushed, published or added, as Redis would. A window is one command: RPUSH or LPUSH with its values,
/// PUBLISH with its message, XADD with the value of its one field. Redis has no word for a part of it, so a window is
/// answered once, when it is complete, and in the order of commands.
///
/// Besides it answers PING, AUTH and SELECT (whatever they say), CLIENT, COMMAND, INFO (with a version, which Filebeat
/// asks for) and QUIT; anything else is an unknown command, to be answered by an error, after which the connection goes
/// on. Commands are arrays of strings; those that a person types are not taken.
///
/// Bytes are decoded as they are polled, so that an unpolled server holds one event and one read, whatever the peer
/// sends.
class RedisServer final : public ServerConversation {
 public:
  struct Limits {
    wire::resp::DecoderLimits decoder = {.max_line_bytes = 64, .max_bulk_bytes = std::size_t{10} << 20, .max_depth = 1};
    /// Windows without a full ack; at the limit the next one is not begun.
    std::size_t max_pending_windows = 1024;
  };

  RedisServer() : RedisServer(Limits()) {}
  explicit RedisServer(Limits limits);

  /// The error is errc::protocol_error, and the peer is told, as by Redis, once what came before is acknowledged.
  std::error_code receive(std::string_view bytes) override;
  std::optional<Event> poll() override;
  bool wants_input() const override;

  void ack(std::uint32_t count) override;

  base::ByteQueue& output() override { return output_; }
  bool finished() const override { return quit_ && windows_.empty(); }

  std::size_t pending() const override { return windows_.size(); }
  std::uint32_t oldest_count() const override { return windows_.empty() ? 0 : windows_.front().count; }
  std::uint32_t oldest_acked() const override { return windows_.empty() ? 0 : windows_.front().acked; }

  std::error_code error() const override { return error_; }
  std::string_view error_detail() const override { return error_detail_; }

 private:
  enum class Command { none, push, publish, add, answered, quit };
  struct Window {
    std::uint32_t count;
    Command command;
    std::uint32_t acked = 0;
    base::ByteQueue later = {};  // replies to the commands that came after it
  };

  std::optional<Event> decode();
  std::optional<Event> on_argument(const wire::resp::Token& token);
  void begin_command(std::string_view name);
  void end_command();
  base::ByteQueue& replies();
  void fail(std::string detail);

  Limits limits_;
  wire::resp::Decoder decoder_;
  Command command_ = Command::none;
  std::size_t arguments_ = 0;    // of the command that is being received, its name included;
  std::size_t seen_ = 0;         // and those of them that were decoded
  std::size_t first_event_ = 0;  // which of them is the first event; 0: none
  std::uint32_t events_ = 0;     // of it
  base::ByteQueue answer_;       // to it, where it brings no events
  bool window_ended_ = false;    // and is to be told
  bool quit_ = false;
  std::deque<Window> windows_;
  std::uint64_t taken_ = 0;  // events; what a list is long
  bool hungry_ = true;       // nothing can be decoded without more bytes
  std::optional<Event> next_;
  base::ByteQueue output_;
  std::error_code error_;
  std::string error_detail_;
};

}  // namespace windlass::protocol
