// Bytes as the inside of a JSON string (RFC 8259).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace windlass::app {

/// Escaping makes at most this many bytes of one.
inline constexpr std::size_t max_json_growth = 6;
/// escape_json may write this many bytes beyond what it returns.
inline constexpr std::size_t json_slack = 16;

/// Writes `text` so that it can stand between quotes, and returns the place behind it: at most
/// json_size(text) bytes, and nonsense in up to json_slack bytes more.
///
/// Quote, backslash and the control characters below U+0020 are escaped, NUL as \u0000. What is not UTF-8 becomes
/// U+FFFD, one for each maximal part of it that could have begun a character (Unicode 15, section 3.9, "U+FFFD
/// Substitution of Maximal Subparts", as the WHATWG decoder has it too). All else stays as it is.
char* escape_json(std::string_view text, char* to);

/// The exact number of bytes that escape_json writes.
std::size_t json_size(std::string_view text);

/// escape_json as a string, for what is short or done once.
std::string escaped_json(std::string_view text);

}  // namespace windlass::app
