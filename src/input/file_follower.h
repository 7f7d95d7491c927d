// Which files there are, where each of them is, and what is read next: without a clock and without I/O of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <windlass/event_buffer.h>

#include "base/time.h"
#include "input/file_system.h"
#include "input/glob.h"
#include "input/line_cutter.h"
#include "input/registry.h"
#include "input/seams.h"
#include "input/tracked_file.h"

namespace windlass::input {

/// One input: files that are found by their paths.
struct FollowedPaths {
  std::vector<Glob> paths;
  std::vector<std::regex> excluded;  ///< a path in which one of these is found is none of the input's
  std::vector<std::regex> included;  ///< where there are any: only a path in which one of these is found is
  bool links = true;                 ///< symbolic links to files are followed
  /// A file that was last changed longer ago than this when it is found is left alone until it changes; 0: none is.
  base::Duration ignore_older{0};
  /// A file that has been read and does not change is closed after this time, and opened again when it does.
  base::Duration close_inactive = std::chrono::minutes(5);
};

/// Now, on both clocks.
struct Moment {
  base::Time steady{};
  std::int64_t nanoseconds = 0;  ///< since 1970
};

struct FollowCounters {
  std::uint64_t lines = 0;          ///< published
  std::uint64_t bytes = 0;          ///< of lines that are done with
  std::uint64_t empty_lines = 0;    ///< skipped
  std::uint64_t cut_lines = 0;      ///< shipped without their ends
  std::uint64_t refused_lines = 0;  ///< by the encoder, or larger than the whole queue
  std::uint64_t found = 0;          ///< files that were found, each generation of its own
  std::uint64_t replaced = 0;       ///< of those, in files that had been truncated or used again
  std::uint64_t copies = 0;         ///< recognized as copies of truncated files
  std::uint64_t failed = 0;         ///< could not be read
};

/// What there is at the moment.
struct FollowState {
  std::uint64_t open = 0;         ///< files
  std::uint64_t undelivered = 0;  ///< bytes that are not acknowledged, unread ones among them
};

/// Follows files. A file is known by its device and inode, and by what it begins with, so that it is the same one after
/// it was renamed, and another one once it was truncated or its inode was used again. Nothing that was read is
/// published before it is certain that the file had not been truncated when it was read.
///
/// A copy of a file that is then truncated ("copytruncate") is recognized where it is among the paths: it begins with
/// the same bytes, and goes on with the same ones where the original was truncated. What had not been read of the
/// original is read from it. A file that might be such a copy is held back for `copy_patience`; one that
/// is too short to tell, as a copy is at its beginning, is looked at again once it is not, unless its first line was
/// complete before. By the same bytes, its inode and its time of birth a file is known again whose device has another
/// number than before.
///
/// Before anything of a file is published, the registry has its identity and its fingerprint (or cannot be written to):
/// so that after a crash it is known again, and even a copy of it is, with the same ids.
///
/// Positions move when pieces are delivered (settle()), and in no other way. Driven by one thread:
///   scan() now and then; hint() where something may have changed; work() as long as it says that there was something
///   to do; settle() for each piece; take_changes() now and then, for the registry.
class FileFollower {
 public:
  struct Options {
    std::size_t max_open_files = 256;               ///< at the same time; others wait for their turns. At least 1
    std::size_t max_files = 200'000;                ///< that are known; more are not looked at
    std::size_t turn_bytes = std::size_t{1} << 20;  ///< about what is read of a file before it is another one's turn
    std::size_t piece_events = 1024;                ///< published at once
    std::size_t piece_bytes = std::size_t{256} << 10;
    /// How long something is remembered whose file is gone.
    base::Duration clean_inactive = std::chrono::hours(24);
    base::Duration copy_patience = std::chrono::seconds(5);
    /// Read to the ends, which end the last lines, too; what may be a copy is taken for a file of its own.
    bool once = false;
    LineCutter::Options lines{};
  };

  /// `record` takes the changes and saves them, at once.
  FileFollower(FileSystem& files, LineEncoder& encoder, Publisher& publisher, std::vector<FollowedPaths> inputs,
               Options options, std::function<void()> record, Notes notes);
  FileFollower(const FileFollower&) = delete;
  FileFollower& operator=(const FileFollower&) = delete;

  /// What is known from before. Once, at first.
  void restore(const FileEntry& entry);

  /// Looks at everything.
  void scan(Moment now);
  enum class Hint { modified, appeared, disappeared };
  /// Something may have happened to what has, or had, this path.
  void hint(const std::string& path, Hint what);
  /// Looks at known files for which nobody gives hints, and at those that are held back.
  void poll(Moment now);
  /// Whether there are any.
  bool wants_poll() const { return !held_.empty() || !polled_.empty(); }

  /// Gives one file its turn. False: there is nothing to do at the moment.
  bool work(Moment now);

  /// A piece is delivered (or given up for good). Not to be called from within Publisher::publish().
  void settle(std::uint64_t token);

  struct Changes {
    std::vector<FileEntry> changed;
    std::vector<std::uint64_t> removed;
  };
  /// What the registry does not have yet.
  Changes take_changes();

  /// Whether pieces are under way.
  bool delivering() const { return under_way_ > 0; }
  /// The publisher takes nothing any more.
  bool stopped() const { return stopped_; }
  const FollowCounters& counters() const { return counters_; }
  FollowState state() const;
  /// Those in which files of the inputs may be, as of the last scan.
  const std::set<std::string>& directories() const { return directories_; }
  /// Those of them for which nobody gives hints; and files behind symbolic links never get any.
  void set_unwatched(std::function<bool(const std::string& directory)> unwatched) { unwatched_ = std::move(unwatched); }

 private:
  /// Of a known file, or of one that was found. Found ones come after the known ones of the same scan, so that a copy
  /// is met only once it is known what the original holds.
  struct Turn {
    std::uint32_t number = 0;  ///< 0: of the file at this path
    std::string path{};
    std::size_t input = 0;
  };
  struct Held {
    std::string path;
    std::size_t input;
    std::uint64_t size;
    base::Time since;
  };

  // Finding.
  bool wants(std::size_t input, const std::string& path) const;
  void found(const std::string& path, DirectoryEntry::Kind kind, std::size_t input);
  void look_at(TrackedFile& file, const FileStatus& status);
  void meet(const std::string& path, const FileStatus& status, std::size_t input, Moment now, bool patient);
  bool is_known(const std::string& path, OpenFile& file, const FileStatus& status, std::string_view head,
                std::size_t input, Moment now, bool patient);
  bool is_known_now(TrackedFile& file, const FileStatus& status, std::string_view head, Moment now);
  bool has_moved_to(const TrackedFile& file, const FileStatus& status) const;
  static bool has_mark_of(const TrackedFile& original, OpenFile& file, const FileStatus& status);
  bool may_become_copy(OpenFile& file, const FileStatus& status, TrackedFile& original);
  TrackedFile& begin(const std::string& path, const FileStatus& status, std::size_t input, Moment now,
                     std::string_view head);
  void missed(TrackedFile& file, Listings& listings, Moment now);
  bool find_elsewhere(TrackedFile& file, Listings& listings);
  void clean(Moment now);
  void meet_held(Moment now, bool patient);
  void adopt(TrackedFile& original, const std::string& path, const FileStatus& status, std::size_t input);
  void follow_to(TrackedFile& file, const std::string& path, const FileStatus& status, std::size_t input);

  // Reading.
  void take_turn(TrackedFile& file, Moment now);
  bool make_open(TrackedFile& file, Moment now);
  void close(TrackedFile& file);
  void replaced(TrackedFile& file, const FileStatus& status, std::string_view head, Moment now);
  bool is_recorded(TrackedFile& file);
  void record();
  bool is_unchanged(const TrackedFile& file, const FileStatus& status, std::string_view head, std::uint64_t end) const;
  /// As is_unchanged(), and the bytes at its mark are the same. Reads what it needs.
  std::error_code verify(TrackedFile& file, OpenFile& open, std::uint64_t end, FileStatus& status, std::string& head,
                         bool& unchanged) const;
  void renew_mark(TrackedFile& file);
  bool publish_lines(TrackedFile& file);
  bool publish_piece(TrackedFile& file);
  bool publish_one_by_one(TrackedFile& file, const EventBuffer& events, std::uint64_t end);
  void fail(TrackedFile& file, const std::error_code& error);

  void enqueue(TrackedFile& file);
  void moved(TrackedFile& file);
  void gone(TrackedFile& file, Moment now);
  void note(Note::Level level, std::string text) const;

  FileSystem& files_;
  LineEncoder& encoder_;
  Publisher& publisher_;
  std::vector<FollowedPaths> inputs_;
  Options options_;
  std::function<void()> record_;
  Notes notes_;
  FileTable table_;
  std::deque<Turn> turns_;
  std::vector<std::uint32_t> unrecorded_;  // whose turn it is once they are recorded
  std::list<std::uint32_t> open_;          // the one that had its turn longest ago first
  std::map<FileKey, Held> held_;
  std::map<FileKey, std::uint32_t> generations_;  // the latest that has an identity
  std::vector<std::uint32_t> changed_;
  std::vector<std::uint64_t> removed_;
  std::set<std::string> directories_;
  std::function<bool(const std::string&)> unwatched_;
  std::vector<std::uint32_t> polled_;
  std::vector<Turn> found_;
  std::uint64_t scans_ = 0;
  std::uint64_t under_way_ = 0;  // pieces
  bool full_ = false;
  bool stopped_ = false;
  LineCutter cutter_;
  EventBuffer events_;
  FollowCounters counters_;
};

}  // namespace windlass::input
