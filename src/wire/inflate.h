// Decompression of the zlib format (RFC 1950) and of the gzip format (RFC 1952).
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "wire/deflate.h"

namespace windlass::wire {

/// Decompresses a stream in pieces, as its bytes come in and as its output is asked for, and no further than a limit: a
/// small input that would become a huge output is stopped before memory is spent on it. One state, about 100 KiB,
/// serves one stream after another.
class Inflater {
 public:
  /// What came of a call.
  enum class Status {
    need_input,  ///< every input byte is used, the stream goes on
    full,        ///< as much was appended as was asked for; there may be more
    end,         ///< the stream is complete, its checksum is right, every input byte is used
    surplus,     ///< as end, but bytes followed that do not belong to the stream
    corrupt,     ///< no zlib stream, or a damaged one
    too_large,   ///< the stream inflates to more than the limit
  };

  /// `max_bytes`: the most that one stream may inflate to; below 4 GiB.
  explicit Inflater(std::size_t max_bytes, ZFormat format = ZFormat::zlib);
  ~Inflater();
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;

  /// Begins a new stream.
  void reset();
  /// Gives the state's memory back; only reset() may follow.
  void release();
  /// Appends at most `most` (at least 1) bytes to `out`, and removes from the front of `in` what it used. After end and
  /// what follows it above, only reset() may follow.
  Status inflate(std::string_view& in, base::ByteQueue& out, std::size_t most);

  /// Bytes of memory held for the state.
  std::size_t memory() const;
  /// Bytes that the stream has given so far.
  std::size_t inflated() const { return inflated_; }

 private:
  struct State;

  std::size_t max_bytes_;
  ZFormat format_;
  std::size_t inflated_ = 0;
  std::unique_ptr<State> state_;
};

}  // namespace windlass::wire
