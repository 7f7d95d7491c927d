// Lumberjack version 2: from bytes to frames, however the bytes were cut on their way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "base/bytes.h"
#include "wire/inflate.h"
#include "wire/lumberjack.h"

namespace windlass::wire::lumberjack {

/// Reads A frames: what a server sends.
class AckDecoder {
 public:
  /// The sequence of the next ack, read from the front of `bytes`, from which it removes what it used. Nothing when all
  /// bytes are used (the beginning of a frame is remembered) or when they break the protocol: see error().
  std::optional<std::uint32_t> next(std::string_view& bytes);

  /// None, or errc::protocol_error, after which next() says nothing more.
  std::error_code error() const { return error_; }
  /// What was expected and what was found.
  const std::string& error_detail() const { return error_detail_; }

 private:
  char frame_[ack_bytes];
  std::size_t held_ = 0;
  std::error_code error_;
  std::string error_detail_;
};

/// What a FrameDecoder takes before it calls it an error.
struct DecoderLimits {
  std::uint32_t max_window_events = 65'536;
  std::size_t max_frame_bytes = std::size_t{10} << 20;       ///< payload of one event
  std::size_t max_compressed_bytes = std::size_t{64} << 20;  ///< length of a C frame
  std::size_t max_inflated_bytes = std::size_t{64} << 20;    ///< what one C frame inflates to; below 4 GiB
};

/// A piece of what a client sends.
struct Frame {
  enum class Kind {
    window,          ///< `number` events follow
    event,           ///< its sequence is `number`
    compressed_end,  ///< a C frame was read to its end, and its checksum is right
  };
  Kind kind;
  std::uint32_t number = 0;
  std::string_view payload;  ///< of an event; valid until the next call of feed() or next()
};

/// Reads W and J frames, the latter also out of C frames: what a client sends. Decodes only as much as it is asked for,
/// and holds at most one event, one piece of inflated frames (64 KiB) and what it was last fed. Which frames may follow
/// which is not its concern, but for what may stand in a C frame: J frames alone.
class FrameDecoder {
 public:
  explicit FrameDecoder(DecoderLimits limits);

  /// Takes bytes as they came from the peer, by copy. Memory is bounded if it is fed only after next() said nothing.
  void feed(std::string_view bytes);
  /// The next frame. Nothing when more bytes are needed, or when they break the protocol: see error().
  std::optional<Frame> next();

  /// None, or errc::protocol_error, after which next() says nothing more.
  std::error_code error() const { return error_; }
  /// What was expected and what was found.
  const std::string& error_detail() const { return error_detail_; }
  /// Whether the bytes so far end inside a C frame.
  bool inside_compressed() const { return inside_compressed_; }
  /// Bytes that were fed, or inflated, and not yet handed out.
  std::size_t buffered() const { return input_.size() + inflated_.size() - handed_out_; }
  /// Bytes of memory held for them, and for the inflater.
  std::size_t memory() const { return input_.capacity() + inflated_.capacity() + inflater_.memory(); }
  /// Gives back all memory that is not needed to go on, which is nearly all of it between two frames. For a connection
  /// that rests: of thousands of them, each would hold some 200 KiB.
  void release_memory();

 private:
  std::optional<Frame> read(base::ByteQueue& source);
  bool accepts(char type);
  void inflate();
  void release();
  void fail(std::string detail);

  DecoderLimits limits_;
  base::ByteQueue input_;            // as fed
  std::size_t handed_out_ = 0;       // bytes at the front of what is read from that the last event still points into
  bool inside_compressed_ = false;   // read from inflated_, not from input_
  std::size_t compressed_left_ = 0;  // bytes of the C frame that are still to come out of input_
  base::ByteQueue inflated_;         // what the C frame has given so far
  Inflater inflater_;
  Inflater::Status stream_ = Inflater::Status::need_input;  // what the last call of it said
  std::error_code error_;
  std::string error_detail_;
};

}  // namespace windlass::wire::lumberjack
