#include <cstring>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>

#include <windlass/event_buffer.h>

namespace windlass {
namespace {

TEST(EventBuffer, HoldsEventsSideBySide) {
  EventBuffer events;
  events.append("one");
  events.append("");
  events.append("three");
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0], "one");
  EXPECT_EQ(events[1], "");
  EXPECT_EQ(events[2], "three");
  EXPECT_EQ(events.bytes(), 8u);
  EXPECT_EQ(events[2].data(), events[0].data() + 3) << "in one piece of memory";
}

TEST(EventBuffer, AnEventOfNoBytesIsAnEvent) {
  EventBuffer events;
  events.append("");
  EXPECT_FALSE(events.empty());
  EXPECT_EQ(events.bytes(), 0u);
}

TEST(EventBuffer, EventsAreEncodedInPlace) {
  EventBuffer events;
  char* place = events.prepare(100);
  std::memcpy(place, "abc", 3);
  events.commit(3);
  std::memcpy(events.prepare(100), "de", 2);
  events.commit(2);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0], "abc");
  EXPECT_EQ(events[1], "de");
}

TEST(EventBuffer, GrowsAsItMust) {
  EventBuffer events;
  std::string expected;
  for (int event = 0; event < 1000; ++event)
    events.append(std::string(event % 37, static_cast<char>('a' + event % 26)));
  for (int event = 0; event < 1000; ++event)
    ASSERT_EQ(events[event], std::string(event % 37, static_cast<char>('a' + event % 26)));
}

TEST(EventBuffer, BytesBetweenTwoEvents) {
  EventBuffer events;
  for (const char* event : {"a", "bb", "ccc", "dddd"}) events.append(event);
  EXPECT_EQ(events.bytes_between(0, 4), 10u);
  EXPECT_EQ(events.bytes_between(1, 3), 5u);
  EXPECT_EQ(events.bytes_between(2, 2), 0u);
  EXPECT_EQ(events.bytes_between(0, 0), 0u);
}

TEST(EventBuffer, ClearForgetsTheEventsAndKeepsTheMemory) {
  EventBuffer events;
  events.append(std::string(1000, 'x'));
  const auto capacity = events.capacity();
  events.clear();
  EXPECT_TRUE(events.empty());
  EXPECT_EQ(events.bytes(), 0u);
  EXPECT_EQ(events.capacity(), capacity);
  events.append("again");
  EXPECT_EQ(events[0], "again");
}

TEST(EventBuffer, ReserveMakesRoomAtOnce) {
  EventBuffer events;
  events.reserve(1000, 10);
  const auto capacity = events.capacity();
  EXPECT_GE(capacity, 1000u);
  for (int event = 0; event < 10; ++event) events.append(std::string(100, 'x'));
  EXPECT_EQ(events.capacity(), capacity);
}

TEST(EventBuffer, WhatWasMovedFromIsEmptyAndOfUse) {
  EventBuffer events;
  events.append("one");
  EventBuffer taken(std::move(events));
  EXPECT_EQ(taken[0], "one");
  EXPECT_TRUE(events.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(events.bytes(), 0u);
  events.append("two");
  EXPECT_EQ(events[0], "two");
  taken = std::move(events);
  EXPECT_EQ(taken[0], "two");
  EXPECT_TRUE(events.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(EventBuffer, RefusesMoreBytesThanItCanAddress) {
  EventBuffer events;
  events.append("one");
  EXPECT_THROW(events.reserve(EventBuffer::max_bytes, 0), std::length_error);
  EXPECT_THROW(events.prepare(EventBuffer::max_bytes - 2), std::length_error);
  EXPECT_EQ(events[0], "one") << "and is as it was";
}

}  // namespace
}  // namespace windlass
