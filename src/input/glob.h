// Patterns of paths, as Filebeat has them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "input/file_system.h"

namespace windlass::input {

/// Directories that were listed, so that patterns that share one list it once; sorted by name. An unreadable one is
/// empty.
class Listings {
 public:
  explicit Listings(FileSystem& files) : files_(files) {}
  const std::vector<DirectoryEntry>& of(const std::string& directory);
  FileSystem& files() { return files_; }
  const std::unordered_map<std::string, std::vector<DirectoryEntry>>& all() const { return listings_; }

 private:
  FileSystem& files_;
  std::unordered_map<std::string, std::vector<DirectoryEntry>> listings_;
};

/// A path whose parts may have *, ? and [abc], which also match a leading dot but never a slash. A part that is "**"
/// stands for any number of directories from none to max_depth; as the last part, for all files in those. Symbolic
/// links to directories are followed, but not by "**".
class Glob {
 public:
  static constexpr int max_depth = 8;

  explicit Glob(std::string_view pattern);

  bool matches(std::string_view path) const;
  /// Calls back with each path that matches, and with what is known of its kind: nothing for a last part without
  /// wildcards, which need not even exist. A path may come twice, where "**" allows for two readings.
  using Found = std::function<void(const std::string& path, DirectoryEntry::Kind kind)>;
  void expand(Listings& listings, const Found& found) const;

 private:
  void expand(Listings& listings, const std::string& directory, std::size_t part, const Found& found) const;
  void expand_any(Listings& listings, const std::string& directory, std::size_t part, int depth,
                  const Found& found) const;

  bool absolute_ = false;
  std::vector<std::string> parts_;
};

}  // namespace windlass::input
