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

/// Runs in the thread that calls run(); settle() and stop() may be called from any other. It sleeps while
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
  /// A piece is done with: delivered, kept by a queue that outlives the process, or given up for good. What was only
  /// interrupted is not, and comes again in another run.
  void settle(std::uint64_t token);
  /// After run(), and after the last settle(): saves the positions. False where that did not work.
  bool finish();

  /// After run().
  const FollowCounters& counters() const { return follower_.counters(); }
  FollowState state() const { return follower_.state(); }

 private:
  /// Saves positions when it is time, also while one file is read for long: as a piece may have to wait for room.
  class Door final : public Publisher {
   public:
    Door(FileInput& input, Publisher& to) : input_(input), to_(to) {}
    std::error_code publish(EventBuffer&& events, std::uint64_t token) override;

   private:
    FileInput& input_;
    Publisher& to_;
  };

  Moment now() const;
  void take_settled();
  bool is_time_to_save() const { return unsaved_ && now().steady >= next_save_; }
  void save_in_time();
  void save();
  void tell_changes();
  void sleep(base::Time until);

  Registry& registry_;
  SystemFiles files_;
  Options options_;
  Notes notes_;
  ChangeWatch watch_;
  Door door_;
  FileFollower follower_;
  int wake_ = -1;
  std::atomic<bool> stopped_{false};
  std::set<std::string> scanned_directories_;
  bool rescan_ = false;
  bool save_failed_ = false;
  bool unsaved_ = true;
  base::Time next_save_{};
  std::mutex mutex_;
  std::vector<std::uint64_t> settled_;
};

}  // namespace windlass::input
