// Redis, the receiving side: one conversation over one connection. No I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "protocol/windowed_server.h"
#include "wire/resp_decoder.h"

namespace windlass::protocol {

enum class RedisCommand { none, push, publish, add, answered, quit };
struct RedisWindow {
  std::uint32_t count;
  RedisCommand command;
  std::uint32_t acked = 0;
  base::ByteQueue later = {};  ///< replies to the commands that came after it
};

/// Takes what is pushed, published or added, as Redis would. A window is one command: RPUSH or LPUSH with its values,
/// PUBLISH with its message, XADD with the value of its one field. Redis has no word for a part of it, so a window is
/// answered once, when it is complete, and in the order of commands.
///
/// Besides it answers PING, AUTH and SELECT (whatever they say), CLIENT, COMMAND, INFO (with a version, which Filebeat
/// asks for) and QUIT; anything else is an unknown command, to be answered by an error, after which the connection goes
/// on. Commands are arrays of strings; those that a person types are not taken. After an error the peer is told, as by
/// Redis, once what came before is acknowledged.
class RedisServer final : public WindowedServer<wire::resp::Decoder, RedisWindow> {
 public:
  struct Limits {
    wire::resp::DecoderLimits decoder = {.max_line_bytes = 64, .max_bulk_bytes = std::size_t{10} << 20, .max_depth = 1};
    /// Windows without a full ack; at the limit the next one is not begun.
    std::size_t max_pending_windows = 1024;
  };

  RedisServer() : RedisServer(Limits()) {}
  explicit RedisServer(Limits limits);

  void ack(std::uint32_t count) override;

  bool finished() const override { return quit_ && windows_.empty(); }

 private:
  std::optional<Event> decode() override;
  bool has_room() const override { return !quit_ && (first_event_ > 0 || may_begin_window()); }
  std::size_t held_back() const override { return windows_.empty() ? 0 : windows_.back().later.size(); }
  std::optional<Event> on_argument(const wire::resp::Token& token);
  void begin_command(std::string_view name);
  void end_command();
  base::ByteQueue& replies();
  void fail(std::string detail) override;

  RedisCommand command_ = RedisCommand::none;
  std::size_t arguments_ = 0;    // of the command that is being received, its name included;
  std::size_t seen_ = 0;         // and those of them that were decoded
  std::size_t first_event_ = 0;  // which of them is the first event; 0: none
  std::uint32_t events_ = 0;     // of it
  base::ByteQueue answer_;       // to it, where it brings no events
  bool window_ended_ = false;    // and is to be told
  bool quit_ = false;
  std::uint64_t taken_ = 0;  // events; what a list is long
};

}  // namespace windlass::protocol
