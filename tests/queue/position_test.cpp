#include "queue/position.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <set>

#include <windlass/error.h>

namespace windlass::queue {
namespace {

RC_GTEST_PROP(Acked, IsASetOfNumbers, (const std::vector<std::pair<std::uint8_t, std::uint8_t>>& runs)) {
  Acked acked;
  std::set<Sequence> model;
  for (const auto& [first, count] : runs) {
    std::set<Sequence> news;
    acked.add(first, first + count % 16u, [&](Sequence begin, Sequence end) {
      RC_ASSERT(begin < end);
      for (Sequence at = begin; at < end; ++at) RC_ASSERT(news.insert(at).second);
    });
    std::set<Sequence> expected;
    for (Sequence at = first; at < first + count % 16u; ++at)
      if (model.insert(at).second) expected.insert(at);
    RC_ASSERT(news == expected);
    Sequence floor = 0;
    while (model.contains(floor)) ++floor;
    RC_ASSERT(acked.floor() == floor);
    RC_ASSERT(acked.ceiling() == (model.empty() ? 0 : *model.rbegin() + 1));
    for (Sequence at = 0; at < 300; ++at) {
      Sequence missing = at;
      while (model.contains(missing)) ++missing;
      RC_ASSERT(acked.next_missing(at) == missing);
    }
  }
  // And so it comes back from the disk.
  Position position;
  position.acked = acked;
  position.generation = 7;
  position.durable = 1000;
  position.next = 1001;
  std::string bytes;
  append_position(bytes, position);
  Position read;
  RC_ASSERT(!parse_position(bytes + std::string(100, '\0'), read));
  RC_ASSERT(read.acked.floor() == acked.floor());
  RC_ASSERT(read.acked.ranges() == acked.ranges());
  RC_ASSERT(read.generation == 7u && read.durable == 1000u && read.next == 1001u);
}

TEST(Position, IsNotReadWhenAnyBitIsFlipped) {
  Position position;
  position.acked.add(5, 7, [](Sequence, Sequence) {});
  std::string bytes;
  append_position(bytes, position);
  for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << bit));
      Position read;
      EXPECT_EQ(parse_position(flipped, read), errc::damaged);
    }
  }
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    Position read;
    EXPECT_EQ(parse_position(bytes.substr(0, length), read), errc::damaged);
  }
}

}  // namespace
}  // namespace windlass::queue
