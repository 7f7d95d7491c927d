#include "input/change_watch.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <vector>

namespace windlass::input {
namespace {

constexpr std::uint32_t events =
    IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

/// Magic numbers of file systems that others may write to, from statfs(2).
constexpr std::array<std::uint32_t, 9> of_networks{0x6969,     0x517b,     0xfe534d42, 0xff534d42, 0x65735546,
                                                   0x01021997, 0x00c36400, 0x5346414f, 0x47504653};

bool is_remote(const std::string& directory) {
  struct statfs status {};
  return ::statfs(directory.c_str(), &status) == 0 &&
         std::ranges::find(of_networks, static_cast<std::uint32_t>(status.f_type)) != of_networks.end();
}

}  // namespace

ChangeWatch::ChangeWatch() : descriptor_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {}

ChangeWatch::~ChangeWatch() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ChangeWatch::watch(const std::set<std::string>& directories) {
  if (descriptor_ < 0) return;
  std::vector<int> unwanted;
  for (const auto& [watch, path] : by_watch_)
    if (!directories.contains(path)) unwanted.push_back(watch);
  for (const int watch : unwanted) {
    inotify_rm_watch(descriptor_, watch);
    by_path_.erase(by_watch_[watch]);
    by_watch_.erase(watch);
  }
  for (const std::string& directory : directories) {
    if (watches(directory) || is_remote(directory)) continue;
    const int watch = inotify_add_watch(descriptor_, directory.c_str(), events);
    // One directory by two names has one watch, which tells of the first; by the other it has to be looked at.
    if (watch < 0 || by_watch_.contains(watch)) continue;
    by_path_[directory] = watch;
    by_watch_[watch] = directory;
  }
}

void ChangeWatch::take(const std::function<void(const std::string& path, Change change)>& tell) {
  alignas(inotify_event) std::array<char, 64 << 10> buffer;
  for (;;) {
    const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
    if (got <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      const auto* const event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += sizeof *event + event->len;
      if ((event->mask & IN_IGNORED) != 0) {
        if (const auto found = by_watch_.find(event->wd); found != by_watch_.end()) {
          by_path_.erase(found->second);
          by_watch_.erase(found);
        }
        continue;
      }
      if ((event->mask & (IN_Q_OVERFLOW | IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF)) != 0 || event->len == 0) {
        tell({}, Change::unknown);
        continue;
      }
      const auto directory = by_watch_.find(event->wd);
      if (directory == by_watch_.end()) continue;
      const std::string& parent = directory->second;
      // As Glob calls it: the working directory has no name.
      const std::string path = (parent == "." ? "" : parent == "/" ? parent : parent + '/') + event->name;
      if ((event->mask & IN_MODIFY) != 0)
        tell(path, Change::modified);
      else if ((event->mask & (IN_CREATE | IN_MOVED_TO)) != 0)
        tell(path, Change::appeared);
      else
        tell(path, Change::disappeared);
    }
  }
}

}  // namespace windlass::input
