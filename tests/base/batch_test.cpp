#include <gtest/gtest.h>
#include <memory>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

#include <windlass/batch.h>

namespace windlass {
namespace {

std::shared_ptr<EventBuffer> buffer_of(const std::vector<std::string>& events) {
  auto buffer = std::make_shared<EventBuffer>();
  for (const std::string& event : events) buffer->append(event);
  return buffer;
}

std::vector<std::string> events_of(const Batch& batch) {
  return {batch.begin(), batch.end()};
}

TEST(Batch, IsAViewOfOneBuffer) {
  const Batch batch(buffer_of({"a", "bb", "ccc"}));
  EXPECT_EQ(batch.size(), 3u);
  EXPECT_EQ(batch.bytes(), 6u);
  EXPECT_EQ(events_of(batch), (std::vector<std::string>{"a", "bb", "ccc"}));
  EXPECT_EQ(batch[2], "ccc");
}

TEST(Batch, JoinsEventsOfSeveralBuffersInOrder) {
  Batch batch;
  batch.append({buffer_of({"a", "b", "c"}), 1, 2});
  batch.append({buffer_of({"d"}), 0, 1});
  EXPECT_EQ(events_of(batch), (std::vector<std::string>{"b", "c", "d"}));
  EXPECT_EQ(batch[0], "b");
  EXPECT_EQ(batch[2], "d");
}

TEST(Batch, KeepsItsBuffersAlive) {
  auto buffer = buffer_of({"a"});
  const std::weak_ptr<EventBuffer> watched = buffer;
  Batch batch(std::move(buffer));
  EXPECT_FALSE(watched.expired());
  batch = Batch();
  EXPECT_TRUE(watched.expired());
}

TEST(Batch, SlicesThatContinueEachOtherBecomeOne) {
  const auto buffer = buffer_of({"a", "b", "c", "d"});
  Batch batch;
  batch.append({buffer, 0, 1});
  batch.append({buffer, 1, 2});
  EXPECT_EQ(batch.slices().size(), 1u);
  batch.append({buffer, 0, 1});
  EXPECT_EQ(batch.slices().size(), 2u) << "going back is no continuation";
  batch.append({buffer_of({"x"}), 1, 0});
  EXPECT_EQ(batch.slices().size(), 2u) << "nothing adds nothing";
}

TEST(Batch, NothingIsEmpty) {
  const Batch batch;
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), 0u);
  EXPECT_TRUE(batch.begin() == batch.end());
  EXPECT_TRUE(Batch(std::make_shared<EventBuffer>()).empty());
}

RC_GTEST_PROP(Batch, APartHoldsExactlyTheEventsThatItNames, (const std::vector<std::vector<std::string>>& buffers)) {
  Batch batch;
  std::vector<std::string> all;
  for (const auto& events : buffers) {
    const auto first = static_cast<std::uint32_t>(*rc::gen::inRange<std::size_t>(0, events.size() + 1));
    batch.append({buffer_of(events), first, static_cast<std::uint32_t>(events.size()) - first});
    all.insert(all.end(), events.begin() + first, events.end());
  }
  RC_ASSERT(events_of(batch) == all);
  const auto first = *rc::gen::inRange<std::size_t>(0, all.size() + 1);
  const auto count = *rc::gen::inRange<std::size_t>(0, all.size() - first + 1);
  const Batch part = batch.part(first, count);
  const std::vector<std::string> expected(all.begin() + static_cast<std::ptrdiff_t>(first),
                                          all.begin() + static_cast<std::ptrdiff_t>(first + count));
  RC_ASSERT(events_of(part) == expected);
  RC_ASSERT(part.size() == count);
  std::size_t bytes = 0;
  for (std::size_t event = 0; event < count; ++event) {
    RC_ASSERT(part[event] == expected[event]);
    bytes += expected[event].size();
  }
  RC_ASSERT(part.bytes() == bytes);
}

}  // namespace
}  // namespace windlass
