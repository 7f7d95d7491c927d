// What readers of JSON by simdjson share.
#pragma once

#include <simdjson.h>
#include <string_view>

#include "base/bytes.h"

namespace windlass::wire {

inline constexpr std::string_view json_blanks = " \t\r\n";

/// Without the blanks around it.
inline std::string_view trimmed_json(std::string_view text) {
  const auto first = text.find_first_not_of(json_blanks);
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(json_blanks) - first + 1);
}

/// `text` in `to`, with the room behind it that simdjson reads without using it.
inline simdjson::padded_string_view padded(std::string_view text, base::ByteQueue& to) {
  to.clear();
  to.prepare(text.size() + simdjson::SIMDJSON_PADDING);
  to.append(text);
  return simdjson::padded_string_view(to.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING);
}

/// Whether nothing follows what was read.
inline bool at_end(simdjson::ondemand::document& document) {
  return document.current_location().error() != simdjson::SUCCESS;
}

}  // namespace windlass::wire
