#include "queue/recovery.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <optional>

#include <windlass/error.h>

#include "queue/segment_scan.h"

namespace windlass::queue {
namespace {

constexpr std::uint64_t most_position_bytes = Position::fixed_size + std::uint64_t{16} * Position::max_ranges;

/// Goes through the segments and keeps account of which numbers of events turn up.
class Recoverer {
 public:
  Recoverer(Storage& storage, Recovery& recovery) : storage_(storage), found_(recovery) {}

  std::error_code run() {
    std::vector<std::string> names;
    if (const auto error = storage_.list(names)) return error;
    std::vector<std::uint64_t> numbers;
    for (const std::string& name : names) {
      std::string_view plain = name;
      const bool kept = plain.ends_with(damaged_suffix);
      if (kept) plain.remove_suffix(damaged_suffix.size());
      const auto number = segment_number(plain);
      if (kept) found_.kept_bytes += size_of(name);
      if (name == spare_name) read_spare();
      if (!number) continue;
      if (*number < std::numeric_limits<std::uint64_t>::max())
        found_.next_number = std::max(found_.next_number, *number + 1);
      if (!kept) numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    if (const auto error = read_position(names)) return error;
    found_.is_new &= numbers.empty();
    read_ends(numbers);
    for (const std::uint64_t number : numbers)
      if (const auto error = read_segment(number)) return error;
    const Sequence known = found_.position_slot >= 0 ? found_.position.durable : 0;
    if (known_) miss(known, {});
    found_.next = std::max({expected_, found_.position.next, found_.position.durable, found_.position.acked.ceiling()});
    std::erase_if(found_.segments, [](const SegmentState& segment) { return segment.first == segment.end; });
    return {};
  }

 private:
  std::uint64_t size_of(const std::string& name) {
    std::unique_ptr<File> file;
    std::uint64_t size = 0;
    if (storage_.open(name, Storage::Open::to_read, file) || file->size(size)) return 0;
    return size;
  }

  /// What is left in it was written under its last number and lower ones: those must not be used for it again.
  void read_spare() {
    const std::string name(spare_name);
    std::string head;
    SegmentHeader header;
    if (read_file(storage_, name, SegmentHeader::size, head) || parse_segment_header(head, header)) return;
    found_.spare_bytes = size_of(name);
    found_.next_number = std::max(found_.next_number, header.number + 1);
  }

  std::error_code read_position(const std::vector<std::string>& names) {
    for (int slot = 0; slot < 2; ++slot) {
      const std::string name(position_names[slot]);
      if (!std::binary_search(names.begin(), names.end(), name)) continue;
      found_.is_new = false;
      std::string content;
      Position position;
      std::error_code error = read_file(storage_, name, most_position_bytes, content);
      // Made, and nothing written to it.
      if (!error && content.find_first_not_of('\0') == std::string::npos) continue;
      if (!error) error = parse_position(content, position);
      if (error == errc::unknown_format) return error;
      if (error) {
        found_.damage.push_back({Damage::Kind::unreadable_position, name, 0, content.size(), 0, 0, true});
        found_.set_aside.push_back(name);
      } else if (found_.position_slot < 0 || position.generation > found_.position.generation) {
        found_.position = std::move(position);
        found_.position_slot = slot;
      }
    }
    if (found_.position_slot >= 0) {
      expected_ = found_.position.acked.floor();
      known_ = true;
    } else if (!found_.is_new && found_.damage.empty()) {
      found_.damage.push_back({Damage::Kind::unreadable_position, std::string(position_names[0]), 0, 0, 0, 0, true});
    }
    return {};
  }

  /// What a segment has at or beyond the first number of a later one was left out when that one was begun: it was found
  /// behind a blank.
  void read_ends(const std::vector<std::uint64_t>& numbers) {
    Sequence end = std::numeric_limits<Sequence>::max();
    for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
      ends_[*number] = end;
      std::string head;
      SegmentHeader header;
      if (!read_file(storage_, segment_name(*number), SegmentHeader::size, head) &&
          !parse_segment_header(head, header) && header.number == *number)
        end = std::min(end, header.first);
    }
  }

  std::error_code read_segment(std::uint64_t number) {
    SegmentState segment;
    segment.number = number;
    segment.name = segment_name(number);
    std::unique_ptr<File> file;
    std::string head(SegmentHeader::size, '\0');
    std::size_t got = 0;
    std::error_code error = storage_.open(segment.name, Storage::Open::to_read, file);
    if (!error) error = file->size(segment.size);
    if (!error) error = file->read(0, head, got);
    if (error) {
      set_aside(segment, 0);
      return {};
    }
    head.resize(got);
    SegmentHeader header;
    error = parse_segment_header(head, header);
    if (error == errc::unknown_format) return error;
    const bool has_header = !error;
    if (has_header && header.number != number) {
      set_aside(segment, segment.size);
      return {};
    }
    segment.first = known_ ? expected_ : 0;
    if (has_header) {
      if (!known_) expected_ = header.first;
      known_ = true;
      if (header.first > expected_) miss(header.first, {});
      segment.first = header.first;
    } else if (head.find_first_not_of('\0') != std::string::npos) {
      found_.damage.push_back({Damage::Kind::unreadable_bytes, segment.name, 0, head.size(), 0, 0, true});
      segment.damaged = true;
    }
    const bool any = read_records(*file, segment, has_header, has_header && header.reused);
    segment.end = std::max(segment.first, expected_);
    if (!any && !segment.damaged) {
      found_.empty.push_back(segment.name);
    } else {
      found_.segments.push_back(std::move(segment));
      if (found_.segments.back().first == found_.segments.back().end && found_.segments.back().damaged)
        found_.set_aside.push_back(found_.segments.back().name);
    }
    return {};
  }

  /// Whether there was any record of events.
  bool read_records(File& file, SegmentState& segment, bool has_header, bool is_reused) {
    SegmentScan scan(file, segment.number);
    segment.used = SegmentHeader::size;
    bool any = false;
    for (;;) {
      SegmentScan::Found found;
      if (is_reused) scan.ends_at_blank(found_.position_slot >= 0 && expected_ >= found_.position.durable);
      if (scan.next(segment.size, found)) {
        damaged(segment, scan.offset(), segment.size - std::min(segment.size, scan.offset()));
        return any;
      }
      if (const auto* bytes = std::get_if<SegmentScan::Unreadable>(&found)) {
        damaged(segment, bytes->offset, bytes->bytes);
        segment.used = scan.offset();
        continue;
      }
      const auto* record = std::get_if<Record>(&found);
      if (record == nullptr || record->end() > ends_[segment.number]) return any;
      segment.used = scan.offset();
      if (!known_) {
        expected_ = record->first;
        known_ = true;
      }
      if (!any && !has_header) segment.first = std::min(record->first, expected_);
      if (record->first > expected_) miss(record->first, segment.name);
      if (record->end_of_segment) return any;
      any = true;
      // Acknowledged long ago, or a copy of what was there before: the reader passes over it as well.
      if (record->end() > expected_) expected_ = record->end();
    }
  }

  void damaged(SegmentState& segment, std::uint64_t offset, std::uint64_t bytes) {
    // How many events it costs turns out where the next record, or the next segment, begins.
    const bool was_durable = found_.position_slot < 0 || expected_ < found_.position.durable;
    segment.damaged |= was_durable;
    found_.damage.push_back({Damage::Kind::unreadable_bytes, segment.name, offset, bytes, 0, 0, was_durable});
  }

  /// No record has the numbers from expected_ up to `end`.
  void miss(Sequence end, const std::string& file) {
    const Sequence durable = found_.position_slot >= 0 ? found_.position.durable : std::numeric_limits<Sequence>::max();
    Sequence at = found_.position.acked.next_missing(expected_);
    while (at < end) {
      const Sequence until = found_.position.acked.end_of_missing(at, at < durable ? std::min(end, durable) : end);
      found_.damage.push_back({Damage::Kind::missing_events, file, 0, 0, at, until - at, at < durable});
      at = found_.position.acked.next_missing(until);
    }
    if (end > expected_) {
      found_.position.acked.add(expected_, end, [](Sequence, Sequence) {});
      expected_ = end;
    }
  }

  void set_aside(const SegmentState& segment, std::uint64_t bytes) {
    found_.damage.push_back({Damage::Kind::unreadable_segment, segment.name, 0, bytes, 0, 0, true});
    found_.set_aside.push_back(segment.name);
  }

  Storage& storage_;
  Recovery& found_;
  std::map<std::uint64_t, Sequence> ends_;  ///< of segments, by number
  Sequence expected_ = 0;                   ///< of the next record
  bool known_ = false;                      ///< whether expected_ says anything
};

}  // namespace

std::error_code read_file(Storage& storage, const std::string& name, std::uint64_t most, std::string& content) {
  std::unique_ptr<File> file;
  std::uint64_t size = 0;
  if (const auto error = storage.open(name, Storage::Open::to_read, file)) return error;
  if (const auto error = file->size(size)) return error;
  content.resize(static_cast<std::size_t>(std::min(size, most)));
  std::size_t got = 0;
  const std::error_code error = file->read(0, content, got);
  content.resize(got);
  return error;
}

std::error_code recover(Storage& storage, Recovery& recovery) {
  recovery = Recovery();
  return Recoverer(storage, recovery).run();
}

std::string to_string(const Damage& damage) {
  const std::string events = damage.events == 0 ? std::string()
                                                : fmt::format("events {} to {} ({})", damage.first,
                                                              damage.first + damage.events - 1, damage.events);
  const std::string unfinished = damage.was_durable ? "" : " (written, but not yet confirmed as durable)";
  const std::string& file = damage.file;
  switch (damage.kind) {
    case Damage::Kind::unreadable_bytes:
      return fmt::format("{}: {} bytes from byte {} on are no record{}", file, damage.bytes, damage.offset, unfinished);
    case Damage::Kind::unreadable_events:
      return fmt::format("{}: {} in the record at byte {} are not what was written{}", file, events, damage.offset,
                         unfinished);
    case Damage::Kind::missing_events:
      return fmt::format("{}{} are in no record{}", file.empty() ? "" : file + ": ", events, unfinished);
    case Damage::Kind::unreadable_segment:
      return fmt::format("{}: cannot be read, or is not the segment that its name says", file);
    case Damage::Kind::unreadable_position:
      return fmt::format("{}: cannot be read; more of what was acknowledged may be sent again", file);
  }
  return {};
}

}  // namespace windlass::queue
