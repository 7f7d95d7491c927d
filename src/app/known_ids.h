// Ids of events that a sink has taken.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace windlass::app {

/// Remembers between a million and two million of the ids that came last.
class KnownIds {
 public:
  /// False when it is known already.
  bool add(std::string_view id) {
    std::string text(id);
    if (older_.contains(text)) return false;
    if (!newer_.insert(std::move(text)).second) return false;
    if (newer_.size() >= generation) {
      older_ = std::move(newer_);
      newer_.clear();
    }
    return true;
  }

 private:
  static constexpr std::size_t generation = 1'000'000;

  std::unordered_set<std::string> older_;
  std::unordered_set<std::string> newer_;
};

}  // namespace windlass::app
