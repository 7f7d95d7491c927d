// The value of one setting, wherever it was given, read as what the setting wants.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config_error.h"
#include "app/yaml_tree.h"
#include "base/time.h"

namespace windlass::app {

/// Each function reads the value as one kind, after ${VARIABLE}, ${VARIABLE:default} and ${VARIABLE:?message} have been
/// replaced from the environment ("$${" stands for "${"), and throws a ConfigError that names place and key where it is
/// something else.
class SettingValue {
 public:
  /// `key` is the whole path. The node must outlive this.
  SettingValue(std::string key, const YamlNode& node) : key_(std::move(key)), node_(&node) {}

  const std::string& key() const { return key_; }
  const Place& place() const { return node_->place; }

  bool boolean() const;
  std::int64_t integer(std::int64_t least, std::int64_t most) const;
  base::Duration duration(base::Duration least, base::Duration most) const;
  /// Between 0 and 1.
  double share() const;
  std::uint64_t size(std::uint64_t least, std::uint64_t most) const;
  std::string text() const;
  /// The index of the word among `words`; any case.
  std::size_t choice(std::initializer_list<std::string_view> words) const;
  /// A single text is a list of one.
  std::vector<std::string> texts() const;
  /// As texts(), and each of them may be several, with commas between; none may be empty.
  std::vector<std::string> words() const;
  /// The path of a file that can be read, or the text of a PEM file; an empty text stands for none.
  std::string pem() const;
  std::vector<std::string> pems() const;

  [[noreturn]] void fail(const std::string& problem) const;

 private:
  [[noreturn]] void expected(std::string_view what) const;
  std::string scalar(const YamlNode& node, std::string_view what) const;
  std::string expand(const YamlNode& node) const;
  std::string checked_pem(std::string text) const;

  std::string key_;
  const YamlNode* node_;
};

}  // namespace windlass::app
