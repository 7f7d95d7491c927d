#include "runtime/loop.h"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>
#include <thread>

namespace windlass::runtime {
namespace {

TEST(Loop, KnowsItsThread) {
  Loop loop;
  EXPECT_FALSE(loop.on_thread());
  loop.adopt_thread();
  EXPECT_TRUE(loop.on_thread());
  std::thread([&] { EXPECT_FALSE(loop.on_thread()); }).join();
  loop.release_thread();
  EXPECT_FALSE(loop.on_thread()) << "the system may give the thread's identity to another";
}

TEST(Loop, IsWokenOnceEachTimeThatItSleeps) {
  Loop loop;
  const auto guard = boost::asio::make_work_guard(loop.context());
  loop.wake();
  EXPECT_EQ(loop.context().poll(), 0u);
  loop.about_to_sleep();
  loop.wake();
  loop.wake();
  EXPECT_EQ(loop.context().poll(), 1u);
  loop.about_to_sleep();
  loop.awake();
  loop.wake();
  EXPECT_EQ(loop.context().poll(), 0u);
}

TEST(Loop, NeverSleepsBesideWorkThatWasAnnounced) {
  constexpr int rounds = 5'000;
  Loop loop;
  const auto guard = boost::asio::make_work_guard(loop.context());
  std::atomic<int> announced{0};
  std::atomic<int> seen{0};
  std::thread worker([&] {
    loop.adopt_thread();
    while (seen < rounds) {
      loop.about_to_sleep();
      if (announced.load() == seen) loop.context().run_one();
      loop.awake();
      loop.context().poll();
      seen = announced.load();
    }
  });
  for (int i = 1; i <= rounds; ++i) {
    announced.store(i);
    loop.wake();
    while (seen < i) std::this_thread::yield();
  }
  worker.join();
}

}  // namespace
}  // namespace windlass::runtime
