// From blocks of bytes to lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace windlass::input {

/// Cuts blocks into lines, which are views into its one buffer: no copy, no allocation a line. Reads nothing itself:
/// whoever owns the source puts blocks in.
///
/// A line ends with "\n" or "\r\n", which are no part of it; a "\r" anywhere else is. Lines without a single byte are
/// skipped, and counted. Any other byte, NUL included, is kept as it is. A line longer than max_line_bytes is cut there
/// (before, where that would split a UTF-8 character), and the rest of it is discarded, and counted; memory stays at
/// about max_line_bytes + block_bytes.
///
/// The order of use: prepare(), commit(), then next() until it says no, and so on; after finish() the last line needs
/// no end.
class LineCutter {
 public:
  struct Options {
    std::size_t block_bytes = std::size_t{512} << 10;   ///< put in at a time; at least 1
    std::size_t max_line_bytes = std::size_t{1} << 20;  ///< at least 4
  };

  struct Line {
    std::string_view text;     ///< good until the next prepare()
    std::uint64_t offset = 0;  ///< of its first byte
    bool cut = false;          ///< it was longer
  };

  struct Counters {
    std::uint64_t lines = 0;        ///< handed out
    std::uint64_t bytes = 0;        ///< put in
    std::uint64_t cut_lines = 0;    ///< handed out without their ends
    std::uint64_t cut_bytes = 0;    ///< in those ends
    std::uint64_t empty_lines = 0;  ///< skipped

    friend bool operator==(const Counters&, const Counters&) = default;
  };

  /// Between two lines of a source, or in the midst of one that was cut and whose rest is to be discarded.
  struct Place {
    std::uint64_t offset = 0;  ///< the first byte that is not done with
    std::uint64_t line = 0;    ///< where the line begins that this byte belongs to
    bool discarding = false;   ///< up to the end of that line

    friend bool operator==(const Place&, const Place&) = default;
  };

  explicit LineCutter(Options options);

  /// Forgets what it holds and goes on at `place`, of any source. Keeps the memory and the counters.
  void restart(Place place);
  /// What has been handed out or skipped ends here: restart(place()) goes on without a gap and without doubling.
  Place place() const noexcept {
    const bool within = discarding_ && !at_end_;
    return {offset_, within ? cut_line_ : offset_, within};
  }

  /// Room for the bytes of the source from read_offset() on. Only when next() has nothing more.
  std::span<char> prepare();
  std::uint64_t read_offset() const noexcept { return offset_ + (end_ - begin_); }
  /// So many bytes were written there.
  void commit(std::size_t count);
  /// Nothing follows: what is left is the last line.
  void finish() noexcept { at_end_ = true; }

  /// The next line of what was put in; false when there is none.
  bool next(Line& line);
  /// Bytes that are held and belong to no line that was handed out.
  std::size_t pending() const noexcept { return end_ - begin_; }

  const Counters& counters() const noexcept { return counters_; }
  /// Bytes of memory held.
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  void make_room();
  bool take_line(std::size_t length, std::size_t ending, Line& line);
  bool take_cut_line(Line& line);
  void consume(std::size_t count);

  Options options_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;     // of what is not handed out
  std::size_t scanned_ = 0;   // from here on, newlines have not been looked for
  std::size_t end_ = 0;       // of what was put in
  std::uint64_t offset_ = 0;  // of begin_, in the source
  std::uint64_t cut_line_ = 0;
  bool discarding_ = false;  // up to the next newline
  bool at_end_ = false;
  Counters counters_;
};

}  // namespace windlass::input
