// YAML text as a tree that knows where each of its parts stands.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_error.h"

namespace windlass::app {

struct YamlPair;

/// A part of a YAML document. Aliases and merge keys ("<<") are resolved.
struct YamlNode {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  Place place;
  std::string text;             ///< of a scalar
  std::vector<YamlNode> items;  ///< of a list
  std::vector<YamlPair> pairs;  ///< of a map, in their order; no key occurs twice
};

struct YamlPair {
  std::string key;
  YamlNode value;
};

/// What a configuration may be at most. Hostile YAML is refused, not suffered.
inline constexpr std::size_t max_yaml_bytes = std::size_t{1} << 20;
inline constexpr std::size_t max_yaml_depth = 32;
/// With each alias counted as what it stands for.
inline constexpr std::size_t max_yaml_nodes = 20'000;

/// Reads one document; an empty text is a null node. `source` names it in places. Throws ConfigError on what is no
/// YAML, on keys that occur twice or are no scalars, on a second document, and beyond the limits above.
YamlNode parse_yaml(std::string_view text, const std::string& source);

}  // namespace windlass::app
