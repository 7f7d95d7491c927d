// RESP version 2, the protocol of Redis: what its types look like, and from values to bytes.
//
// Every value begins with its type and ends with "\r\n".
//   +text            a simple string
//   -text            an error; its first word says which one
//   :number          an integer, 64 bits, signed
//   $length          so many bytes follow, and another "\r\n": a bulk string; -1: none ("null")
//   *count           so many values follow: an array; -1: none
// A command is an array of bulk strings. Each command gets one reply, in order.
// https://redis.io/docs/latest/develop/reference/protocol-spec/
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <windlass/batch.h>

#include "base/bytes.h"

namespace windlass::wire::resp {

namespace type {
inline constexpr char simple = '+';
inline constexpr char error = '-';
inline constexpr char integer = ':';
inline constexpr char bulk = '$';
inline constexpr char array = '*';
}  // namespace type

/// Appends a command.
void encode_command(std::initializer_list<std::string_view> arguments, base::ByteQueue& out);

/// The beginning of a command, made once for many: its arguments but for those that change.
class CommandHead {
 public:
  explicit CommandHead(std::initializer_list<std::string_view> arguments);

  /// Appends one command with all events of the batch, which is not empty, as its last arguments.
  void encode_once(const Batch& batch, base::ByteQueue& out) const;
  /// Appends a command for each event of the batch, with the event as its last argument.
  void encode_each(const Batch& batch, base::ByteQueue& out) const;

 private:
  std::size_t count_;
  std::string arguments_;  // encoded
};

/// Appends replies. A simple string and an error are one line: what is no printable character in `text` becomes a
/// space.
void encode_simple(std::string_view text, base::ByteQueue& out);
void encode_error(std::string_view text, base::ByteQueue& out);
void encode_integer(std::int64_t number, base::ByteQueue& out);
void encode_bulk(std::string_view bytes, base::ByteQueue& out);
void encode_null(base::ByteQueue& out);
/// The header of an array: so many values are to follow.
void encode_array(std::size_t count, base::ByteQueue& out);

}  // namespace windlass::wire::resp
