#include "queue/position.h"

#include <algorithm>

#include <windlass/error.h>

#include "base/bytes.h"
#include "queue/crc32c.h"

namespace windlass::queue {
namespace {

constexpr std::string_view magic = "WLQPOSN1";  // the last character is the version

void append_be64(std::string& to, std::uint64_t value) {
  char bytes[8];
  base::store_be64(bytes, value);
  to.append(bytes, sizeof bytes);
}

}  // namespace

void Acked::add(Sequence first, Sequence end, const std::function<void(Sequence, Sequence)>& added) {
  first = std::max(first, floor_);
  if (first >= end) return;
  // The first range that touches [first, end), and on from there.
  auto range = ranges_.upper_bound(first);
  if (range != ranges_.begin() && std::prev(range)->second >= first) --range;
  Sequence begin = first;
  Sequence missing = first;
  while (range != ranges_.end() && range->first <= end) {
    if (range->first > missing) added(missing, range->first);
    begin = std::min(begin, range->first);
    missing = std::max(missing, range->second);
    range = ranges_.erase(range);
  }
  if (missing < end) added(missing, end);
  end = std::max(end, missing);
  if (begin <= floor_) {
    floor_ = end;
  } else {
    ranges_.emplace(begin, end);
  }
}

Sequence Acked::next_missing(Sequence from) const {
  from = std::max(from, floor_);
  const auto after = ranges_.upper_bound(from);
  if (after == ranges_.begin()) return from;
  return std::max(from, std::prev(after)->second);
}

Sequence Acked::end_of_missing(Sequence from, Sequence limit) const {
  const auto after = ranges_.upper_bound(from);
  return after == ranges_.end() ? limit : std::min(limit, after->first);
}

void append_position(std::string& to, const Position& position) {
  const std::size_t begin = to.size();
  to += magic;
  append_be64(to, position.generation);
  append_be64(to, position.acked.floor());
  append_be64(to, position.durable);
  append_be64(to, position.next);
  char numbers[8];
  base::store_be32(numbers, static_cast<std::uint32_t>(position.acked.ranges().size()));
  to.append(numbers, 4);
  const std::size_t checksum_at = to.size();
  to.append(4, '\0');
  for (const auto& [first, end] : position.acked.ranges()) {
    append_be64(to, first);
    append_be64(to, end);
  }
  const std::string_view all = std::string_view(to).substr(begin);
  const std::size_t fixed = checksum_at - begin;
  base::store_be32(to.data() + checksum_at, crc32c(all.substr(fixed + 4), crc32c(all.substr(0, fixed))));
}

std::error_code parse_position(std::string_view bytes, Position& position) {
  if (bytes.size() < Position::fixed_size) return errc::damaged;
  const std::uint64_t count = base::load_be32(bytes.data() + 40);
  const std::size_t size = Position::fixed_size + 16 * count;
  if (count > Position::max_ranges || bytes.size() < size) return errc::damaged;
  bytes = bytes.substr(0, size);
  if (base::load_be32(bytes.data() + 44) != crc32c(bytes.substr(48), crc32c(bytes.substr(0, 44)))) return errc::damaged;
  if (bytes.substr(0, 7) != magic.substr(0, 7)) return errc::damaged;
  if (bytes[7] != magic[7]) return errc::unknown_format;
  position.generation = base::load_be64(bytes.data() + 8);
  position.acked = Acked(base::load_be64(bytes.data() + 16));
  position.durable = base::load_be64(bytes.data() + 24);
  position.next = base::load_be64(bytes.data() + 32);
  for (const char* range = bytes.data() + 48; range < bytes.data() + size; range += 16)
    position.acked.add(base::load_be64(range), base::load_be64(range + 8), [](Sequence, Sequence) {});
  return {};
}

}  // namespace windlass::queue
