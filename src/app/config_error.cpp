#include "app/config_error.h"

#include <fmt/format.h>
#include <utility>

namespace windlass::app {
namespace {

constexpr std::size_t longest_quote = 60;

std::string assemble(const Place& place, const std::string& key, const std::string& problem) {
  const bool place_says_it = place.source == "-E " + key;
  return key.empty() || place_says_it ? fmt::format("{}: {}", place.text(), problem)
                                      : fmt::format("{}: {}: {}", place.text(), key, problem);
}

}  // namespace

std::string Place::text() const {
  if (line == 0) return source;
  return column == 0 ? fmt::format("{}:{}", source, line) : fmt::format("{}:{}:{}", source, line, column);
}

ConfigError::ConfigError(Place place, std::string key, const std::string& problem)
    : std::runtime_error(assemble(place, key, problem)), place_(std::move(place)), key_(std::move(key)) {}

std::string printable(std::string_view text, std::size_t limit) {
  const bool cut = text.size() > limit;
  std::string result(text.substr(0, limit));
  for (char& byte : result)
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = '?';
  if (cut) result += "...";
  return result;
}

std::string in_quotes(std::string_view text) {
  return '"' + printable(text, longest_quote) + '"';
}

}  // namespace windlass::app
