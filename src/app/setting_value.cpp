#include "app/setting_value.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/units.h"

namespace windlass::app {
namespace {

constexpr std::size_t longest_expansion = 64 << 10;

std::string found(const YamlNode& node, const std::string& scalar) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return in_quotes(scalar);
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::map:
      return "a section";
  }
  return {};
}

}  // namespace

void SettingValue::fail(const std::string& problem) const {
  throw ConfigError(place(), key_, problem);
}

void SettingValue::expected(std::string_view what) const {
  const std::string value = node_->kind == YamlNode::Kind::scalar ? expand(*node_) : std::string();
  fail(fmt::format("expected {}, got {}", what, found(*node_, value)));
}

std::string SettingValue::scalar(const YamlNode& node, std::string_view what) const {
  if (node.kind != YamlNode::Kind::scalar)
    SettingValue(key_, node).fail(fmt::format("expected {}, got {}", what, found(node, {})));
  return expand(node);
}

std::string SettingValue::expand(const YamlNode& node) const {
  const SettingValue here(key_, node);
  std::string result;
  std::string_view rest = node.text;
  for (;;) {
    const auto dollar = rest.find("${");
    if (dollar == std::string_view::npos) break;
    if (dollar > 0 && rest[dollar - 1] == '$') {
      result.append(rest.substr(0, dollar - 1)).append("${");
      rest.remove_prefix(dollar + 2);
      continue;
    }
    const auto end = rest.find('}', dollar);
    if (end == std::string_view::npos) here.fail("expected a } after ${; write $${ for a ${ that stands for itself");
    result.append(rest.substr(0, dollar));
    const std::string_view inside = rest.substr(dollar + 2, end - dollar - 2);
    const auto colon = inside.find(':');
    const std::string name(inside.substr(0, colon));
    if (name.empty()) here.fail("expected the name of an environment variable in ${}");
    if (const char* value = std::getenv(name.c_str())) {
      result += value;
    } else if (colon == std::string_view::npos) {
      here.fail(fmt::format("the environment variable {} is not set; ${{{}:something}} would give it a default",
                            in_quotes(name), printable(name, 60)));
    } else if (inside.substr(colon + 1).starts_with('?')) {
      here.fail(fmt::format("the environment variable {} is not set: {}", in_quotes(name),
                            printable(inside.substr(colon + 2), 200)));
    } else {
      result.append(inside.substr(colon + 1));
    }
    if (result.size() > longest_expansion)
      here.fail(fmt::format("expected at most {} bytes after environment variables are replaced", longest_expansion));
    rest.remove_prefix(end + 1);
  }
  return result.append(rest);
}

bool SettingValue::boolean() const {
  constexpr std::string_view what = "true or false";
  const auto value = parse_boolean(scalar(*node_, what));
  if (!value) expected(what);
  return *value;
}

std::int64_t SettingValue::integer(std::int64_t least, std::int64_t most) const {
  const std::string what = fmt::format("a whole number from {} to {}", least, most);
  const auto value = parse_integer(scalar(*node_, what));
  if (!value || *value < least || *value > most) expected(what);
  return *value;
}

base::Duration SettingValue::duration(base::Duration least, base::Duration most) const {
  constexpr std::string_view what = "a duration such as 30s";
  const auto value = parse_duration(scalar(*node_, what));
  if (!value) expected(what);
  if (*value < least || *value > most)
    expected(fmt::format("a duration from {} to {}", format_duration(least), format_duration(most)));
  return *value;
}

double SettingValue::share() const {
  constexpr std::string_view what = "a share such as 0.01 or 1%";
  const auto value = parse_share(scalar(*node_, what));
  if (!value) expected(what);
  return *value;
}

std::uint64_t SettingValue::size(std::uint64_t least, std::uint64_t most) const {
  constexpr std::string_view what = "a size such as 10MiB";
  const auto value = parse_size(scalar(*node_, what));
  if (!value) expected(what);
  if (*value < least || *value > most)
    expected(fmt::format("a size from {} to {}", format_size(least), format_size(most)));
  return *value;
}

std::string SettingValue::text() const {
  return scalar(*node_, "a text");
}

std::size_t SettingValue::choice(std::initializer_list<std::string_view> words) const {
  const std::string what = fmt::format("one of {}", fmt::join(words, ", "));
  const std::string value = to_lower(trimmed(scalar(*node_, what)));
  const auto match = std::find(words.begin(), words.end(), value);
  if (match == words.end()) expected(what);
  return static_cast<std::size_t>(match - words.begin());
}

std::vector<std::string> SettingValue::texts() const {
  if (node_->kind != YamlNode::Kind::list) return {scalar(*node_, "a text or a list of texts")};
  std::vector<std::string> result;
  for (const YamlNode& item : node_->items) result.push_back(scalar(item, "a text in the list"));
  return result;
}

std::vector<std::string> SettingValue::words() const {
  std::vector<std::string> result;
  for (const std::string& text : texts()) {
    std::string_view rest = text;
    for (;;) {
      const auto comma = rest.find(',');
      const std::string_view word = trimmed(rest.substr(0, comma));
      if (word.empty()) fail(fmt::format("expected a word before and after each comma, got {}", in_quotes(text)));
      result.emplace_back(word);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return result;
}

std::string SettingValue::pem() const {
  return checked_pem(scalar(*node_, "the path of a PEM file"));
}

std::vector<std::string> SettingValue::pems() const {
  std::vector<std::string> result = texts();
  for (std::string& text : result) text = checked_pem(std::move(text));
  return result;
}

std::string SettingValue::checked_pem(std::string text) const {
  if (text.empty() || trimmed(text).starts_with("-----BEGIN ")) return text;
  struct stat status {};
  if (text.find('\0') != std::string::npos)
    fail(fmt::format("expected the path of a PEM file, got {}", in_quotes(text)));
  if (::stat(text.c_str(), &status) != 0 || ::access(text.c_str(), R_OK) != 0)
    fail(fmt::format("cannot read {}: {}", in_quotes(text), std::strerror(errno)));
  if (S_ISDIR(status.st_mode)) fail(fmt::format("expected a PEM file, but {} is a directory", in_quotes(text)));
  return text;
}

}  // namespace windlass::app
