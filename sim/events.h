// Events that carry a number, so that whoever sees one knows which it is.
#pragma once

#include <cstdint>
#include <string_view>

#include <windlass/event_buffer.h>

namespace windlass::sim {

using EventNumber = std::uint32_t;

/// The least that an event of ours has.
inline constexpr std::size_t least_event_bytes = 4;

/// Appends an event. Without `whole`, only the number is written, and what follows it is left as it is in memory.
void write_event(EventBuffer& to, EventNumber number, std::size_t size, bool whole);

/// The number in the first bytes. Throws Violation where there is none.
EventNumber number_of(std::string_view event);

/// The number of an event that was written whole. Throws Violation unless every byte is as it was written.
EventNumber expect_whole(std::string_view event);

}  // namespace windlass::sim
