#include "input/glob.h"

#include <algorithm>
#include <fnmatch.h>
#include <span>

namespace windlass::input {
namespace {

constexpr std::string_view any_directories = "**";

std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return parts;
}

bool is_literal(const std::string& part) {
  return part.find_first_of("*?[\\") == std::string::npos;
}

bool part_matches(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

std::string joined(const std::string& directory, const std::string& name) {
  if (directory.empty()) return name;
  return directory.back() == '/' ? directory + name : directory + '/' + name;
}

bool match(std::span<const std::string> pattern, std::span<const std::string> path) {
  if (pattern.empty()) return path.empty();
  if (pattern[0] == any_directories) {
    for (std::size_t skipped = 0; skipped <= Glob::max_depth && skipped <= path.size(); ++skipped)
      if (match(pattern.subspan(1), path.subspan(skipped))) return true;
    return false;
  }
  return !path.empty() && part_matches(pattern[0], path[0]) && match(pattern.subspan(1), path.subspan(1));
}

}  // namespace

const std::vector<DirectoryEntry>& Listings::of(const std::string& directory) {
  const auto [at, is_new] = listings_.try_emplace(directory);
  if (!is_new) return at->second;
  if (files_.list(directory.empty() ? "." : directory, at->second)) at->second.clear();
  std::ranges::sort(at->second, {}, &DirectoryEntry::name);
  return at->second;
}

Glob::Glob(std::string_view pattern) : absolute_(pattern.starts_with('/')), parts_(parts_of(pattern)) {
  if (!parts_.empty() && parts_.back() == any_directories) parts_.emplace_back("*");
}

bool Glob::matches(std::string_view path) const {
  return path.starts_with('/') == absolute_ && match(parts_, parts_of(path));
}

void Glob::expand(Listings& listings, const Found& found) const {
  if (!parts_.empty()) expand(listings, absolute_ ? "/" : "", 0, found);
}

void Glob::expand(Listings& listings, const std::string& directory, std::size_t part, const Found& found) const {
  const std::string& pattern = parts_[part];
  const bool last = part + 1 == parts_.size();
  if (pattern == any_directories) return expand_any(listings, directory, part, 0, found);
  if (is_literal(pattern)) {
    // A directory need not be readable for a file in it to be.
    if (last)
      found(joined(directory, pattern), DirectoryEntry::Kind::unknown);
    else
      expand(listings, joined(directory, pattern), part + 1, found);
    return;
  }
  for (const DirectoryEntry& entry : listings.of(directory)) {
    if (!part_matches(pattern, entry.name)) continue;
    if (last) {
      if (entry.kind != DirectoryEntry::Kind::directory) found(joined(directory, entry.name), entry.kind);
    } else if (entry.kind != DirectoryEntry::Kind::file && entry.kind != DirectoryEntry::Kind::other) {
      expand(listings, joined(directory, entry.name), part + 1, found);
    }
  }
}

void Glob::expand_any(Listings& listings, const std::string& directory, std::size_t part, int depth,
                      const Found& found) const {
  expand(listings, directory, part + 1, found);
  if (depth == max_depth) return;
  for (const DirectoryEntry& entry : listings.of(directory))
    if (entry.kind == DirectoryEntry::Kind::directory)
      expand_any(listings, joined(directory, entry.name), part, depth + 1, found);
}

}  // namespace windlass::input
