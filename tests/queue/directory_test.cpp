// The storage of the real world, and the queue on it.

#include "queue/directory.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <windlass/error.h>

#include "queue/disk_queue.h"
#include "support/temporary_directory.h"

namespace windlass::queue {
namespace {

std::unique_ptr<Directory> open_directory(const std::string& path) {
  std::unique_ptr<Directory> directory;
  EXPECT_FALSE(Directory::open(path, true, directory));
  return directory;
}

TEST(QueueDirectory, ReadsWhatItWrote) {
  const test::TemporaryDirectory temporary;
  const auto directory = open_directory(temporary.path() / "deep" / "down");
  std::unique_ptr<File> file;
  ASSERT_FALSE(directory->open("file", Storage::Open::create, file));
  ASSERT_FALSE(file->zero(0, 3'000'000));
  std::vector<std::string> texts;
  std::vector<std::string_view> pieces;
  for (int i = 0; i < 20; ++i) texts.push_back(std::string(i, static_cast<char>('a' + i)));
  for (const std::string& text : texts) pieces.emplace_back(text);
  ASSERT_FALSE(file->write(1'000'000, pieces));
  ASSERT_FALSE(file->sync());
  std::string all;
  for (const std::string& text : texts) all += text;
  std::string read(all.size() + 2, '?');
  std::size_t got = 0;
  ASSERT_FALSE(file->read(999'999, read, got));
  EXPECT_EQ(read, '\0' + all + '\0');
  ASSERT_FALSE(file->resize(1'000'001));
  ASSERT_FALSE(file->read(1'000'000, read, got));
  EXPECT_EQ(got, 1u);
  ASSERT_FALSE(directory->rename("file", "other"));
  ASSERT_FALSE(directory->sync_names());
  std::vector<std::string> names;
  ASSERT_FALSE(directory->list(names));
  EXPECT_THAT(names, testing::ElementsAre(".", "..", "other"));
  ASSERT_FALSE(directory->remove("other"));
  EXPECT_EQ(directory->open("other", Storage::Open::to_read, file), std::errc::no_such_file_or_directory);
}

TEST(QueueDirectory, HasOneHolder) {
  const test::TemporaryDirectory temporary;
  const auto first = open_directory(temporary.path());
  const auto second = open_directory(temporary.path());
  EXPECT_FALSE(first->lock());
  EXPECT_EQ(second->lock(), errc::queue_in_use);
  EXPECT_EQ(second->holder(), getpid());
}

TEST(QueueDirectory, KeepsAQueue) {
  const test::TemporaryDirectory temporary;
  std::unique_ptr<DiskQueue> queue;
  ASSERT_FALSE(DiskQueue::open(open_directory(temporary.path()), {1 << 20, 64 << 10}, queue));
  for (int i = 0; i < 100; ++i) {
    EventBuffer events;
    for (int j = 0; j < 10; ++j) events.append(std::string(270, static_cast<char>('a' + i % 26)));
    Sequence first = 0;
    ASSERT_FALSE(queue->append(events, false, first));
    EXPECT_EQ(first, 10u * i);
  }
  ASSERT_FALSE(queue->sync());
  queue.reset();
  ASSERT_FALSE(DiskQueue::open(open_directory(temporary.path()), {1 << 20, 64 << 10}, queue));
  EXPECT_EQ(queue->events(), 1000u);
  DiskQueue::Stored stored;
  std::size_t events = 0;
  while (queue->read(stored)) {
    EXPECT_EQ(stored.events[0], std::string(270, static_cast<char>('a' + stored.first / 10 % 26)));
    queue->ack(stored.first, stored.events.size());
    events += stored.events.size();
  }
  EXPECT_EQ(events, 1000u);
  EXPECT_FALSE(queue->remove_done(true));
  EXPECT_EQ(queue->segments(), 0u);
  EXPECT_LE(queue->bytes(), std::size_t{64} << 10);  // a segment that is to be used again
}

}  // namespace
}  // namespace windlass::queue
