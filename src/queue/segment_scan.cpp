#include "queue/segment_scan.h"

#include <algorithm>
#include <optional>

namespace windlass::queue {
namespace {

constexpr std::size_t block_size = std::size_t{64} << 10;

}  // namespace

std::error_code SegmentScan::look(std::uint64_t at, std::uint64_t limit, std::size_t bytes) {
  block_.resize(at >= limit ? 0 : static_cast<std::size_t>(std::min<std::uint64_t>(bytes, limit - at)));
  std::size_t got = 0;
  const std::error_code error = file_->read(at, block_, got);
  block_.resize(got);
  return error;
}

std::error_code SegmentScan::next(std::uint64_t limit, Found& found) {
  if (const auto error = look(offset_, limit, Record::header_size)) return error;
  if (auto record = parse_record_header(block_, number_); record && offset_ + record->size() <= limit) {
    record->offset = offset_;
    offset_ += record->size();
    found = *record;
    return {};
  }
  const bool at_blank = block_.find_first_not_of('\0') == std::string::npos;
  if (at_blank && blank_ == Blank::ends) {
    found = End{};
    return {};
  }
  return search(limit, at_blank, found);
}

/// Goes to the next record, or to the limit. What lies between is unreadable unless it is all zeros.
std::error_code SegmentScan::search(std::uint64_t limit, bool at_blank, Found& found) {
  const std::uint64_t begin = offset_;
  std::uint64_t last_used = begin;  // behind the last byte that is not zero
  std::uint64_t at = begin;
  bool reached_record = false;
  while (!reached_record && at < limit) {
    if (const auto error = look(at, limit, block_size)) return error;
    if (block_.empty()) break;
    const std::size_t used = block_.find_last_not_of('\0') + 1;  // 0 for none
    if (used == 0) {
      at += block_.size();
      continue;
    }
    // A header may reach into the next block, so the last positions are looked at again.
    const bool last = at + block_.size() >= limit || block_.size() < block_size;
    const std::size_t positions = last ? block_.size() : block_.size() - Record::header_size + Record::alignment;
    std::size_t place = 0;
    for (; place < positions; place += Record::alignment) {
      if (at + place == begin) continue;
      const auto record = parse_record_header(std::string_view(block_).substr(place), number_);
      if (record && at + place + record->size() <= limit) {
        reached_record = true;
        break;
      }
    }
    const std::size_t looked_at = std::min(place, block_.size());
    const std::size_t used_before = std::string_view(block_).substr(0, looked_at).find_last_not_of('\0') + 1;
    if (used_before > 0) last_used = at + used_before;
    at += looked_at;
  }
  if (reached_record) {
    offset_ = at;
    found = Unreadable{begin, at - begin};
  } else if (last_used > begin && !(at_blank && blank_ == Blank::ends_unless_record_follows)) {
    offset_ = at;
    found = Unreadable{begin, last_used - begin};
  } else {
    found = End{};
  }
  return {};
}

}  // namespace windlass::queue
