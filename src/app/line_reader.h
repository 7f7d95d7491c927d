// From the bytes of a file to its lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>

namespace windlass::app {

/// Reads blocks and cuts them into lines, which are views into its one buffer: no copy, no allocation a line.
///
/// A line ends with "\n" or "\r\n", which are no part of it; a "\r" anywhere else is. The last line needs no end. Lines
/// without a single byte are skipped, and counted. Any other byte, NUL included, is kept as it is. A line longer than
/// max_line_bytes is cut there (before, where that would split a UTF-8 character), and the rest of it is discarded, and
/// counted; memory stays at about max_line_bytes + block_bytes.
///
/// The order of use: fill(), then next() until it says no, and so on until fill() says end.
class LineReader {
 public:
  struct Options {
    std::size_t block_bytes = std::size_t{512} << 10;   ///< asked of the system at a time; at least 1
    std::size_t max_line_bytes = std::size_t{1} << 20;  ///< at least 4
    /// Where the descriptor stands in its file: the offset of the first line.
    std::uint64_t offset = 0;
    /// Whether reading may have to wait (a pipe, a terminal), and a descriptor that ends the waiting once it can be
    /// read; -1: none.
    bool may_wait = false;
    int wake_descriptor = -1;
  };

  struct Line {
    std::string_view text;     ///< good until the next fill()
    std::uint64_t offset = 0;  ///< of its first byte
    bool cut = false;          ///< it was longer
  };

  struct Counters {
    std::uint64_t lines = 0;        ///< handed out
    std::uint64_t bytes = 0;        ///< read
    std::uint64_t cut_lines = 0;    ///< handed out without their ends
    std::uint64_t cut_bytes = 0;    ///< in those ends
    std::uint64_t empty_lines = 0;  ///< skipped

    friend bool operator==(const Counters&, const Counters&) = default;
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
  bool next(Line& line);

  std::error_code error() const noexcept { return error_; }
  const Counters& counters() const noexcept { return counters_; }
  /// Bytes of memory held.
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  bool wait();
  void make_room();
  bool take_line(std::size_t length, std::size_t ending, Line& line);
  bool take_cut_line(Line& line);
  void consume(std::size_t count);

  int descriptor_;
  Options options_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;    // of what is not handed out
  std::size_t scanned_ = 0;  // from here on, newlines have not been looked for
  std::size_t end_ = 0;      // of what was read
  std::uint64_t offset_;     // of begin_, in the file
  bool discarding_ = false;  // up to the next newline
  bool at_end_ = false;
  std::error_code error_;
  Counters counters_;
};

}  // namespace windlass::app
