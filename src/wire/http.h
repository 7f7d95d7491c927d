// HTTP/1.1, RFC 9112: requests and responses, both directions. Boost.Beast's parser does the reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace windlass::wire::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// A request or a response, with its whole body.
struct Message {
  std::string method;   ///< of a request
  std::string target;   ///< of a request, as it stands: "/index/_bulk?pipeline=x"
  unsigned status = 0;  ///< of a response
  std::string reason;   ///< of a response
  Fields fields;
  bool keep_alive = false;  ///< the connection may be used for another one
  base::ByteQueue body;     ///< decompressed

  /// The value of the first field of that name, in any case; empty without one.
  std::string_view field(std::string_view name) const;
};

struct DecoderLimits {
  std::size_t max_header = std::size_t{64} << 10;
  std::size_t max_body = std::size_t{64} << 20;       ///< as it is sent
  std::size_t max_inflated = std::size_t{128} << 20;  ///< decompressed; below 4 GiB
};

/// Reads messages, however their bytes are cut. A body comes by Content-Length, in chunks, or, of a response, until the
/// connection ends; plain, gzip or deflate (zlib's format). Holds one message and what was fed behind it.
class Decoder {
 public:
  enum class Side { requests, responses };

  Decoder(Side side, DecoderLimits limits);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Takes bytes as they came from the peer, by copy. Memory is bounded if it is fed only after next() said nothing.
  void feed(std::string_view bytes);
  /// The next whole message, valid until the next call of next(); null when more bytes are needed, or when they break
  /// the protocol: see error(). A response of the class 1xx is a message without a body.
  const Message* next();
  /// The peer's sending has ended. The last message, where that end completes it.
  const Message* end();

  /// Whether a message was begun and is not complete.
  bool inside_message() const;
  /// The header of a request was read that waits for "100 Continue" before its body; true once for each.
  bool wants_continue();

  /// None, or errc::protocol_error, or errc::too_large where a limit was passed; after that nothing more is read.
  std::error_code error() const { return error_; }
  const std::string& error_detail() const { return error_detail_; }

 private:
  class Parser;
  template <bool request>
  class ParserOf;

  const Message* complete();
  void fail(std::error_code error, std::string detail);

  const Side side_;
  const DecoderLimits limits_;
  base::ByteQueue input_;
  std::unique_ptr<Parser> parser_;  ///< of the message that is being read
  bool told_continue_ = false;
  Message message_;
  std::error_code error_;
  std::string error_detail_;
};

/// Appends a request: its line, `fields`, Content-Length, and the body.
void encode_request(std::string_view method, std::string_view target, const Fields& fields, std::string_view body,
                    base::ByteQueue& out);
/// Appends a response likewise, with "Connection: close" unless it is to be kept alive. `with_body` false: of a HEAD
/// request, the length is told and the body left out.
void encode_response(unsigned status, const Fields& fields, std::string_view body, bool keep_alive,
                     base::ByteQueue& out, bool with_body = true);

/// "Not Found"; empty where there is none.
std::string_view reason_of(unsigned status);

/// "user:password" as "dXNlcjpwYXNzd29yZA==".
std::string base64(std::string_view bytes);

/// Whether it can stand in a field: a token as a name, without control characters as a value.
bool is_field_name(std::string_view text);
bool is_field_value(std::string_view text);
/// `text` with all but letters, digits and "-._~" as %XX.
std::string percent_encoded(std::string_view text);
/// The other way round; what is no %XX stays as it is. In a query, + is a space.
std::string percent_decoded(std::string_view text, bool in_query);

/// The target of a request: "/index/_bulk?pipeline=x".
struct Target {
  std::string_view path;  ///< a part of it, as it stands
  Fields parameters;      ///< decoded, in their order
};
Target parse_target(std::string_view target);

}  // namespace windlass::wire::http
