// Walks through a segment, whatever state it is in.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <variant>

#include "queue/format.h"
#include "queue/storage.h"

namespace windlass::queue {

/// Finds the records of one segment, in order, by their headers; hops over what they hold. Where there should be a
/// header and is none, it looks for the next one, so that damage costs only what is damaged. Holds a small block of the
/// file at a time.
class SegmentScan {
 public:
  /// From the first record on. The file must outlive this.
  SegmentScan(File& file, std::uint64_t number, std::uint64_t offset = SegmentHeader::size)
      : file_(&file), number_(number), offset_(offset) {}

  /// In a file that was another segment before, zeros in the place of a header are the end of what is known to be
  /// there: when `all_is_found` at once, else when no record follows.
  void ends_at_blank(bool all_is_found) { blank_ = all_is_found ? Blank::ends : Blank::ends_unless_record_follows; }

  /// Bytes that are no record: [offset, offset + bytes).
  struct Unreadable {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };
  struct End {};
  using Found = std::variant<Record, Unreadable, End>;

  /// The next thing up to `limit` bytes from the beginning of the file. Records that end beyond it, and zeros at the
  /// end, are not there. End may become something else when the file and the limit have grown.
  std::error_code next(std::uint64_t limit, Found& found);

  /// Where next() goes on.
  std::uint64_t offset() const { return offset_; }

 private:
  enum class Blank { is_looked_behind, ends_unless_record_follows, ends };

  std::error_code look(std::uint64_t at, std::uint64_t limit, std::size_t bytes);
  std::error_code search(std::uint64_t limit, bool at_blank, Found& found);

  File* file_;
  std::uint64_t number_;
  std::uint64_t offset_;
  Blank blank_ = Blank::is_looked_behind;
  std::string block_;  ///< what look() found
};

}  // namespace windlass::queue
