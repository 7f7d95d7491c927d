// What following files needs from above: events made of lines, and somebody who takes them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <system_error>

#include <windlass/event_buffer.h>

#include "input/line_cutter.h"

namespace windlass::input {

/// Makes events of lines.
class LineEncoder {
 public:
  virtual ~LineEncoder() = default;
  /// The lines that follow are of this file, and are read now.
  virtual void begin(const std::string& path, std::uint64_t identity) = 0;
  /// Adds the line's event; false when the line is refused.
  virtual bool encode(const LineCutter::Line& line, EventBuffer& to) = 0;
};

/// Takes events.
class Publisher {
 public:
  virtual ~Publisher() = default;
  /// Takes the events, and will say once what became of them, by `token`; waits while there is no room. An error:
  /// refused, and the events are left with the caller. errc::too_large: they would never find room together;
  /// anything else: nothing is taken any more.
  virtual std::error_code publish(EventBuffer&& events, std::uint64_t token) = 0;
};

/// Something that people should know.
struct Note {
  enum class Level { debug, info, warning, error } level = Level::info;
  std::string text;
};
using Notes = std::function<void(const Note&)>;

}  // namespace windlass::input
