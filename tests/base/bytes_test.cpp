#include "base/bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace windlass::base {
namespace {

TEST(Bytes, BigEndianNumbersAreWrittenMostSignificantByteFirst) {
  char place[5] = {};
  store_be32(place + 1, 0x01020304);  // at an odd address
  EXPECT_EQ(std::string(place + 1, 4), "\x01\x02\x03\x04");
  EXPECT_EQ(load_be32(place + 1), 0x01020304u);
}

TEST(ByteQueue, GivesBackWhatWasPutInInOrder) {
  ByteQueue queue;
  queue.append("hello ");
  queue.append("world");
  EXPECT_EQ(queue.view(), "hello world");
  queue.consume(6);
  EXPECT_EQ(queue.view(), "world");
  EXPECT_EQ(queue.size(), 5u);
  queue.consume(5);
  EXPECT_TRUE(queue.empty());
}

TEST(ByteQueue, UsesTheRoomInFrontBeforeItGrows) {
  ByteQueue queue;
  queue.append(std::string(1000, 'a'));
  const auto capacity = queue.capacity();
  for (int times = 0; times < 1000; ++times) {
    queue.consume(500);
    queue.append(std::string(500, 'b'));
  }
  EXPECT_LE(queue.capacity(), 4 * capacity);
}

TEST(ByteQueue, ShrinkGivesMemoryBackAndLosesNothing) {
  ByteQueue queue;
  queue.append(std::string(100000, 'a') + "end");
  queue.consume(100000);
  queue.shrink(4096);
  EXPECT_EQ(queue.capacity(), 4096u);
  EXPECT_EQ(queue.view(), "end");
  queue.shrink(1);
  EXPECT_EQ(queue.view(), "end") << "not more than can be spared";
}

RC_GTEST_PROP(ByteQueue, BehavesAsAString, (const std::vector<std::pair<std::string, unsigned>>& steps)) {
  ByteQueue queue;
  std::string model;
  for (const auto& [bytes, amount] : steps) {
    queue.append(bytes);
    model += bytes;
    RC_ASSERT(queue.view() == model);
    const auto consumed = amount % (model.size() + 1);
    queue.consume(consumed);
    model.erase(0, consumed);
    if (amount % 7 == 0) queue.shrink(16);
    RC_ASSERT(queue.view() == model);
    RC_ASSERT(queue.size() == model.size());
  }
}

}  // namespace
}  // namespace windlass::base
