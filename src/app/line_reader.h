// From the bytes of a descriptor to its lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <system_error>

#include "input/line_cutter.h"

namespace windlass::app {

/// Reads blocks from a descriptor and cuts them into lines, as input::LineCutter has it.
///
/// The order of use: fill(), then next() until it says no, and so on until fill() says end.
class LineReader {
 public:
  using Line = input::LineCutter::Line;  ///< good until the next fill()
  using Counters = input::LineCutter::Counters;

  struct Options {
    std::size_t block_bytes = input::LineCutter::Options().block_bytes;  ///< asked of the system at a time; at least 1
    std::size_t max_line_bytes = input::LineCutter::Options().max_line_bytes;  ///< at least 4
    /// Where the descriptor stands in its file: the offset of the first line.
    std::uint64_t offset = 0;
    /// Whether reading may have to wait (a pipe, a terminal), and a descriptor that ends the waiting once it can be
    /// read; -1: none.
    bool may_wait = false;
    int wake_descriptor = -1;
  };

  enum class Filled {
    block,        ///< there may be lines
    end,          ///< there are none any more
    interrupted,  ///< by a signal or by the wake descriptor, while it waited; fill() may be called again
    failed,       ///< see error()
  };

  /// The descriptor stays the caller's.
  LineReader(int descriptor, Options options);

  /// Reads once. Only when next() has nothing more.
  Filled fill();
  /// The next line of what was read; false when there is none.
  bool next(Line& line) { return cutter_.next(line); }

  std::error_code error() const noexcept { return error_; }
  const Counters& counters() const noexcept { return cutter_.counters(); }
  /// Bytes of memory held.
  std::size_t capacity() const noexcept { return cutter_.capacity(); }

 private:
  bool wait();

  int descriptor_;
  Options options_;
  input::LineCutter cutter_;
  bool at_end_ = false;
  std::error_code error_;
};

}  // namespace windlass::app
