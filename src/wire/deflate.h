// Compression in the zlib format (RFC 1950) or the gzip format (RFC 1952).
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace windlass::wire {

enum class ZFormat { zlib, gzip };

/// Compresses one stream after another with one state, which is a few hundred KiB and allocated when the first byte is
/// written. ISA-L does the work where it was found at build time, else zlib; both make what any zlib reads.
///
/// Levels are zlib's, 1 (fast) to 9 (small). ISA-L has three of its own: 1 to 3 use its first, 4 to 6 its second and 7
/// to 9 its third.
class Deflater {
 public:
  /// `level` from 1 to 9; what lies outside is taken as the nearer end.
  explicit Deflater(int level, ZFormat format = ZFormat::zlib);
  ~Deflater();
  Deflater(Deflater&&) noexcept;
  Deflater& operator=(Deflater&&) noexcept;

  /// Compresses `bytes` as the next part of the stream, and appends to `out` whatever is ready. Blocks of 16 KiB and
  /// more are compressed quicker than single bytes.
  void write(std::string_view bytes, base::ByteQueue& out);
  /// Appends the rest of the stream and its checksum. The next write begins a new stream.
  void finish(base::ByteQueue& out);

 private:
  struct State;

  State& state();

  int level_;
  ZFormat format_;
  std::unique_ptr<State> state_;
};

}  // namespace windlass::wire
