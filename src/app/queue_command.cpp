#include "app/queue_command.h"

#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <spdlog/spdlog.h>
#include <string>
#include <vector>

#include <windlass/error.h>

#include "app/exit_code.h"
#include "app/units.h"
#include "queue/directory.h"
#include "queue/recovery.h"
#include "queue/segment_scan.h"

namespace windlass::app {
namespace {

/// What is not acknowledged, read without a change to anything.
class Reader {
 public:
  Reader(queue::Storage& storage, queue::Recovery& found) : storage_(storage), found_(found) {}

  /// Reads every event; `take` gets it, and says whether to go on.
  template <typename Take>
  void read(Take take) {
    for (const queue::SegmentState& segment : found_.segments) {
      std::unique_ptr<queue::File> file;
      if (storage_.open(segment.name, queue::Storage::Open::to_read, file)) continue;
      queue::SegmentScan scan(*file, segment.number);
      for (queue::SegmentScan::Found thing; !scan.next(segment.used, thing);) {
        if (std::holds_alternative<queue::SegmentScan::End>(thing)) break;
        const auto* record = std::get_if<queue::Record>(&thing);
        if (record != nullptr && !record->end_of_segment && !read_record(*file, segment, *record, take)) return;
      }
    }
  }

 private:
  template <typename Take>
  bool read_record(queue::File& file, const queue::SegmentState& segment, const queue::Record& record, Take& take) {
    const queue::Acked& acked = found_.position.acked;
    if (acked.next_missing(record.first) >= record.end()) return true;
    if (queue::read_events(file, record, events_)) {
      found_.damage.push_back({queue::Damage::Kind::unreadable_events, segment.name, record.offset, record.size(),
                               record.first, record.events, true});
      return true;
    }
    for (std::size_t index = 0; index < events_.size(); ++index)
      if (acked.next_missing(record.first + index) == record.first + index && !take(events_[index])) return false;
    return true;
  }

  queue::Storage& storage_;
  queue::Recovery& found_;
  EventBuffer events_;
};

void print(const queue::Recovery& found) {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  for (const queue::SegmentState& segment : found.segments) {
    bytes += segment.size;
    for (queue::Sequence at = found.position.acked.next_missing(segment.first); at < segment.end;) {
      const queue::Sequence until = found.position.acked.end_of_missing(at, segment.end);
      events += until - at;
      at = found.position.acked.next_missing(until);
    }
  }
  fmt::print("events not acknowledged  {}\nsegments                 {}\nbytes                    {} ({})\n", events,
             found.segments.size(), bytes, format_size(bytes));
  fmt::print("next event               {}\nacknowledged up to       {}, and {} ranges above\n", found.next,
             found.position.acked.floor(), found.position.acked.ranges().size());
  if (found.kept_bytes > 0) fmt::print("kept aside as damaged    {} bytes\n", found.kept_bytes);
}

}  // namespace

int run_queue(const QueueOptions& options) {
  std::unique_ptr<queue::Directory> directory;
  std::error_code error = queue::Directory::open(options.path, false, directory);
  queue::Recovery found;
  if (!error && options.what != QueueOptions::What::stat) error = directory->lock();
  if (!error) error = queue::recover(*directory, found);
  if (error == errc::queue_in_use && directory->holder() != 0) {
    spdlog::error("{}: process {} works with this queue; stop it first", options.path, directory->holder());
    return exit_usage;
  }
  if (!error && found.is_new) error = std::make_error_code(std::errc::no_such_file_or_directory);
  if (error) {
    spdlog::error("{}: {}", options.path,
                  found.is_new && !directory ? error.message()
                  : found.is_new             ? "there is no queue in this directory"
                                             : error.message());
    return exit_usage;
  }

  bool written = true;
  if (options.what == QueueOptions::What::dump) {
    Reader(*directory, found).read([&](std::string_view event) {
      written = std::fwrite(event.data(), 1, event.size(), stdout) == event.size() && std::fputc('\n', stdout) != EOF;
      return written;
    });
    written = std::fflush(stdout) == 0 && written;
    if (!written) spdlog::error("standard output: {}", std::error_code(errno, std::system_category()).message());
  } else {
    if (options.what == QueueOptions::What::verify)
      Reader(*directory, found).read([](std::string_view) { return true; });
    print(found);
  }
  bool damaged = false;
  for (const queue::Damage& damage : found.damage) {
    spdlog::warn("{}", queue::to_string(damage));
    damaged |= damage.was_durable;
  }
  if (options.what == QueueOptions::What::verify && !damaged) fmt::print("everything can be read\n");
  return damaged || !written ? exit_incomplete : exit_all_acked;
}

}  // namespace windlass::app
