// Follows files: the driver of FileFollower, with the system's files, clocks and notifications.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "input/change_watch.h"
#include "input/file_follower.h"
#include "input/registry.h"

namespace windlass::input {

/// Runs in the thread that calls run(); settle(), stop() and state() may be called from any other. It sleeps while
/// nothing happens: inotify wakes it, and a scan each `check_interval`; only files for which there is no inotify are
/// looked at in between, the less often the longer they have not changed.
class FileInput {
 public:
  struct Options {
    FileFollower::Options following{};
    base::Duration check_interval = std::chrono::seconds(10);
    base::Duration flush_interval = std::chrono::seconds(1);  ///< how often positions are saved, at most
  };

  /// The registry is loaded already.
  FileInput(Registry& registry, LineEncoder& encoder, Publisher& publisher, std::vector<FollowedPaths> inputs,
            Options options, Notes notes);
  ~FileInput();
  FileInput(const FileInput&) = delete;
  FileInput& operator=(const FileInput&) = delete;

  /// Until stop(), or until the publisher takes nothing any more; with `once`, to the ends of all files: then true.
  bool run();
  void stop();
  /// What became of a piece. What was given up for good counts as done; what was only interrupted comes again in
  /// another run.
  void settle(std::uint64_t token);
  /// After run(), and after the last settle(): saves the positions. False where that did not work.
  bool finish();

  /// After run().
  const FollowCounters& counters() const { return follower_.counters(); }
  /// As of a moment ago.
  FollowState state() const;

 private:
  Moment now() const;
  void take_settled();
  void save();
  void tell_changes();
  void sleep(base::Time until);

  Registry& registry_;
  SystemFiles files_;
  Options options_;
  Notes notes_;
  ChangeWatch watch_;
  FileFollower follower_;
  int wake_ = -1;
  std::atomic<bool> stopped_{false};
  std::set<std::string> scanned_directories_;
  bool rescan_ = false;
  bool save_failed_ = false;
  bool unsaved_ = true;
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> settled_;
  FollowState state_;
};

}  // namespace windlass::input
