// A queue whose files were damaged: it opens, gives everything that is whole, and says what is not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include <windlass/error.h>

#include "queue/disk_queue.h"
#include "queue/simulated_disk.h"

namespace windlass::queue {
namespace {

using testing::Contains;
using testing::EndsWith;
using testing::IsEmpty;
using testing::Not;

constexpr DiskQueue::Options small{1 << 20, 320};
using Texts = std::map<Sequence, std::string>;

std::unique_ptr<DiskQueue> open(Disk& disk) {
  std::unique_ptr<DiskQueue> queue;
  const std::error_code error = DiskQueue::open(disk.storage(), small, queue);
  EXPECT_FALSE(error) << error.message();
  return queue;
}

Texts read_all(DiskQueue& queue) {
  Texts texts;
  for (DiskQueue::Stored stored; queue.read(stored);)
    for (std::size_t index = 0; index < stored.events.size(); ++index)
      texts.emplace(stored.first + index, stored.events[index]);
  return texts;
}

void append(DiskQueue& queue, std::size_t count) {
  EventBuffer events;
  for (std::size_t index = 0; index < count; ++index)
    events.append("event number " + std::to_string(queue.next() + index));
  Sequence first = 0;
  ASSERT_FALSE(queue.append(events, false, first));
}

/// Three segments; of their events, some at the beginning and some in the middle are acknowledged.
Disk disk_with_queue(Texts& unacked) {
  Disk disk;
  auto queue = open(disk);
  for (const std::size_t count : {1, 3, 4, 2, 5, 1, 3, 2}) append(*queue, count);
  EXPECT_FALSE(queue->sync());
  queue->ack(0, 2);
  queue->ack(9, 1);
  unacked = read_all(*queue);
  EXPECT_EQ(queue->segments(), 3u);
  unacked.erase(9), unacked.erase(0), unacked.erase(1);
  queue.reset();
  return disk;
}

/// The same, as if each segment's file had been that of another one before.
Disk in_used_files(const Disk& whole) {
  Disk disk = whole.copy();
  for (const std::string& name : whole.list()) {
    if (!name.ends_with(".seg")) continue;
    std::string& content = disk.content(name);
    SegmentHeader header;
    EXPECT_FALSE(parse_segment_header(content, header));
    header.reused = true;
    std::string used;
    append_segment_header(used, header);
    content.replace(0, used.size(), used);
    content.append(Record::header_size, '\0');
    EventBuffer events;
    events.append("what was there before");
    append_record_front(content, events, header.first, false, header.number - 1);
    content += events[0];
  }
  return disk;
}

/// What is read is a part of what was stored, and what is missing is accounted for. The number of events missing.
std::size_t expect_all_or_told(Disk& disk, const Texts& unacked, bool position_is_whole) {
  const auto queue = open(disk);
  if (!queue) return 0;
  const std::uint64_t stored = queue->events();
  const std::uint64_t lost_before = queue->damaged_events() + queue->unfinished_events();
  const Texts texts = read_all(*queue);
  std::size_t missing = 0;
  for (const auto& [number, text] : unacked) missing += !texts.contains(number);
  for (const auto& [number, text] : texts) {
    EXPECT_EQ(text, "event number " + std::to_string(number));
    EXPECT_TRUE(!position_is_whole || unacked.contains(number)) << number << " was acknowledged";
  }
  EXPECT_EQ(queue->damaged_events(), missing);
  EXPECT_EQ(queue->unfinished_events(), 0u);
  EXPECT_EQ(stored, texts.size() + missing - lost_before);
  std::uint64_t told = 0;
  for (const Damage& damage : queue->damage()) told += damage.events;
  EXPECT_EQ(told, missing);

  // It works as if nothing had been, and once everything is acknowledged only what was damaged is left.
  append(*queue, 2);
  EXPECT_FALSE(queue->sync());
  EXPECT_EQ(read_all(*queue).size(), 2u);
  queue->ack(0, queue->next());
  EXPECT_FALSE(queue->remove_done(true));
  EXPECT_EQ(queue->segments(), 0u);
  EXPECT_EQ(queue->events(), 0u);
  return missing;
}

bool is_position(const std::string& name) {
  return name.starts_with("position");
}

TEST(DamagedQueue, IsWholeToBeginWith) {
  Texts unacked;
  Disk disk = disk_with_queue(unacked);
  EXPECT_EQ(unacked.size(), 18u);
  expect_all_or_told(disk, unacked, true);
  EXPECT_THAT(disk.list(), Not(Contains(EndsWith(".damaged"))));
}

class DamagedFiles : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(OfQueues, DamagedFiles, testing::Bool(),
                         [](const auto& used) { return used.param ? "ThatWereUsedBefore" : "ThatWereNew"; });

TEST_P(DamagedFiles, LoseOnlyTheRecordInWhichABitIsFlipped) {
  Texts unacked;
  const Disk whole = GetParam() ? in_used_files(disk_with_queue(unacked)) : disk_with_queue(unacked);
  for (const std::string& name : whole.list()) {
    Disk sample = whole.copy();
    const std::size_t bytes = is_position(name) ? 80 : sample.content(name).size();
    for (std::size_t byte = 0; byte < bytes && byte < sample.content(name).size(); ++byte) {
      for (int bit = 0; bit < 8; ++bit) {
        Disk disk = whole.copy();
        disk.content(name)[byte] = static_cast<char>(disk.content(name)[byte] ^ (1 << bit));
        const std::size_t missing = expect_all_or_told(disk, unacked, !is_position(name));
        EXPECT_TRUE(missing == 0 || disk.has(name + ".damaged"));
        if (HasFailure()) FAIL() << name << ", byte " << byte << ", bit " << bit;
      }
    }
  }
}

TEST_P(DamagedFiles, LoseAtMostOneRecordToAFlippedBit) {
  Texts unacked;
  const Disk whole = GetParam() ? in_used_files(disk_with_queue(unacked)) : disk_with_queue(unacked);
  for (std::size_t byte = 0; byte < 320; ++byte) {
    Disk disk = whole.copy();
    disk.content("0000000002.seg")[byte] ^= 0x10;
    const auto queue = open(disk);
    EXPECT_GE(read_all(*queue).size(), unacked.size() - 5) << byte;
  }
}

TEST_P(DamagedFiles, LoseOnlyWhatIsBehindTheEndOfATruncatedSegment) {
  Texts unacked;
  const Disk whole = GetParam() ? in_used_files(disk_with_queue(unacked)) : disk_with_queue(unacked);
  for (const std::string& name : whole.list()) {
    Disk sample = whole.copy();
    const std::size_t bytes = is_position(name) ? 80 : sample.content(name).size();
    for (std::size_t length = 0; length < bytes && length < sample.content(name).size(); ++length) {
      Disk disk = whole.copy();
      disk.content(name).resize(length);
      expect_all_or_told(disk, unacked, !is_position(name));
      if (HasFailure()) FAIL() << name << " of " << length << " bytes";
    }
  }
}

TEST(DamagedQueue, LosesOnlyWhatWasInAMissingFile) {
  Texts unacked;
  const Disk whole = disk_with_queue(unacked);
  for (const std::string& name : whole.list()) {
    Disk disk = whole.copy();
    disk.remove(name);
    const auto queue = open(disk);
    const Texts texts = read_all(*queue);
    std::size_t missing = 0;
    for (const auto& [number, text] : unacked) missing += !texts.contains(number);
    EXPECT_EQ(queue->damaged_events(), missing) << name;
    EXPECT_EQ(missing > 0, name.ends_with(".seg")) << name;
  }
}

TEST(DamagedQueue, SendsMoreAgainWithoutAnyPosition) {
  Texts unacked;
  Disk disk = disk_with_queue(unacked);
  disk.content("position.a").assign("what is this?");
  disk.remove("position.b");
  const auto queue = open(disk);
  EXPECT_EQ(read_all(*queue).size(), 21u);
  EXPECT_EQ(queue->damaged_events(), 0u);
  EXPECT_THAT(disk.list(), Contains("position.a.damaged"));
  EXPECT_EQ(disk.content("position.a.damaged"), "what is this?");
}

TEST(DamagedQueue, SetsAsideAFileThatIsNotWhatItsNameSays) {
  Texts unacked;
  Disk disk = disk_with_queue(unacked);
  disk.put("0000000007.seg", disk.content("0000000002.seg"));
  const auto queue = open(disk);
  EXPECT_EQ(read_all(*queue), unacked);
  EXPECT_THAT(disk.list(), Contains("0000000007.seg.damaged"));
}

TEST(DamagedQueue, DoesNotTakeBytesOfAnEventForARecord) {
  Disk disk;
  {
    auto queue = open(disk);
    EventBuffer events;
    std::string forged(64, '\0');
    append_record_front(
        forged,
        [] {
          EventBuffer inner;
          inner.append("forged");
          return inner;
        }(),
        1, false, 2);  // of another segment, such as one that was shipped as an event
    events.append(forged);
    Sequence first = 0;
    ASSERT_FALSE(queue->append(events, false, first));
  }
  disk.content("0000000001.seg")[SegmentHeader::size] ^= 1;  // its record's header
  const auto queue = open(disk);
  EXPECT_THAT(read_all(*queue), IsEmpty());
  EXPECT_EQ(queue->damaged_events(), 1u);
}

TEST(DamagedQueue, IsLeftAloneWhenALaterVersionWroteIt) {
  Texts unacked;
  Disk disk = disk_with_queue(unacked);
  std::string header = "WLQSEGM2" + disk.content("0000000002.seg").substr(8, 20);
  // A later version's checksum is sound.
  std::string sound;
  append_segment_header(sound, {2, 0});
  disk.content("0000000002.seg").replace(0, 28, header);
  const std::uint32_t checksum = [&] {
    std::uint32_t crc = ~0u;
    for (const char byte : header) {
      crc ^= static_cast<unsigned char>(byte);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
  }();
  for (int byte = 0; byte < 4; ++byte)
    disk.content("0000000002.seg")[28 + byte] = static_cast<char>(checksum >> (24 - 8 * byte));
  const auto before = disk.list();
  std::unique_ptr<DiskQueue> queue;
  EXPECT_EQ(DiskQueue::open(disk.storage(), small, queue), errc::unknown_format);
  EXPECT_EQ(disk.list(), before);
}

TEST(DamagedQueue, OpensOnADiskThatCannotBeWrittenTo) {
  Texts unacked;
  Disk disk = disk_with_queue(unacked);
  disk.read_only = true;
  const auto queue = open(disk);
  EXPECT_EQ(read_all(*queue), unacked);
  EventBuffer events;
  events.append("new");
  Sequence first = 0;
  EXPECT_EQ(queue->append(events, false, first), std::errc::read_only_file_system);
  queue->ack(2, 1);
  EXPECT_EQ(queue->save_position(true), std::errc::read_only_file_system);
}

TEST(DamagedQueue, TakesTheSameAgainOnceAFullDiskHasRoom) {
  Disk disk;
  auto queue = open(disk);
  append(*queue, 3);
  disk.capacity = 0;
  EventBuffer events;
  for (int index = 0; index < 20; ++index) events.append("event number " + std::to_string(3 + index));
  Sequence first = 0;
  EXPECT_EQ(queue->append(events, false, first), std::errc::no_space_on_device);
  EXPECT_FALSE(queue->sync());
  disk.capacity = ~std::uint64_t{0};
  EXPECT_FALSE(queue->append(events, false, first));
  EXPECT_EQ(first, 3u);
  queue.reset();
  queue = open(disk);
  EXPECT_EQ(read_all(*queue).size(), 23u);
  EXPECT_THAT(queue->damage(), IsEmpty());
}

TEST(DamagedQueue, IsOneProcesssAtATime) {
  Disk disk;
  const auto queue = open(disk);
  std::unique_ptr<DiskQueue> second;
  EXPECT_EQ(DiskQueue::open(disk.storage(), small, second), errc::queue_in_use);
}

}  // namespace
}  // namespace windlass::queue
