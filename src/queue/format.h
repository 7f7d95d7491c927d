// The bytes of the queue on disk. docs/queue-format.md describes them, with a walk through a real segment. Numbers are
// big-endian; every checksum is a CRC-32C.
//
// A segment is a file NUMBER.seg: a header, records one after another, zeros. A record holds the events of one publish.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <windlass/event_buffer.h>

#include "queue/storage.h"

namespace windlass::queue {

/// The number of an event in the order of its acceptance; never used again within a directory.
using Sequence = std::uint64_t;

struct SegmentHeader {
  static constexpr std::size_t size = 32;

  std::uint64_t number = 0;  ///< the same as in the file's name
  Sequence first = 0;        ///< of the first event in it
  /// The file was a segment before: behind the last record are zeros up to the end of a page, or at least the place of
  /// a header, and then what is left of that segment.
  bool reused = false;
};

struct Record {
  static constexpr std::size_t header_size = 32;
  static constexpr std::size_t alignment = 8;
  /// The most that a record can hold besides its header.
  static constexpr std::uint64_t max_payload = 0xffff'ffff;

  std::uint64_t offset = 0;  ///< in the file; not stored
  Sequence first = 0;
  std::uint32_t events = 0;
  std::uint32_t payload = 0;  ///< bytes: a table of where the events end, then the events
  std::uint32_t checksum = 0;
  bool guaranteed = false;
  /// Nothing follows; `first` is the number that the next segment begins with. It has no events.
  bool end_of_segment = false;

  Sequence end() const { return first + events; }
  /// Of the record with header and padding.
  std::uint64_t size() const { return size_of(payload); }
  static std::uint64_t size_of(std::uint64_t payload) {
    return (header_size + payload + alignment - 1) / alignment * alignment;
  }
  static std::uint64_t payload_of(const EventBuffer& events) {
    return std::uint64_t{4} * events.size() + events.bytes();
  }
};

/// "0000000012.seg"
std::string segment_name(std::uint64_t number);
/// The number in such a name.
std::optional<std::uint64_t> segment_number(std::string_view name);
/// What is added to the name of a file that is kept because something in it is damaged.
inline constexpr std::string_view damaged_suffix = ".damaged";

void append_segment_header(std::string& to, const SegmentHeader& header);
/// No error, errc::damaged, or errc::unknown_format for a sound header of a later version.
std::error_code parse_segment_header(std::string_view bytes, SegmentHeader& header);

/// The header of a record in segment `number`; its checksum covers that number too, so that nothing that lies in
/// another file, or within an event, passes for a record of this one.
void append_record_header(std::string& to, const Record& record, std::uint64_t number);
/// None when these bytes are no header of a record in this segment.
std::optional<Record> parse_record_header(std::string_view bytes, std::uint64_t number);

/// Header and table of a record with these events, whose bytes and padding() zeros are to follow.
Record append_record_front(std::string& to, const EventBuffer& events, Sequence first, bool guaranteed,
                           std::uint64_t number);
std::string_view padding(std::uint64_t payload);

/// Reads the events of a record, straight into the buffer, which is emptied before. errc::damaged where they are not
/// what was written, or an error of the file.
std::error_code read_events(File& file, const Record& record, EventBuffer& events);

}  // namespace windlass::queue
