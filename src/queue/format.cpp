#include "queue/format.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <vector>

#include <windlass/error.h>

#include "base/bytes.h"
#include "queue/crc32c.h"

namespace windlass::queue {
namespace {

using base::load_be32;
using base::load_be64;

constexpr std::string_view segment_magic = "WLQSEGM1";  // the last character is the version
constexpr std::string_view record_magic = "WLQR";
constexpr std::string_view suffix = ".seg";
constexpr std::size_t checksummed = 28;  // of either header; its checksum follows

enum SegmentFlags : std::uint32_t { flag_reused = 1 };
enum RecordFlags : std::uint32_t { flag_guaranteed = 1, flag_end = 2 };

void append_be32(std::string& to, std::uint32_t value) {
  char bytes[4];
  base::store_be32(bytes, value);
  to.append(bytes, sizeof bytes);
}

void append_be64(std::string& to, std::uint64_t value) {
  char bytes[8];
  base::store_be64(bytes, value);
  to.append(bytes, sizeof bytes);
}

std::uint32_t header_checksum(std::string_view bytes, std::uint64_t number) {
  char seed[8];
  base::store_be64(seed, number);
  return crc32c(bytes.substr(0, checksummed), crc32c({seed, sizeof seed}));
}

}  // namespace

std::string segment_name(std::uint64_t number) {
  return fmt::format("{:010}{}", number, suffix);
}

std::optional<std::uint64_t> segment_number(std::string_view name) {
  if (!name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || segment_name(number).size() != name.size() + 4)
    return std::nullopt;
  return number;
}

void append_segment_header(std::string& to, const SegmentHeader& header) {
  const std::size_t begin = to.size();
  to += segment_magic;
  append_be64(to, header.number);
  append_be64(to, header.first);
  append_be32(to, header.reused ? flag_reused : 0u);
  append_be32(to, crc32c(std::string_view(to).substr(begin)));
}

std::error_code parse_segment_header(std::string_view bytes, SegmentHeader& header) {
  if (bytes.size() < SegmentHeader::size) return errc::damaged;
  if (load_be32(bytes.data() + checksummed) != crc32c(bytes.substr(0, checksummed))) return errc::damaged;
  constexpr std::size_t name = segment_magic.size() - 1;
  if (!bytes.starts_with(segment_magic.substr(0, name))) return errc::damaged;
  if (bytes[name] != segment_magic[name]) return errc::unknown_format;
  header.number = load_be64(bytes.data() + 8);
  header.first = load_be64(bytes.data() + 16);
  header.reused = (load_be32(bytes.data() + 24) & flag_reused) != 0;
  return {};
}

void append_record_header(std::string& to, const Record& record, std::uint64_t number) {
  const std::size_t begin = to.size();
  to += record_magic;
  append_be32(to, (record.guaranteed ? flag_guaranteed : 0u) | (record.end_of_segment ? flag_end : 0u));
  append_be64(to, record.first);
  append_be32(to, record.events);
  append_be32(to, record.payload);
  append_be32(to, record.checksum);
  append_be32(to, header_checksum(std::string_view(to).substr(begin), number));
}

std::optional<Record> parse_record_header(std::string_view bytes, std::uint64_t number) {
  if (bytes.size() < Record::header_size || !bytes.starts_with(record_magic)) return std::nullopt;
  if (load_be32(bytes.data() + checksummed) != header_checksum(bytes, number)) return std::nullopt;
  Record record;
  const std::uint32_t flags = load_be32(bytes.data() + 4);
  record.guaranteed = (flags & flag_guaranteed) != 0;
  record.end_of_segment = (flags & flag_end) != 0;
  record.first = load_be64(bytes.data() + 8);
  record.events = load_be32(bytes.data() + 16);
  record.payload = load_be32(bytes.data() + 20);
  record.checksum = load_be32(bytes.data() + 24);
  if (record.end_of_segment != (record.events == 0)) return std::nullopt;
  if (record.payload < std::uint64_t{4} * record.events || record.end() < record.first) return std::nullopt;
  return record;
}

Record append_record_front(std::string& to, const EventBuffer& events, Sequence first, bool guaranteed,
                           std::uint64_t number) {
  const std::size_t begin = to.size();
  const std::size_t table = 4 * events.size();
  to.resize(begin + Record::header_size + table);
  char* entry = to.data() + begin + Record::header_size;
  std::uint32_t end = 0;
  for (std::size_t index = 0; index < events.size(); ++index, entry += 4)
    base::store_be32(entry, end += static_cast<std::uint32_t>(events[index].size()));

  Record record;
  record.first = first;
  record.events = static_cast<std::uint32_t>(events.size());
  record.payload = static_cast<std::uint32_t>(Record::payload_of(events));
  record.guaranteed = guaranteed;
  record.checksum =
      crc32c({events[0].data(), events.bytes()}, crc32c(std::string_view(to).substr(begin + Record::header_size)));
  std::string header;
  append_record_header(header, record, number);
  std::copy(header.begin(), header.end(), to.begin() + static_cast<std::ptrdiff_t>(begin));
  return record;
}

std::string_view padding(std::uint64_t payload) {
  constexpr std::string_view zeros{"\0\0\0\0\0\0\0", Record::alignment - 1};
  return zeros.substr(0, Record::size_of(payload) - Record::header_size - payload);
}

std::error_code read_events(File& file, const Record& record, EventBuffer& events) {
  events.clear();
  const std::size_t table_size = std::size_t{4} * record.events;
  const std::size_t bytes = record.payload - table_size;
  // Whoever made the header up could ask for memory that the file does not fill.
  std::uint64_t length = 0;
  if (const auto error = file.size(length)) return error;
  const std::uint64_t begin = record.offset + Record::header_size;
  if (begin > length || record.payload > length - begin) return errc::damaged;
  std::string table(table_size, '\0');
  events.reserve(bytes, record.events);
  char* data = events.prepare(bytes);
  std::size_t got_table = 0;
  std::size_t got_bytes = 0;
  if (const auto error = file.read(begin, table, got_table)) return error;
  if (const auto error = file.read(begin + table_size, {data, bytes}, got_bytes)) return error;
  if (got_table != table_size || got_bytes != bytes) return errc::damaged;
  if (crc32c({data, bytes}, crc32c(table)) != record.checksum) return errc::damaged;
  std::uint32_t before = 0;
  for (std::uint32_t index = 0; index < record.events; ++index) {
    const std::uint32_t end = load_be32(table.data() + std::size_t{4} * index);
    const bool sound = end >= before && end <= bytes && (index + 1 < record.events || end == bytes);
    if (!sound) {
      events.clear();
      return errc::damaged;
    }
    events.commit(end - before);
    before = end;
  }
  return {};
}

}  // namespace windlass::queue
