#include "input/glob.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "input/memory_files.h"

namespace windlass::input {
namespace {

using testing::UnorderedElementsAre;

std::set<std::string> expand(const std::string& pattern, MemoryFiles& files) {
  std::set<std::string> found;
  Listings listings(files);
  Glob(pattern).expand(listings, [&](const std::string& path, DirectoryEntry::Kind) {
    EXPECT_TRUE(Glob(pattern).matches(path)) << path;
    found.insert(path);
  });
  return found;
}

TEST(Glob, FindsWhatItsPartsMatch) {
  MemoryFiles files;
  for (const char* path : {"/var/log/a.log", "/var/log/b.log", "/var/log/.hidden.log", "/var/log/a.txt",
                           "/var/log/app/c.log", "/var/log/app/deep/er/d.log"})
    files.append(path, "x");
  EXPECT_THAT(expand("/var/log/a.log", files), UnorderedElementsAre("/var/log/a.log"));
  EXPECT_THAT(expand("/var/log/[ab].*", files),
              UnorderedElementsAre("/var/log/a.log", "/var/log/b.log", "/var/log/a.txt"));
  EXPECT_THAT(expand("/var/*/*.log", files),
              UnorderedElementsAre("/var/log/a.log", "/var/log/b.log", "/var/log/.hidden.log"));
  EXPECT_THAT(
      expand("/var/log/**/?.log", files),
      UnorderedElementsAre("/var/log/a.log", "/var/log/b.log", "/var/log/app/c.log", "/var/log/app/deep/er/d.log"));
  EXPECT_THAT(expand("/var/log/app/**", files),
              UnorderedElementsAre("/var/log/app/c.log", "/var/log/app/deep/er/d.log"));
  EXPECT_THAT(expand("/nowhere/*", files), UnorderedElementsAre());
}

TEST(Glob, MatchesPathsAsItFindsThem) {
  EXPECT_TRUE(Glob("/a/**/b").matches("/a/b"));
  EXPECT_TRUE(Glob("/a/**/b").matches("/a/1/2/3/4/5/6/7/8/b"));
  EXPECT_FALSE(Glob("/a/**/b").matches("/a/1/2/3/4/5/6/7/8/9/b"));
  EXPECT_FALSE(Glob("/a/*").matches("/a/b/c"));
  EXPECT_FALSE(Glob("a/*").matches("/a/b"));
  EXPECT_TRUE(Glob("logs/*.log").matches("logs/a.log"));
}

}  // namespace
}  // namespace windlass::input
