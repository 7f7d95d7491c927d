// What is wrong with a configuration, and where.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace windlass::app {

/// Where a part of the configuration was given.
struct Place {
  std::string source;  ///< "windlass.yml", "-E output.logstash.timeout", "--to lumberjack://h1:5044", "command line"
  int line = 0;        ///< from 1; 0 where there are no lines
  int column = 0;      ///< from 1; 0 where it is not known

  /// "windlass.yml:7:12", "-E output.logstash.timeout".
  std::string text() const;
};

/// The text reads "PLACE: KEY: what was expected and what was found", such as
/// `windlass.yml:7:12: output.logstash.timeout: expected a duration such as 30s, got "soon"`.
class ConfigError : public std::runtime_error {
 public:
  /// `key` is empty where no single key is to blame, or the place names it already.
  ConfigError(Place place, std::string key, const std::string& problem);

  const Place& place() const noexcept { return place_; }
  /// The whole path of the key, "output.logstash.timeout"; may be empty.
  const std::string& key() const noexcept { return key_; }

 private:
  Place place_;
  std::string key_;
};

/// A text of the user's for use in a message: in quotes, without control characters, and cut when it is long.
std::string in_quotes(std::string_view text);

/// Of the text, not more than `limit` bytes, without control characters; what is cut is shown as "...".
std::string printable(std::string_view text, std::size_t limit);

}  // namespace windlass::app
