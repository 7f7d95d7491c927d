#include "runtime/inbox.h"

#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include <windlass/error.h>

namespace windlass::runtime {
namespace {

using Submissions = std::vector<std::shared_ptr<core::Submission>>;

class InboxTest : public testing::Test {
 protected:
  Submissions take() {
    Submissions submissions;
    inbox.take(submissions);
    return submissions;
  }
  bool add(std::string_view event, Signal signal = {}, bool guaranteed = false) {
    bool was_empty = false;
    EXPECT_FALSE(inbox.add_event(event, std::move(signal), guaranteed, was_empty));
    return was_empty;
  }
  static EventBuffer buffer_of(std::string_view event) {
    EventBuffer buffer;
    buffer.append(event);
    return buffer;
  }

  Inbox inbox;
};

TEST_F(InboxTest, GathersSingleEventsOfAThread) {
  for (int i = 0; i < 1000; ++i) add(std::to_string(i));
  const Submissions taken = take();
  ASSERT_EQ(taken.size(), 1u);
  ASSERT_EQ(taken[0]->size(), 1000u);
  EXPECT_EQ((*taken[0])[999], "999");
  EXPECT_EQ(taken[0]->signalling, core::Signalling::none);
}

TEST_F(InboxTest, SaysWhenItWasEmptySoThatTheLoopIsWokenOnce) {
  EXPECT_TRUE(inbox.empty());
  EXPECT_TRUE(add("first"));
  EXPECT_FALSE(add("second"));
  EXPECT_FALSE(inbox.empty());
  take();
  EXPECT_TRUE(inbox.empty());
  EXPECT_TRUE(add("third"));
}

TEST_F(InboxTest, KeepsApartWhatIsTreatedDifferently) {
  const Signal signal = [](const Outcome&) {};
  add("quiet");
  add("heard", signal);
  add("heard too", signal);
  add("guaranteed", signal, true);
  const Submissions taken = take();
  ASSERT_EQ(taken.size(), 3u);
  EXPECT_EQ(taken[0]->signalling, core::Signalling::none);
  EXPECT_EQ(taken[1]->signalling, core::Signalling::each);
  EXPECT_EQ(taken[1]->signals.size(), 2u);
  EXPECT_FALSE(taken[1]->guaranteed);
  EXPECT_TRUE(taken[2]->guaranteed);
}

TEST_F(InboxTest, KeepsTheOrderOfAThread) {
  add("1");
  bool was_empty = false;
  EXPECT_FALSE(inbox.add_events(buffer_of("2"), {}, false, was_empty));
  add("3");
  std::string order;
  for (const auto& submission : take()) order += (*submission)[0];
  EXPECT_EQ(order, "123");
}

TEST_F(InboxTest, HandsAGrownSubmissionOnSoThatNoneGrowsWithoutEnd) {
  const std::string event(10'000, 'x');
  for (int i = 0; i < 100; ++i) add(event);
  const Submissions taken = take();
  EXPECT_GT(taken.size(), 5u);
  std::size_t events = 0;
  for (const auto& submission : taken) events += submission->size();
  EXPECT_EQ(events, 100u);
}

TEST_F(InboxTest, UsesSubmissionsAgainWhenNobodyReadsThemAnyMore) {
  add("first");
  Submissions taken = take();
  const core::Submission* const first = taken[0].get();
  const std::shared_ptr<const EventBuffer> reader = taken[0];
  taken.clear();
  add("second");
  taken = take();
  EXPECT_NE(taken[0].get(), first) << "a client still reads it";
  EXPECT_EQ((*reader)[0], "first");
}

TEST_F(InboxTest, MayBeOutlivedByWhatWasTaken) {
  Submissions taken;
  {
    Inbox short_lived;
    bool was_empty = false;
    EXPECT_FALSE(short_lived.add_event("still here", {}, false, was_empty));
    short_lived.take(taken);
  }
  EXPECT_EQ((*taken[0])[0], "still here");
}

TEST_F(InboxTest, RefusesWhenItIsClosedAndKeepsWhatCameBefore) {
  add("before");
  inbox.close();
  bool was_empty = false;
  EventBuffer refused = buffer_of("after");
  EXPECT_EQ(inbox.add_event("after", {}, false, was_empty), errc::closed);
  EXPECT_EQ(inbox.add_events(std::move(refused), {}, false, was_empty), errc::closed);
  EXPECT_EQ(refused.size(), 1u);
  EXPECT_EQ(take().size(), 1u);
}

TEST_F(InboxTest, LosesNothingOfManyThreads) {
  constexpr int each = 20'000;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      bool was_empty = false;
      for (int i = 0; i < each; ++i) ASSERT_FALSE(inbox.add_event("event", {}, false, was_empty));
    });
  }
  std::size_t events = 0;
  while (events < 4 * each)
    for (const auto& submission : take()) events += submission->size();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(events, 4u * each);
  EXPECT_TRUE(inbox.empty());
}

}  // namespace
}  // namespace windlass::runtime
