// RESP version 2: from bytes to values, however the bytes were cut on their way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/bytes.h"
#include "wire/resp.h"

namespace windlass::wire::resp {

/// What a Decoder takes before it calls it an error.
struct DecoderLimits {
  std::size_t max_line_bytes = 4096;                    ///< of a simple string or an error
  std::size_t max_bulk_bytes = std::size_t{1} << 20;    ///< of a bulk string
  std::size_t max_elements = std::size_t{1024} * 1024;  ///< of an array: as many as Redis takes
  std::size_t max_depth = 8;                            ///< arrays in arrays
};

/// A piece of a value: all of it, or the beginning of an array, whose elements follow one by one.
struct Token {
  enum class Kind { simple, error, integer, bulk, array, null };
  Kind kind;
  std::int64_t number = 0;  ///< of an integer; of an array, how many values follow
  std::string_view text;    ///< of a simple string, an error, a bulk string; valid until the next feed() or next()
  bool last = true;         ///< the value at the top ends with this token
  friend bool operator==(const Token&, const Token&) = default;
};

/// Reads values: replies, or commands. Decodes only as much as it is asked for, and holds at most one token and what it
/// was last fed, however large an array is.
class Decoder {
 public:
  Decoder() : Decoder(DecoderLimits()) {}
  explicit Decoder(DecoderLimits limits) : limits_(limits) {}

  /// Takes bytes as they came from the peer, by copy. Memory is bounded if it is fed only after next() said nothing.
  void feed(std::string_view bytes);
  /// The next token. Nothing when more bytes are needed, or when they break the protocol: see error().
  std::optional<Token> next();

  /// None, or errc::protocol_error, after which next() says nothing more.
  std::error_code error() const { return error_; }
  /// What was expected and what was found.
  const std::string& error_detail() const { return error_detail_; }
  /// Whether the bytes so far end inside a value.
  bool inside_value() const { return !open_.empty() || input_.size() > handed_out_; }
  /// Bytes that were fed and not yet handed out.
  std::size_t buffered() const { return input_.size() - handed_out_; }
  /// Bytes of memory held for them.
  std::size_t memory() const { return input_.capacity(); }

 private:
  std::optional<std::string_view> take_line();
  std::optional<std::int64_t> number_in(std::string_view line);
  std::optional<Token> bulk(std::int64_t length, std::size_t header);
  std::optional<Token> array(std::int64_t count, std::size_t header);
  Token finish(Token token, std::size_t bytes);
  void release();
  void fail(std::string detail);

  DecoderLimits limits_;
  base::ByteQueue input_;
  std::size_t handed_out_ = 0;     // bytes at its front that the last token is made of
  std::size_t searched_ = 0;       // bytes at its front in which the end of the line is not
  std::vector<std::size_t> open_;  // of each array that is not complete: values that are still to come
  std::error_code error_;
  std::string error_detail_;
};

}  // namespace windlass::wire::resp
