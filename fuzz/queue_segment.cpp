// A queue whose segment and position are any bytes. It opens, reads what it finds, and opens again on what it left.
//
// Input: how many bytes of the rest are the position (a byte, times 2); then the position, and the segment.
#include <string>

#include "input.h"
#include "queue/disk_queue.h"
#include "queue/segment_scan.h"
#include "queue/simulated_disk.h"

namespace {

using namespace windlass::queue;
using windlass::fuzz::Input;
using windlass::fuzz::require;

constexpr DiskQueueOptions options{1 << 20, 4096};
constexpr const char* segment = "0000000001.seg";

/// What is found lies one behind the other, within the file.
void scan(Disk& disk) {
  const auto storage = disk.storage();
  std::unique_ptr<File> file;
  require(!storage->open(segment, Storage::Open::to_read, file), "the file is there");
  const std::uint64_t size = disk.content(segment).size();
  SegmentScan scan(*file, 1);
  for (std::uint64_t at = SegmentHeader::size;;) {
    SegmentScan::Found found;
    require(!scan.next(size, found), "no error in memory");
    if (std::holds_alternative<SegmentScan::End>(found)) break;
    if (const auto* record = std::get_if<Record>(&found)) {
      require(record->offset == at && at + record->size() == scan.offset(), "records lie side by side");
      windlass::EventBuffer events;
      if (!read_events(*file, *record, events)) require(events.size() == record->events, "all of its events");
    } else {
      const auto& bytes = std::get<SegmentScan::Unreadable>(found);
      require(bytes.offset == at && bytes.bytes > 0, "unreadable bytes begin where a record should");
    }
    require(scan.offset() > at && scan.offset() <= size, "a scan gets on, and stays within the file");
    at = scan.offset();
  }
}

std::uint64_t read_all(DiskQueue& queue) {
  std::uint64_t events = 0;
  for (DiskQueue::Stored stored; queue.read(stored);) events += stored.events.size();
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::size_t position = std::size_t{input.byte()} * 2;
  Disk disk;
  if (position > 0) disk.put("position.a", std::string(input.rest().substr(0, position)));
  disk.put(segment, std::string(input.rest().substr(std::min(position, input.rest().size()))));
  disk.settle();
  scan(disk);

  std::unique_ptr<DiskQueue> queue;
  if (DiskQueue::open(disk.storage(), options, queue)) return 0;  // of a later version
  const std::uint64_t stored = queue->events();
  const std::uint64_t lost = queue->damaged_events() + queue->unfinished_events();
  const std::uint64_t read = read_all(*queue);
  require(read + queue->damaged_events() + queue->unfinished_events() - lost == stored, "each event is read or lost");
  windlass::EventBuffer events;
  events.append("new");
  Sequence first = 0;
  require(!queue->append(events, false, first), "there is room");
  queue.reset();

  require(!DiskQueue::open(disk.storage(), options, queue), "what it left opens");
  require(queue->events() == read + 1, "what was read and not acknowledged is there again, and what was new");
  require(read_all(*queue) == read + 1, "and can be read");
  return 0;
}
