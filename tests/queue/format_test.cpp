// The bytes on disk are those that docs/queue-format.md shows.

#include "queue/format.h"

#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <rapidcheck/gtest.h>

#include <windlass/error.h>

#include "queue/crc32c.h"
#include "queue/disk_queue.h"
#include "queue/segment_scan.h"
#include "queue/simulated_disk.h"

namespace windlass::queue {
namespace {

/// As `hexdump -C` writes it.
std::string dump(std::string_view bytes) {
  std::string text;
  for (std::size_t line = 0; line < bytes.size(); line += 16) {
    text += fmt::format("{:08x} ", line);
    std::string plain;
    for (std::size_t at = line; at < line + 16; ++at) {
      if (at % 8 == 0) text += ' ';
      if (at >= bytes.size()) {
        text += "   ";
        continue;
      }
      text += fmt::format("{:02x} ", static_cast<unsigned char>(bytes[at]));
      plain += bytes[at] >= ' ' && bytes[at] <= '~' ? bytes[at] : '.';
    }
    text += fmt::format(" |{}|\n", plain);
  }
  return text;
}

std::string page() {
  std::ifstream file(std::string(WINDLASS_DOCS) + "/queue-format.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The queue of the page: two publishes, of which the second event is acknowledged.
Disk disk_of_the_page() {
  Disk disk;
  std::unique_ptr<DiskQueue> queue;
  EXPECT_FALSE(DiskQueue::open(disk.storage(), {1 << 20, 4096}, queue));
  EventBuffer first;
  first.append(R"({"message":"one"})");
  first.append(R"({"message":"two"})");
  EventBuffer second;
  second.append("three");
  Sequence number = 0;
  EXPECT_FALSE(queue->append(first, false, number));
  EXPECT_FALSE(queue->append(second, true, number));
  queue->ack(1, 1);
  EXPECT_FALSE(queue->sync());
  queue->remove_done(true);
  queue.reset();
  return disk;
}

TEST(QueueFormat, HasTheBytesOfItsPage) {
  Disk disk = disk_of_the_page();
  std::string_view segment = disk.content("0000000001.seg");
  segment = segment.substr(0, (segment.find_last_not_of('\0') / 16 + 1) * 16);
  EXPECT_NE(page().find(dump(segment)), std::string::npos) << dump(segment);
  std::string_view position = disk.content("position.b");
  position = position.substr(0, 64);
  EXPECT_NE(page().find(dump(position)), std::string::npos) << dump(position);
}

TEST(QueueFormat, ChecksumsAreCrc32cAsItsStandardHasIt) {
  // RFC 3720, B.4.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(QueueFormat, NamesSegmentsByTheirNumbers) {
  EXPECT_EQ(segment_name(12), "0000000012.seg");
  EXPECT_EQ(segment_number("0000000012.seg"), 12u);
  EXPECT_EQ(segment_number(segment_name(123'456'789'012)), 123'456'789'012u);
  for (const char* other :
       {"12.seg", "0000000012", "000000001x.seg", "0000000012.seg.damaged", ".seg", "-000000012.seg"})
    EXPECT_FALSE(segment_number(other)) << other;
}

RC_GTEST_PROP(QueueFormat, EventsComeBackAsTheyWere, (const std::vector<std::string>& texts, bool guaranteed)) {
  RC_PRE(!texts.empty());
  Disk disk;
  const auto storage = disk.storage();
  std::unique_ptr<File> file;
  RC_ASSERT(!storage->open("file", Storage::Open::create, file));
  EventBuffer events;
  for (const std::string& text : texts) events.append(text);
  std::string front;
  const Record written = append_record_front(front, events, 77, guaranteed, 5);
  const std::string_view pieces[] = {front, {events[0].data(), events.bytes()}, padding(written.payload)};
  RC_ASSERT(!file->write(SegmentHeader::size, pieces));

  SegmentScan scan(*file, 5);
  SegmentScan::Found found;
  RC_ASSERT(!scan.next(1 << 30, found));
  // The last bytes of the file may be padding, so it is as long as the record says.
  const auto* record = std::get_if<Record>(&found);
  RC_ASSERT(record != nullptr);
  RC_ASSERT(record->first == 77u && record->guaranteed == guaranteed);
  RC_ASSERT(scan.offset() == disk.content("file").size());
  EventBuffer read;
  RC_ASSERT(!read_events(*file, *record, read));
  RC_ASSERT(read.size() == texts.size());
  for (std::size_t index = 0; index < texts.size(); ++index) RC_ASSERT(read[index] == texts[index]);
}

}  // namespace
}  // namespace windlass::queue
