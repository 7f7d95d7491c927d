#include "wire/lumberjack_decoder.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"

namespace windlass::wire::lumberjack {
namespace {

// As much is inflated at once, and as much memory is kept between frames.
constexpr std::size_t inflate_step = std::size_t{64} << 10;
constexpr std::size_t memory_kept = std::size_t{256} << 10;

// A byte as a log can show it: 'W', or 0x1f.
std::string shown(char byte) {
  return byte > ' ' && byte <= '~' ? fmt::format("'{}'", byte)
                                   : fmt::format("0x{:02x}", static_cast<unsigned char>(byte));
}

}  // namespace

std::optional<std::uint32_t> AckDecoder::next(std::string_view& bytes) {
  if (error_) return std::nullopt;
  const std::size_t taken = std::min(ack_bytes - held_, bytes.size());
  if (taken > 0) std::memcpy(frame_ + held_, bytes.data(), taken);
  held_ += taken;
  bytes.remove_prefix(taken);

  if (held_ >= 1 && frame_[0] != version) {
    error_ = errc::protocol_error;
    error_detail_ = fmt::format("an answer begins with {}; version '2' was expected", shown(frame_[0]));
  } else if (held_ >= 2 && frame_[1] != frame_type::ack) {
    error_ = errc::protocol_error;
    error_detail_ = fmt::format("an answer of type {}; 'A' (ack) was expected", shown(frame_[1]));
  }
  if (error_ || held_ < ack_bytes) return std::nullopt;
  held_ = 0;
  return base::load_be32(frame_ + 2);
}

FrameDecoder::FrameDecoder(DecoderLimits limits) : limits_(limits), inflater_(limits.max_inflated_bytes) {}

void FrameDecoder::feed(std::string_view bytes) {
  release();
  if (!error_ && !bytes.empty()) input_.append(bytes);
}

std::optional<Frame> FrameDecoder::next() {
  release();
  while (!error_) {
    if (!inside_compressed_) {
      auto frame = read(input_);
      if (frame || !inside_compressed_) return frame;
      continue;  // what was read is the header of a C frame
    }
    if (auto frame = read(inflated_)) return frame;
    if (error_) break;
    switch (stream_) {
      case Inflater::Status::full:
        inflate();
        break;
      case Inflater::Status::need_input:
        if (compressed_left_ == 0) {
          fail("a compressed frame ends before its zlib stream does");
        } else if (input_.empty()) {
          return std::nullopt;
        } else {
          inflate();
        }
        break;
      case Inflater::Status::end:
        if (compressed_left_ > 0) {
          stream_ = Inflater::Status::surplus;
        } else if (!inflated_.empty()) {
          fail("the frames inside a compressed frame end inside a frame");
        } else {
          inside_compressed_ = false;
          return Frame{Frame::Kind::compressed_end, 0, {}};
        }
        break;
      case Inflater::Status::surplus:
        fail("bytes follow the zlib stream in a compressed frame");
        break;
      case Inflater::Status::corrupt:
        fail("a compressed frame holds no sound zlib stream");
        break;
      case Inflater::Status::too_large:
        fail(fmt::format("a compressed frame inflates to more than {} bytes", limits_.max_inflated_bytes));
        break;
    }
  }
  return std::nullopt;
}

// Reads one frame's header, and its payload where it has one, from the front of `source`.
std::optional<Frame> FrameDecoder::read(base::ByteQueue& source) {
  const std::string_view bytes = source.view();
  // Said as soon as it is seen, so that a stranger is not waited for.
  if (!bytes.empty() && bytes[0] != version) {
    fail(fmt::format("a frame begins with {}; version '2' was expected", shown(bytes[0])));
    return std::nullopt;
  }
  if (bytes.size() >= 2 && !accepts(bytes[1])) return std::nullopt;
  if (bytes.size() < 6) return std::nullopt;

  const std::uint32_t number = base::load_be32(bytes.data() + 2);
  switch (bytes[1]) {
    case frame_type::window:
      if (number > limits_.max_window_events) {
        fail(fmt::format("a window of {} events; at most {} are accepted", number, limits_.max_window_events));
        return std::nullopt;
      }
      source.consume(window_bytes);
      return Frame{Frame::Kind::window, number, {}};
    case frame_type::compressed:
      if (number > limits_.max_compressed_bytes) {
        fail(fmt::format("a compressed frame of {} bytes; at most {} are accepted", number,
                         limits_.max_compressed_bytes));
        return std::nullopt;
      }
      source.consume(compressed_header_bytes);
      inside_compressed_ = true;
      compressed_left_ = number;
      inflater_.reset();
      stream_ = Inflater::Status::need_input;
      return std::nullopt;
    default:
      break;
  }

  if (bytes.size() < json_header_bytes) return std::nullopt;
  const std::size_t length = base::load_be32(bytes.data() + 6);
  if (length > limits_.max_frame_bytes) {
    fail(fmt::format("an event of {} bytes; at most {} are accepted", length, limits_.max_frame_bytes));
    return std::nullopt;
  }
  if (bytes.size() - json_header_bytes < length) return std::nullopt;
  handed_out_ = json_header_bytes + length;
  return Frame{Frame::Kind::event, number, bytes.substr(json_header_bytes, length)};
}

bool FrameDecoder::accepts(char type) {
  if (type == frame_type::json) return true;
  if (inside_compressed_) {
    fail(fmt::format("a frame of type {} inside a compressed frame; only 'J' (event) may stand there", shown(type)));
    return false;
  }
  if (type == frame_type::window || type == frame_type::compressed) return true;
  if (type == frame_type::key_value) {
    fail("a frame of type 'D' (key and value, of version 1); events must be 'J' (JSON)");
  } else {
    fail(fmt::format("a frame of type {}; 'W' (window), 'J' (event) or 'C' (compressed) was expected", shown(type)));
  }
  return false;
}

void FrameDecoder::inflate() {
  const std::string_view available = input_.view().substr(0, compressed_left_);
  std::string_view rest = available;
  stream_ = inflater_.inflate(rest, inflated_, inflate_step);
  const std::size_t used = available.size() - rest.size();
  input_.consume(used);
  compressed_left_ -= used;
}

// Forgets the event that was handed out last.
void FrameDecoder::release() {
  if (handed_out_ == 0) return;
  base::ByteQueue& source = inside_compressed_ ? inflated_ : input_;
  source.consume(std::exchange(handed_out_, 0));
  if (source.empty()) source.shrink(memory_kept);
}

void FrameDecoder::release_memory() {
  release();
  input_.shrink(input_.size());
  inflated_.shrink(inflated_.size());
  if (!inside_compressed_) inflater_.release();
}

void FrameDecoder::fail(std::string detail) {
  error_ = errc::protocol_error;
  error_detail_ = std::move(detail);
}

}  // namespace windlass::wire::lumberjack
