// A queue and beside it a model of it, which is small and obviously right: a list of events, each with what is known of
// it. Each step is taken by both, and what they say is compared. GoogleTest's failures tell of differences.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "queue/disk_queue.h"
#include "queue/simulated_disk.h"

namespace windlass::queue {

class Lockstep {
 public:
  explicit Lockstep(DiskQueue::Options options) : options_(options) {}

  Disk disk;

  void open();
  DiskQueue& queue() { return *queue_; }

  /// Appends a publish of so many events. False when there is no room.
  bool append(std::size_t events, bool guaranteed = false);
  void sync();
  /// Reads the next events. False when there are none.
  bool read();
  void read_all();
  /// Acknowledges one of the runs of events that were read, or a part of it.
  void ack(std::uint64_t which);
  /// Reads what there is, and acknowledges all that was ever read.
  void ack_all();
  void save_position(bool durable);
  void remove_done(bool for_room = false);

  /// Goes down (unless the disk is down already), comes back, and looks at what must hold then; the model learns what
  /// was saved. Leaves a queue that is open, with nothing read.
  void crash(Fate fate, std::uint64_t seed);
  void reopen();

  std::size_t unacked() const;

 private:
  enum class Ack { no, yes, saved, durable };  ///< in memory, written, and synced
  struct Event {
    std::string text;
    bool guaranteed = false;
    bool written = false;  ///< append() said so
    bool durable = false;  ///< sync() said so
    bool read = false;
    Ack acked = Ack::no;
  };

  void look_at_what_is_there(bool process_only);

  DiskQueue::Options options_;
  std::unique_ptr<DiskQueue> queue_;
  std::map<Sequence, Event> events_;
  std::vector<std::pair<Sequence, std::uint64_t>> handed_out_;
  std::uint64_t texts_ = 0;
};

}  // namespace windlass::queue
