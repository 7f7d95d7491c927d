#include "app/file_watch.h"

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <string>

#include "support/run_until.h"
#include "support/temporary_directory.h"

namespace windlass::app {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class FileWatchTest : public testing::Test {
 protected:
  void watch(const std::string& where, FileWatch::Times times) {
    file.emplace(
        context, where, [this] { ++looks; }, times);
  }
  bool is_looked_at(int times) {
    return test::run_until(context, [&] { return looks >= times; });
  }

  test::TemporaryDirectory directory;
  const std::string path = (directory.path() / "hosts").string();
  boost::asio::io_context context{1};
  std::optional<FileWatch> file;
  int looks = 0;
};

TEST_F(FileWatchTest, AFileIsLookedAtTwiceAfterItWasWrittenReplacedOrRemoved) {
  watch(path, {hours(1), milliseconds(1)});
  directory.write("hosts", "h1\n");
  ASSERT_TRUE(is_looked_at(2)) << "a new file";
  looks = 0;
  std::ofstream(path, std::ios::app) << "h2\n";
  ASSERT_TRUE(is_looked_at(2)) << "one that is appended to";
  looks = 0;
  directory.write("hosts.new", "h3\n");
  std::filesystem::rename(directory.path() / "hosts.new", path);
  ASSERT_TRUE(is_looked_at(2)) << "another one in its place";
  looks = 0;
  std::filesystem::remove(path);
  EXPECT_TRUE(is_looked_at(2)) << "none";
}

TEST_F(FileWatchTest, ItsNeighboursAreNoNews) {
  watch(path, {hours(1), milliseconds(0)});
  directory.write("other", "text");
  context.run_one();
  context.poll();
  EXPECT_EQ(looks, 0);
}

TEST_F(FileWatchTest, ItIsLookedAtFromTimeToTimeWhereNobodyTells) {
  watch((directory.path() / "none" / "hosts").string(), {milliseconds(1), milliseconds(1)});
  EXPECT_TRUE(is_looked_at(3));
}

}  // namespace
}  // namespace windlass::app
