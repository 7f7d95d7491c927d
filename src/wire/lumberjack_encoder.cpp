#include "wire/lumberjack_encoder.h"

#include <cstring>
#include <limits>
#include <string_view>

#include "base/assert.h"
#include "wire/lumberjack.h"

namespace windlass::wire::lumberjack {
namespace {

// What is handed to the compressor at once: small enough for the second-level cache, large enough that calls do not
// count.
constexpr std::size_t block_bytes = std::size_t{64} << 10;

char* put_header(char* to, char type, std::uint32_t number) {
  to[0] = version;
  to[1] = type;
  base::store_be32(to + 2, number);
  return to + 6;
}

char* put_json_header(char* to, std::uint32_t sequence, std::size_t length) {
  to = put_header(to, frame_type::json, sequence);
  base::store_be32(to, static_cast<std::uint32_t>(length));
  return to + 4;
}

char* put_bytes(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace

WindowEncoder::WindowEncoder(int compression_level) {
  if (compression_level > 0) deflater_.emplace(compression_level);
}

void WindowEncoder::encode(const Batch& batch, base::ByteQueue& out) {
  WINDLASS_ASSERT(!batch.empty() && batch.size() <= std::numeric_limits<std::uint32_t>::max());
  if (deflater_) return encode_compressed(batch, out);

  const std::size_t total = window_bytes + batch.size() * json_header_bytes + batch.bytes();
  char* const begin = out.prepare(total);
  char* to = put_header(begin, frame_type::window, static_cast<std::uint32_t>(batch.size()));
  std::uint32_t sequence = 0;
  for (const std::string_view event : batch) to = put_bytes(put_json_header(to, ++sequence, event.size()), event);
  WINDLASS_ASSERT(to == begin + total);
  out.commit(total);
}

void WindowEncoder::encode_compressed(const Batch& batch, base::ByteQueue& out) {
  const std::size_t start = out.size();
  constexpr std::size_t headers = window_bytes + compressed_header_bytes;
  put_header(out.prepare(headers), frame_type::window, static_cast<std::uint32_t>(batch.size()));
  out.commit(headers);

  const auto flush = [&] {
    deflater_->write(scratch_.view(), out);
    scratch_.clear();
  };
  std::uint32_t sequence = 0;
  for (const std::string_view event : batch) {
    const std::size_t frame_bytes = json_header_bytes + event.size();
    if (scratch_.size() + frame_bytes > block_bytes) flush();
    const bool fits = frame_bytes <= block_bytes;
    char* const begin = scratch_.prepare(block_bytes - scratch_.size());
    char* to = put_json_header(begin, ++sequence, event.size());
    if (fits) to = put_bytes(to, event);
    scratch_.commit(static_cast<std::size_t>(to - begin));
    if (!fits) {
      flush();
      deflater_->write(event, out);
    }
  }
  flush();
  deflater_->finish(out);

  // The output may have moved while it grew, so the header is found again by its distance from the front.
  const std::size_t length = out.size() - start - headers;
  WINDLASS_ASSERT(length <= std::numeric_limits<std::uint32_t>::max());
  put_header(out.data() + start + window_bytes, frame_type::compressed, static_cast<std::uint32_t>(length));
}

void encode_ack(std::uint32_t sequence, base::ByteQueue& out) {
  put_header(out.prepare(ack_bytes), frame_type::ack, sequence);
  out.commit(ack_bytes);
}

}  // namespace windlass::wire::lumberjack
