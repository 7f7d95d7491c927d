#include "runtime/answer_door.h"

#include <gtest/gtest.h>
#include <memory>
#include <thread>
#include <vector>

#include <windlass/client.h>
#include <windlass/error.h>

namespace windlass::runtime {
namespace {

/// This thread plays the loop's.
class AnswerDoorTest : public testing::Test {
 protected:
  AnswerDoorTest() { loop->adopt_thread(); }

  std::vector<Answer> take() {
    std::vector<Answer> answers;
    door->take(answers);
    return answers;
  }
  template <class Do>
  static void in_another_thread(Do something) {
    std::thread(something).join();
  }

  std::shared_ptr<Loop> loop = std::make_shared<Loop>();
  std::shared_ptr<AnswerDoor> door = std::make_shared<AnswerDoor>(loop, 2);
};

TEST_F(AnswerDoorTest, TakesAnswersOfTheLoopAndOfOthers) {
  Completion(door, 1).acked();
  in_another_thread([&] { Completion(door, 2).failed(errc::temporary); });
  EXPECT_FALSE(door->empty());
  const std::vector<Answer> answers = take();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(std::get<Finished>(answers[0]).attempt, 1u);
  EXPECT_FALSE(std::get<Finished>(answers[0]).result.error);
  EXPECT_EQ(std::get<Finished>(answers[1]).attempt, 2u);
  EXPECT_EQ(std::get<Finished>(answers[1]).result.error, errc::temporary);
  EXPECT_TRUE(door->empty());
}

TEST_F(AnswerDoorTest, AnswersForACompletionThatWasDropped) {
  { const Completion dropped(door, 7); }
  Completion moved(door, 8);
  { const Completion taken = std::move(moved); }
  const std::vector<Answer> answers = take();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(std::get<Finished>(answers[0]).result.error, errc::abandoned);
  EXPECT_EQ(std::get<Finished>(answers[1]).attempt, 8u);
}

TEST_F(AnswerDoorTest, WakesALoopThatSleeps) {
  loop->about_to_sleep();
  in_another_thread([&] { Completion(door, 1).acked(); });
  EXPECT_EQ(loop->context().poll(), 1u);
}

TEST_F(AnswerDoorTest, LetsALoopThatIsAwakeBe) {
  in_another_thread([&] { Completion(door, 1).acked(); });
  EXPECT_EQ(loop->context().poll(), 0u);
}

TEST_F(AnswerDoorTest, HearsOfAConnectionOnceAndOfTheLatestOnly) {
  door->begin({0, 1});
  const Link first(door, 0, 1);
  first.connected();
  first.connected();
  first.lost(errc::connection_lost);
  first.lost(errc::connection_lost);
  EXPECT_EQ(take().size(), 2u);
  door->begin({0, 2});
  const Link second(door, 0, 2);
  first.lost(errc::connection_lost);
  first.connected();
  EXPECT_EQ(take().size(), 0u);
  second.lost(errc::connection_lost);
  second.connected();
  EXPECT_EQ(take().size(), 1u) << "what is lost is not connected any more";
}

TEST_F(AnswerDoorTest, IsBoundedHoweverMuchIsHinted) {
  door->begin({0, 1});
  const Link link(door, 0, 1);
  Completion completion(door, 1);
  const auto hint = [&] {
    for (int i = 0; i < 100'000; ++i) {
      link.alive();
      completion.progress(1);
    }
  };
  hint();
  in_another_thread(hint);
  completion.acked();
  in_another_thread([&] { link.lost(errc::connection_lost); });
  const std::vector<Answer> answers = take();
  EXPECT_LT(answers.size(), 10'000u);
  int that_matter = 0;
  for (const Answer& answer : answers)
    that_matter += std::holds_alternative<Finished>(answer) || std::holds_alternative<Lost>(answer);
  EXPECT_EQ(that_matter, 2) << "answers are never left out";
}

TEST_F(AnswerDoorTest, ForgetsEverythingOnceItIsClosed) {
  Completion(door, 1).acked();
  in_another_thread([&] { Completion(door, 2).acked(); });
  door->close();
  loop->release_thread();
  Completion(door, 3).acked();
  in_another_thread([&] { Completion(door, 4).acked(); });
  EXPECT_TRUE(take().empty());
}

TEST_F(AnswerDoorTest, IsNotNeededByLinksAndCompletionsThatBelongToNobody) {
  const Link link;
  link.connected();
  link.lost(errc::connection_lost);
  link.alive();
  Completion completion;
  completion.progress(1);
  completion.acked();
}

}  // namespace
}  // namespace windlass::runtime
