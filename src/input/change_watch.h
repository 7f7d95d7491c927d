// inotify: hears of changes in directories.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <unordered_map>

namespace windlass::input {

/// Watches directories. Where that is not possible (the limit of watches is reached, or the directory is on a network
/// file system, whose other writers nobody tells of), it says so, and files have to be looked at.
class ChangeWatch {
 public:
  ChangeWatch();
  ~ChangeWatch();
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;

  /// Readable when there is something to take(); -1: nothing can be watched at all.
  int descriptor() const { return descriptor_; }

  /// These are to be watched, and no others.
  void watch(const std::set<std::string>& directories);
  bool watches(const std::string& directory) const { return by_path_.contains(directory); }

  enum class Change { modified, appeared, disappeared, unknown };
  /// What happened since. `unknown`: too much to tell, or to directories: look at everything; the path is empty.
  void take(const std::function<void(const std::string& path, Change change)>& tell);

 private:
  int descriptor_ = -1;
  std::unordered_map<std::string, int> by_path_;
  std::unordered_map<int, std::string> by_watch_;
};

}  // namespace windlass::input
