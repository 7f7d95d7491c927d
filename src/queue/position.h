// What has been acknowledged, in memory and on disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include "queue/format.h"
#include "queue/storage.h"

namespace windlass::queue {

/// A set of numbers of events, as ranges: everything below floor(), and ranges above it. Its size is that of the gaps,
/// so it is bounded by how many events are in the hands of the balancer.
class Acked {
 public:
  explicit Acked(Sequence floor = 0) : floor_(floor) {}

  /// Adds [first, end). Calls `added` for each part of it that was not there.
  void add(Sequence first, Sequence end, const std::function<void(Sequence first, Sequence end)>& added);
  /// The first number from `from` on that is not in the set.
  Sequence next_missing(Sequence from) const;
  /// Where the part that begins at `from`, which is missing, ends: at the next number in the set, or at `limit`.
  Sequence end_of_missing(Sequence from, Sequence limit) const;

  Sequence floor() const { return floor_; }
  /// Beyond the highest number in the set.
  Sequence ceiling() const { return ranges_.empty() ? floor_ : ranges_.rbegin()->second; }
  /// Above the floor: first, end.
  const std::map<Sequence, Sequence>& ranges() const { return ranges_; }

 private:
  Sequence floor_;
  std::map<Sequence, Sequence> ranges_;
};

/// The position, as it is stored.
struct Position {
  static constexpr std::size_t fixed_size = 48;
  static constexpr std::uint32_t max_ranges = 1u << 24;

  std::uint64_t generation = 0;  ///< grows with each one that is written
  Acked acked;
  Sequence durable = 0;  ///< every event below was synced
  Sequence next = 0;     ///< the number of the next event to come
};

void append_position(std::string& to, const Position& position);
/// errc::damaged, or errc::unknown_format for a sound one of a later version.
std::error_code parse_position(std::string_view bytes, Position& position);

}  // namespace windlass::queue
