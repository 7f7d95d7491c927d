#include "input/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "input/followed_world.h"
#include "input/registry_directory.h"
#include "support/temporary_directory.h"

namespace windlass::input {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

FileEntry entry(std::uint64_t identity, std::uint64_t position = 100) {
  FileEntry result;
  result.identity = identity;
  result.generation = 3;
  result.state = FileEntry::State::copy;
  result.key = {5, 7 + identity};
  result.origin = {6, 8};
  result.born = -12;
  result.fingerprint = {256, 0xabcdef};
  result.mark = {1024, 77};
  result.position = position;
  result.gone_since = 1'700'000'000;
  result.path = "/var/log/a b%\n\xff.log";
  return result;
}

std::error_code save(Registry& registry, std::vector<FileEntry> entries, std::vector<std::uint64_t> removed = {}) {
  return registry.save(entries, removed);
}

TEST(Registry, RemembersAllOfAnEntry) {
  MemoryStorage storage;
  Registry registry(storage);
  registry.load();
  ASSERT_FALSE(save(registry, {entry(1), entry(2)}));
  ASSERT_FALSE(save(registry, {entry(2, 500)}, {1}));
  Registry again(storage);
  const Registry::Loaded loaded = again.load();
  EXPECT_FALSE(loaded.error);
  EXPECT_EQ(loaded.damaged_lines, 0u);
  ASSERT_EQ(again.entries().size(), 1u);
  EXPECT_EQ(again.entries().at(2), entry(2, 500));
}

TEST(Registry, ItsLogStaysSmallHoweverOftenPositionsMove) {
  MemoryStorage storage;
  Registry registry(storage);
  registry.load();
  std::size_t largest = 0;
  for (std::uint64_t position = 0; position < 20'000; ++position) {
    ASSERT_FALSE(save(registry, {entry(1, position)}));
    largest = std::max(largest, storage.bytes.size());
  }
  EXPECT_LT(largest, std::size_t{300} << 10);
  Registry again(storage);
  again.load();
  EXPECT_EQ(again.entries().at(1).position, 19'999u);
}

TEST(Registry, ATornEndCostsTheTornLineOnly) {
  MemoryStorage storage;
  Registry registry(storage);
  registry.load();
  ASSERT_FALSE(save(registry, {entry(1)}));
  const std::size_t whole = storage.bytes.size();
  ASSERT_FALSE(save(registry, {entry(2)}));
  const std::string log = storage.bytes;
  for (std::size_t length = 0; length < log.size(); ++length) {
    storage.bytes = log.substr(0, length);
    Registry again(storage);
    const Registry::Loaded loaded = again.load();
    EXPECT_EQ(loaded.damaged_lines, 0u);
    EXPECT_FALSE(loaded.foreign);
    EXPECT_EQ(again.entries().contains(1), length >= whole) << length;
    ASSERT_FALSE(save(again, {entry(3)}));
    Registry third(storage);
    EXPECT_EQ(third.load().damaged_lines, 0u);
    EXPECT_TRUE(third.entries().contains(3));
  }
}

TEST(Registry, AFlippedBitCostsOneLineAndIsKeptAside) {
  MemoryStorage storage;
  Registry registry(storage);
  registry.load();
  ASSERT_FALSE(save(registry, {entry(1)}));
  ASSERT_FALSE(save(registry, {entry(2)}));
  const std::string log = storage.bytes;
  for (std::size_t at = 0; at < log.size(); ++at)
    for (const char bit : {1, 64}) {
      storage.bytes = log;
      storage.bytes[at] = static_cast<char>(storage.bytes[at] ^ bit);
      storage.aside.clear();
      const std::string damaged = storage.bytes;
      Registry again(storage);
      const Registry::Loaded loaded = again.load();
      // In the header nothing can be trusted; the last newline looks like a torn line.
      if (at == log.size() - 1) continue;
      EXPECT_TRUE(loaded.foreign || loaded.damaged_lines > 0) << at;
      EXPECT_EQ(storage.aside, damaged);
      // A newline that is damaged makes one line of two.
      EXPECT_GE(again.entries().size() + loaded.damaged_lines + (log[at] == '\n' ? 1 : 0) + (loaded.foreign ? 2 : 0),
                2u);
      for (const auto& [identity, found] : again.entries()) EXPECT_EQ(found, entry(identity));
    }
}

TEST(Registry, WhatIsNoRegistryIsKeptAsideAndNotUsed) {
  MemoryStorage storage;
  storage.bytes = "windlass-positions 9\nsomething\n";
  Registry registry(storage);
  EXPECT_TRUE(registry.load().foreign);
  EXPECT_THAT(storage.aside, HasSubstr("something"));
  ASSERT_FALSE(save(registry, {entry(1)}));
  Registry again(storage);
  EXPECT_FALSE(again.load().foreign);
  EXPECT_EQ(again.entries().size(), 1u);
}

TEST(Registry, ADamagedFirstLineCostsItselfOnly) {
  MemoryStorage storage;
  Registry registry(storage);
  registry.load();
  ASSERT_FALSE(save(registry, {entry(1), entry(2)}));
  storage.bytes[3] = '?';
  Registry again(storage);
  const Registry::Loaded loaded = again.load();
  EXPECT_FALSE(loaded.foreign);
  EXPECT_EQ(loaded.damaged_lines, 1u);
  EXPECT_EQ(again.entries().size(), 2u);
}

/// Whether every whole line of an entry lies outside of [begin, end).
bool is_spared(const std::string& log, const FileEntry& of, std::size_t begin, std::size_t end) {
  const std::string word = fmt::format(" + {:016x} ", of.identity);
  for (std::size_t at = 0; at < log.size();) {
    const std::size_t next = log.find('\n', at) + 1;
    if (at <= end && begin <= next && log.substr(at, next - at).find(word) != std::string::npos) return false;
    at = next;
  }
  return true;
}

RC_GTEST_PROP(Registry, DamageAnywhereCostsWhatItHitsAndIsTold, ()) {
  MemoryStorage storage;
  Registry registry(storage);
  registry.load();
  std::unordered_map<std::uint64_t, std::vector<FileEntry>> saved;
  for (auto saves = *rc::gen::inRange(1, 8); saves > 0; --saves) {
    const auto of_file = *rc::gen::inRange<std::uint64_t>(1, 5);
    saved[of_file].push_back(entry(of_file, *rc::gen::inRange<std::uint64_t>(0, 1'000'000)));
    RC_ASSERT(!save(registry, {saved[of_file].back()}));
  }
  const std::string log = storage.bytes;
  const auto begin = *rc::gen::inRange<std::size_t>(0, log.size());
  const auto end = std::min(log.size(), begin + *rc::gen::inRange<std::size_t>(0, 300));
  const auto instead = *rc::gen::container<std::string>(*rc::gen::inRange(0, 30), rc::gen::arbitrary<char>());
  storage.bytes = log.substr(0, begin) + instead + log.substr(end);
  const std::string damaged = storage.bytes;

  Registry again(storage);
  const Registry::Loaded loaded = again.load();
  if (loaded.foreign || loaded.damaged_lines > 0) RC_ASSERT(storage.aside == damaged);
  for (const auto& [identity, found] : again.entries())
    RC_ASSERT(std::ranges::find(saved[identity], found) != saved[identity].end());
  for (const auto& [identity, entries] : saved) {
    if (!is_spared(log, entries.back(), begin, end) || loaded.foreign) continue;
    RC_ASSERT(again.entries().contains(identity));
    RC_ASSERT(again.entries().at(identity) == entries.back());
  }
  // Only whole lines that were cut out leave no trace, and a last one that has lost its end.
  const bool all_there = again.entries() == registry.entries();
  const bool is_cut = instead.empty() || instead.back() == '\n' || end == log.size();
  RC_ASSERT(all_there || is_cut || loaded.foreign || loaded.damaged_lines > 0);

  RC_ASSERT(!save(again, {entry(9)}));
  Registry third(storage);
  RC_ASSERT(third.load().damaged_lines == 0);
  RC_ASSERT(third.entries() == again.entries());
}

TEST(Registry, AFullDiskLosesNothingThatWasSavedAndIsTriedAgain) {
  for (std::size_t room = 0; room < 600; room += 7) {
    MemoryStorage storage;
    Registry registry(storage);
    registry.load();
    ASSERT_FALSE(save(registry, {entry(1)}));
    storage.room = room;
    const std::error_code error = save(registry, {entry(1, 200), entry(2)});
    Registry crashed(storage);
    EXPECT_EQ(crashed.load().damaged_lines, 0u);
    EXPECT_GE(crashed.entries().at(1).position, 100u);
    if (!error) continue;
    EXPECT_TRUE(save(registry, {}));
    storage.room.reset();
    EXPECT_FALSE(save(registry, {}));
    Registry again(storage);
    again.load();
    EXPECT_EQ(again.entries().size(), 2u);
    EXPECT_EQ(again.entries().at(1).position, 200u);
  }
}

TEST(RegistryDirectory, KeepsTheLogOnDiskAndIsUsedByOneAtATime) {
  test::TemporaryDirectory directory;
  const std::string path = (directory.path() / "data" / "registry").string();
  {
    RegistryDirectory storage;
    ASSERT_FALSE(storage.open(path));
    RegistryDirectory second;
    EXPECT_EQ(second.open(path), std::errc::device_or_resource_busy);
    Registry registry(storage);
    EXPECT_FALSE(registry.load().error);
    ASSERT_FALSE(save(registry, {entry(1)}));
    ASSERT_FALSE(save(registry, {entry(2)}));
  }
  RegistryDirectory storage;
  ASSERT_FALSE(storage.open(path));
  Registry registry(storage);
  EXPECT_FALSE(registry.load().error);
  EXPECT_EQ(registry.entries().size(), 2u);
  ASSERT_FALSE(storage.keep_aside());
  std::string aside;
  EXPECT_TRUE(std::filesystem::exists(storage.damaged_path()));
}

TEST(RegistryDirectory, ThatCannotBeMadeIsAnError) {
  test::TemporaryDirectory directory;
  RegistryDirectory storage;
  EXPECT_TRUE(storage.open(directory.write("file", "") + "/registry"));
}

}  // namespace
}  // namespace windlass::input
