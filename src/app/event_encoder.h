// From lines to events.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <windlass/event_buffer.h>

namespace windlass::app {

/// Makes of each line of one input an event:
///
///   {"@timestamp":"2024-05-06T07:08:09.123Z","message":LINE,"host":{"name":HOST},
///    "log":{"file":{"path":PATH},"offset":OFFSET},"@metadata":{"_id":"IDENTITY-OFFSET"}}
///
/// in one line. The id is the same whenever the same line of the same input is read. What is not UTF-8 in a line
/// becomes U+FFFD (see json_text.h). Not thread-safe.
class EventEncoder {
 public:
  /// `identity` names the input within ids, as 16 hexadecimal digits. The time is that of the call until set_time().
  EventEncoder(std::string_view host, std::string_view path, std::uint64_t identity);

  /// The time of the events that follow, shown in milliseconds. Meant to be called once a block.
  void set_time(std::chrono::system_clock::time_point time);

  /// Encodes the line at the end of `to`. Throws as EventBuffer::prepare does.
  void encode(std::string_view line, std::uint64_t offset, EventBuffer& to) const;

 private:
  std::string before_message_;
  std::string before_offset_;
  std::string before_id_;
};

/// "2024-05-06T07:08:09.123Z". Years outside of 0 to 9999 are shown as those.
std::string format_time(std::chrono::system_clock::time_point time);

}  // namespace windlass::app
