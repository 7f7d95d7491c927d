#include "queue/lockstep.h"

#include <algorithm>
#include <gtest/gtest.h>

#include <windlass/error.h>

namespace windlass::queue {

void Lockstep::open() {
  const std::error_code error = DiskQueue::open(disk.storage(), options_, queue_);
  ASSERT_FALSE(error) << error.message();
}

bool Lockstep::append(std::size_t count, bool guaranteed) {
  if (disk.down()) return false;
  EventBuffer buffer;
  for (std::size_t index = 0; index < count; ++index, ++texts_)
    buffer.append("event " + std::to_string(texts_) + std::string(texts_ % 13, '.'));
  const Sequence next = queue_->next();
  // Before the call, which may crash with all of it written.
  for (std::size_t index = 0; index < count; ++index)
    events_[next + index] = {std::string(buffer[index]), guaranteed, false, false, false, Ack::no};
  Sequence first = 0;
  const std::error_code error = queue_->append(buffer, guaranteed, first);
  if (disk.down()) return false;  // it may be there, and it may not
  if (error) {
    events_.erase(events_.lower_bound(next), events_.end());
    return false;
  }
  EXPECT_EQ(first, next);
  for (auto event = events_.lower_bound(next); event != events_.end(); ++event) event->second.written = true;
  return true;
}

void Lockstep::sync() {
  const Sequence before = queue_->durable();
  const std::error_code error = queue_->sync();
  if (disk.down()) return;
  for (auto event = events_.lower_bound(before); event != events_.end(); ++event)
    error ? void(event->second.acked = Ack::yes) : void(event->second.durable = true);
}

bool Lockstep::read() {
  DiskQueue::Stored stored;
  if (!queue_->read(stored)) {
    if (disk.down()) return false;
    for (const auto& [number, event] : events_)
      EXPECT_TRUE(event.read || event.acked != Ack::no) << number << " was not read";
    return false;
  }
  EXPECT_GT(stored.events.size(), 0u);
  for (std::size_t index = 0; index < stored.events.size(); ++index) {
    const Sequence number = stored.first + index;
    const auto event = events_.find(number);
    if (event == events_.end()) {
      ADD_FAILURE() << number << " was never appended";
      continue;
    }
    EXPECT_EQ(event->second.text, stored.events[index]);
    EXPECT_EQ(event->second.guaranteed, stored.guaranteed);
    EXPECT_FALSE(event->second.read) << number << " was read twice";
    EXPECT_EQ(event->second.acked, Ack::no) << number << " was acknowledged";
    const auto before = event == events_.begin() ? event : std::prev(event);
    EXPECT_TRUE(before == event || before->second.read || before->second.acked != Ack::no) << "out of order";
    event->second.read = true;
  }
  handed_out_.emplace_back(stored.first, stored.events.size());
  return true;
}

void Lockstep::read_all() {
  while (read()) {
  }
}

void Lockstep::ack(std::uint64_t which) {
  if (handed_out_.empty()) return;
  auto& run = handed_out_[which % handed_out_.size()];
  // All of it, or a few somewhere in it, so that holes come about.
  const std::uint64_t skip = which / 7 % 3 == 0 ? which / 3 % run.second : 0;
  const std::uint64_t count = which / 5 % 2 == 0 ? run.second - skip : 1;
  queue_->ack(run.first + skip, count);
  for (std::uint64_t index = 0; index < count; ++index) {
    const auto event = events_.find(run.first + skip + index);
    if (event != events_.end()) event->second.acked = std::max(event->second.acked, Ack::yes);
  }
}

void Lockstep::ack_all() {
  read_all();
  for (const auto& [first, count] : handed_out_) queue_->ack(first, count);
  for (auto& [number, event] : events_)
    if (event.read) event.acked = std::max(event.acked, Ack::yes);
}

void Lockstep::save_position(bool durable) {
  if (queue_->save_position(durable)) return;
  for (auto& [number, event] : events_)
    if (event.acked != Ack::no) event.acked = std::max(event.acked, durable ? Ack::durable : Ack::saved);
}

void Lockstep::remove_done(bool for_room) {
  queue_->remove_done(for_room);
}

std::size_t Lockstep::unacked() const {
  std::size_t count = 0;
  for (const auto& [number, event] : events_) count += event.acked == Ack::no;
  return count;
}

void Lockstep::crash(Fate fate, std::uint64_t seed) {
  disk.go_down();
  queue_.reset();  // nothing that it would still do at its end happens
  disk.come_back(fate, seed);
  open();
  if (!testing::Test::HasFatalFailure()) look_at_what_is_there(fate == Fate::kept);
}

void Lockstep::reopen() {
  sync();
  save_position(true);
  queue_.reset();
  if (disk.down()) return;
  open();
  if (!testing::Test::HasFatalFailure() && !disk.down()) look_at_what_is_there(true);
}

void Lockstep::look_at_what_is_there(bool process_only) {
  handed_out_.clear();
  std::set<Sequence> there;
  const std::uint64_t stored_events = queue_->events();
  const std::uint64_t missed = queue_->unfinished_events();
  for (DiskQueue::Stored stored; queue_->read(stored);) {
    for (std::size_t index = 0; index < stored.events.size(); ++index) {
      const Sequence number = stored.first + index;
      const auto event = events_.find(number);
      if (event == events_.end()) {
        ADD_FAILURE() << number << " was never appended";
        continue;
      }
      EXPECT_EQ(event->second.text, stored.events[index]);
      EXPECT_EQ(event->second.guaranteed, stored.guaranteed);
      EXPECT_TRUE(there.insert(number).second) << number << " was read twice";
      EXPECT_NE(event->second.acked, Ack::durable) << number << " came back although its acknowledgement was durable";
      EXPECT_FALSE(process_only && event->second.acked == Ack::saved) << number << " came back although that was saved";
    }
  }
  if (disk.down()) return;
  EXPECT_EQ(queue_->damaged_events(), 0u);
  EXPECT_EQ(stored_events, there.size() + queue_->unfinished_events() - missed);
  for (auto event = events_.begin(); event != events_.end();) {
    Event& known = event->second;
    const bool must_be_there = known.acked == Ack::no && (known.durable || (process_only && known.written));
    EXPECT_TRUE(!must_be_there || there.contains(event->first)) << event->first << " is lost";
    if (!there.contains(event->first)) {
      event = events_.erase(event);
      continue;
    }
    known = {known.text, known.guaranteed, true, true, false, Ack::no};
    ++event;
  }
  // What was read to look at it is to be read once more.
  queue_.reset();
  open();
}

}  // namespace windlass::queue
