// How far a file is delivered, whatever the order in which its pieces are.
#pragma once

#include <cstdint>
#include <deque>

namespace windlass::input {

/// Pieces of one file, in their order, of which some are delivered. The position is the end of the last piece before
/// which nothing is undelivered, and moves in no other way.
class AckTracker {
 public:
  /// Everything before `position` is delivered.
  explicit AckTracker(std::uint64_t position = 0) : position_(position) {}

  /// The number of the piece that follows, for settle(). Numbers wrap around.
  std::uint32_t next() const { return first_ + static_cast<std::uint32_t>(pieces_.size()); }
  /// That piece, up to `end`.
  void add(std::uint64_t end) { pieces_.push_back({end, false}); }
  /// It is delivered. A number that is not known changes nothing.
  void settle(std::uint32_t number) {
    const std::uint32_t index = number - first_;
    if (index >= pieces_.size()) return;
    pieces_[index].delivered = true;
    while (!pieces_.empty() && pieces_.front().delivered) {
      position_ = pieces_.front().end;
      pieces_.pop_front();
      ++first_;
    }
  }

  std::uint64_t position() const { return position_; }
  bool idle() const { return pieces_.empty(); }

 private:
  struct Piece {
    std::uint64_t end;
    bool delivered;
  };

  std::uint64_t position_;
  std::uint32_t first_ = 0;  // number of pieces_.front()
  std::deque<Piece> pieces_;
};

}  // namespace windlass::input
