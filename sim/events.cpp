#include "events.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "violation.h"

namespace windlass::sim {
namespace {

char byte_at(EventNumber number, std::size_t place, std::size_t size) {
  return static_cast<char>(number * 31 + place / 3 + size);
}

}  // namespace

void write_event(EventBuffer& to, EventNumber number, std::size_t size, bool whole) {
  char* event = to.prepare(size);
  base::store_be32(event, number);
  if (whole)
    for (std::size_t place = least_event_bytes; place < size; ++place) event[place] = byte_at(number, place, size);
  to.commit(size);
}

EventNumber number_of(std::string_view event) {
  if (event.size() < least_event_bytes) throw Violation("an event stays as it is", "one lost its beginning");
  return base::load_be32(event.data());
}

EventNumber expect_whole(std::string_view event) {
  const EventNumber number = number_of(event);
  for (std::size_t place = least_event_bytes; place < event.size(); ++place)
    if (event[place] != byte_at(number, place, event.size()))
      throw Violation("an event stays as it is", fmt::format("event #{} differs at byte {}", number, place));
  return number;
}

}  // namespace windlass::sim
