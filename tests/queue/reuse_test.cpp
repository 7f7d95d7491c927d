// A segment that is done with becomes the next one: what was in it never comes back, and what is new is as safe as in a
// new file.

#include <gtest/gtest.h>

#include "queue/disk_queue.h"
#include "queue/lockstep.h"
#include "queue/recovery.h"
#include "queue/simulated_disk.h"

namespace windlass::queue {
namespace {

constexpr std::uint64_t segment_size = 16384;
constexpr DiskQueue::Options options{4 * segment_size, segment_size};
const std::string spare(spare_name);

class ReusedSegment : public testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    queue.reset();
    const std::error_code error = DiskQueue::open(disk.storage(), options, queue);
    ASSERT_FALSE(error) << error.message();
  }
  /// As after a crash of the system that lost whatever was not synced.
  void crash(Fate fate, std::uint64_t seed = 1) {
    disk.go_down();
    queue.reset();
    disk.come_back(fate, seed);
    open();
  }
  void append(std::size_t size) {
    EventBuffer events;
    events.append(std::string(size, fill));
    Sequence first = 0;
    const std::error_code error = queue->append(events, false, first);
    ASSERT_FALSE(error) << error.message();
  }
  /// Fills a segment with 'o' and has it acknowledged.
  void make_spare() {
    fill = 'o';
    while (queue->segments() < 2) append(900);
    ASSERT_FALSE(queue->sync());
    queue->pass(queue->next());
    queue->ack(0, queue->next());
    ASSERT_FALSE(queue->remove_done());
    ASSERT_FALSE(queue->remove_done(true));
    ASSERT_TRUE(disk.has(spare));
    fill = 'n';
  }
  /// And begins the next one in the same file, with `records` of 'n'.
  void begin_reused(std::size_t records) {
    make_spare();
    for (std::size_t record = 0; record < records; ++record) append(900);
    ASSERT_FALSE(disk.has(spare));
    ASSERT_NE(disk.content(reused()).find("oooo"), std::string::npos);
  }
  std::string reused() const { return disk.list().front(); }
  /// How many events are there; each of them is a new one.
  std::size_t read_all() {
    std::size_t count = 0;
    for (DiskQueue::Stored stored; queue->read(stored);)
      for (std::size_t index = 0; index < stored.events.size(); ++index, ++count)
        EXPECT_EQ(stored.events[index], std::string(900, 'n'));
    return count;
  }

  Disk disk;
  std::unique_ptr<DiskQueue> queue;
  char fill = 'o';
};

TEST_F(ReusedSegment, HasTheFileOfAnOldOne) {
  begin_reused(3);
  EXPECT_EQ(queue->segments(), 1u);
  EXPECT_GT(queue->bytes(), segment_size / 2);
  EXPECT_EQ(queue->bytes(), disk.content(reused()).size());
}

TEST_F(ReusedSegment, GivesOnlyWhatIsNew) {
  begin_reused(3);
  ASSERT_FALSE(queue->sync());
  open();
  EXPECT_EQ(queue->events(), 3u);
  EXPECT_EQ(read_all(), 3u);
  EXPECT_TRUE(queue->damage().empty());
}

TEST_F(ReusedSegment, KeepsWhatWasSyncedWhenAnAppendIsTorn) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    disk = Disk();
    open();
    begin_reused(3);
    ASSERT_FALSE(queue->sync());
    for (int more = 0; more < 3; ++more) append(900);
    crash(Fate::mixed, seed);
    EXPECT_GE(read_all() + queue->damaged_events() + queue->unfinished_events(), 3u);
    EXPECT_EQ(queue->damaged_events(), 0u);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST_F(ReusedSegment, IsNotCutShortByDamageInItsMiddle) {
  begin_reused(5);
  ASSERT_FALSE(queue->sync());
  ASSERT_FALSE(queue->save_position(true));
  queue.reset();
  std::string& content = disk.content(reused());
  const std::size_t second = content.find("WLQR", content.find("WLQR") + 1);
  std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(second), 1000, '\0');
  open();
  EXPECT_EQ(queue->damaged_events(), 2u);
  EXPECT_EQ(read_all(), 3u);
}

TEST_F(ReusedSegment, IsCutOffBehindItsLastRecordWhenItIsLeft) {
  begin_reused(2);
  ASSERT_FALSE(queue->sync());
  crash(Fate::lost);
  EXPECT_EQ(read_all(), 2u);
  EXPECT_LT(disk.content(reused()).size(), 2500u) << "crash after crash would fill the disk";
  EXPECT_EQ(queue->bytes(), disk.content(reused()).size());
}

TEST_F(ReusedSegment, IsGivenUpForRoom) {
  make_spare();
  append(4 * segment_size - 200);  // all that there can be
  EXPECT_FALSE(disk.has(spare));
  EXPECT_LE(queue->bytes(), options.max_size);
}

TEST_F(ReusedSegment, IsRememberedByTheNextProcess) {
  make_spare();
  open();
  ASSERT_TRUE(disk.has(spare));
  EXPECT_EQ(queue->bytes(), disk.content(spare).size());
  append(900);
  EXPECT_FALSE(disk.has(spare));
  EXPECT_EQ(read_all(), 1u);
}

TEST_F(ReusedSegment, IsNotMadeOfAFileThatSomethingHappenedTo) {
  make_spare();
  queue.reset();
  disk.content(spare)[20] ^= 1;
  open();
  append(900);
  EXPECT_EQ(read_all(), 1u);
  ASSERT_FALSE(queue->sync());
  open();
  EXPECT_EQ(read_all(), 1u);
  EXPECT_TRUE(queue->damage().empty());
}

}  // namespace
}  // namespace windlass::queue
