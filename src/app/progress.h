// What long work looks like while it goes on.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <windlass/statistics.h>

namespace windlass::app {

/// A line with rate, queue and totals; then one for each endpoint with its share of what was acknowledged in the time
/// between, its rate, window and state. Endpoints whose lines would not fit are summed up in one.
///
/// `seconds` lie between the two snapshots. No line is wider than `width` columns, and there are at most `height`.
std::vector<std::string> progress_lines(const Statistics& before, const Statistics& after, double seconds,
                                        std::size_t width, std::size_t height);

/// The same in a single line of any width, for logs.
std::string progress_summary(const Statistics& before, const Statistics& after, double seconds);

/// Draws lines over the ones before, on a terminal. Not thread-safe.
class ProgressDisplay {
 public:
  /// `descriptor` stays the caller's, usually standard error's.
  explicit ProgressDisplay(int descriptor) : descriptor_(descriptor) {}

  /// Whether the descriptor is a terminal that can be drawn on; if not, the others do nothing.
  static bool is_possible(int descriptor);

  /// Columns and rows of the terminal; 80 and 24 where they are not known.
  struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
  };
  Size size() const;

  /// Draws; the terminal scrolls only when there are more lines than before.
  void show(const std::vector<std::string>& lines);
  /// Wipes what was drawn, so that something else can be printed there.
  void clear();

 private:
  void write(const std::string& text) const;

  int descriptor_;
  std::size_t shown_ = 0;
};

}  // namespace windlass::app
