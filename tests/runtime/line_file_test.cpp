#include "runtime/line_file.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "support/temporary_directory.h"

namespace windlass::runtime {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A disk that is full: no file may grow beyond so many bytes, and a write that would is cut short first.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

class LineFileTest : public testing::Test {
 protected:
  LineFileOptions options() const {
    LineFileOptions options;
    options.path = path_;
    return options;
  }

  const test::TemporaryDirectory directory_;
  const std::string path_ = (directory_.path() / "lines").string();
};

TEST_F(LineFileTest, HoldsWhatWasFlushed) {
  LineFile file(options());
  ASSERT_FALSE(file.open());
  file.add("one");
  file.add("two");
  EXPECT_EQ(content(path_), "");
  const auto flushed = file.flush();
  EXPECT_FALSE(flushed.error);
  EXPECT_EQ(flushed.lines, 2u);
  EXPECT_EQ(content(path_), "one\ntwo\n");
  EXPECT_EQ(file.flush().lines, 0u);
}

TEST_F(LineFileTest, ForgetsWhatWasNotFlushedWhenItCloses) {
  LineFile file(options());
  ASSERT_FALSE(file.open());
  file.add("one");
  file.close();
  EXPECT_FALSE(file.is_open());
  ASSERT_FALSE(file.open());
  file.add("two");
  EXPECT_EQ(file.flush().lines, 1u);
  EXPECT_EQ(content(path_), "two\n");
}

TEST_F(LineFileTest, MakesAFileWithThePermissionsThatItWasTold) {
  LineFileOptions with = options();
  with.permissions = 0600;
  LineFile file(with);
  ASSERT_FALSE(file.open());
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(LineFileTest, CutsOffWhatAFullDiskLeftOfALineAndSaysHowManyAreWhole) {
  LineFile file(options());
  ASSERT_FALSE(file.open());
  {
    const FullDisk disk(10);
    for (const char* line : {"aaa", "bbb", "ccc", "ddd"}) file.add(line);
    const auto flushed = file.flush();
    EXPECT_EQ(flushed.error, std::errc::file_too_large);
    EXPECT_EQ(flushed.lines, 2u);
    EXPECT_EQ(content(path_), "aaa\nbbb\n");
  }
  // There is room again.
  file.add("ccc");
  file.add("ddd");
  EXPECT_EQ(file.flush().lines, 2u);
  EXPECT_EQ(content(path_), "aaa\nbbb\nccc\nddd\n");
}

TEST_F(LineFileTest, SyncsWhatIsWholeThoughTheDiskIsFull) {
  LineFileOptions with = options();
  with.sync = true;
  LineFile file(with);
  ASSERT_FALSE(file.open());
  const FullDisk disk(10);
  for (const char* line : {"aaa", "bbb", "ccc"}) file.add(line);
  const auto flushed = file.flush();
  EXPECT_EQ(flushed.error, std::errc::file_too_large);
  EXPECT_EQ(flushed.lines, 2u);
}

TEST_F(LineFileTest, TellsAtTheFlushOfAnErrorThatCameBefore) {
  LineFile file(options());
  ASSERT_FALSE(file.open());
  const FullDisk disk(4000);
  const std::string line(999, 'x');
  for (int i = 0; i < 2000; ++i) file.add(line);  // more than is held in memory
  const auto flushed = file.flush();
  EXPECT_EQ(flushed.error, std::errc::file_too_large);
  EXPECT_EQ(flushed.lines, 4u);
  EXPECT_EQ(content(path_).size(), 4000u);
}

TEST_F(LineFileTest, SaysThatADeviceIsFull) {
  LineFileOptions full;
  full.path = "/dev/full";
  LineFile file(full);
  ASSERT_FALSE(file.open());
  file.add("one");
  const auto flushed = file.flush();
  EXPECT_EQ(flushed.error, std::errc::no_space_on_device);
  EXPECT_EQ(flushed.lines, 0u);
}

TEST_F(LineFileTest, CutsOffALineWhoseWriterDied) {
  const std::string torn(100'000, 'x');
  directory_.write("lines", "1\n2\n" + torn);
  LineFile file(options());
  ASSERT_FALSE(file.open());
  EXPECT_EQ(file.cut_bytes(), torn.size());
  file.add("3");
  file.flush();
  EXPECT_EQ(content(path_), "1\n2\n3\n");
}

TEST_F(LineFileTest, EndsWhatIsTooLongForALineOfItsOwn) {
  const std::string foreign(LineFile::max_torn + 1, 'x');
  directory_.write("lines", foreign);
  LineFile file(options());
  ASSERT_FALSE(file.open());
  EXPECT_EQ(file.cut_bytes(), 0u);
  file.add("3");
  EXPECT_EQ(file.flush().lines, 1u);
  EXPECT_TRUE(content(path_) == foreign + "\n3\n");
}

TEST_F(LineFileTest, EndsALineThatAPipeHasTakenInPart) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const auto handler = std::signal(SIGPIPE, SIG_IGN);
  int reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  LineFile file(options());
  ASSERT_FALSE(file.open());
  file.add("whole");
  file.add(std::string(500'000, 'x'));  // no pipe holds so much
  std::thread leaving([&] {
    char bytes[1000];
    // Not before the writer waits for room, which it does inside of the long line.
    while (::read(reader, bytes, sizeof bytes) <= 0) std::this_thread::yield();
    ::close(reader);
  });
  const auto flushed = file.flush();
  leaving.join();
  EXPECT_EQ(flushed.error, std::errc::broken_pipe);
  EXPECT_EQ(flushed.lines, 1u);

  reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  char bytes[4096];
  while (::read(reader, bytes, sizeof bytes) > 0) continue;  // what the pipe still holds of before
  file.add("next");
  EXPECT_FALSE(file.flush().error);
  EXPECT_EQ(std::string(bytes, static_cast<std::size_t>(::read(reader, bytes, sizeof bytes))), "\nnext\n");
  ::close(reader);
  std::signal(SIGPIPE, handler);
}

TEST_F(LineFileTest, RotatesBeforeItGrowsTooLargeAndKeepsSoMany) {
  LineFileOptions with = options();
  with.rotate_bytes = 10;
  with.number_of_files = 3;
  with.sync = true;
  LineFile file(with);
  ASSERT_FALSE(file.open());
  for (const char* line : {"aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff", "gggg"}) file.add(line);
  const auto flushed = file.flush();
  EXPECT_FALSE(flushed.error);
  EXPECT_EQ(flushed.lines, 7u);
  EXPECT_EQ(content(path_), "gggg\n");
  EXPECT_EQ(content(path_ + ".1"), "eeee\nffff\n");
  EXPECT_EQ(content(path_ + ".2"), "cccc\ndddd\n");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".3"));
}

TEST_F(LineFileTest, CountsWhatWasThereBeforeItRotates) {
  directory_.write("lines", "12345678\n");
  LineFileOptions with = options();
  with.rotate_bytes = 10;
  LineFile file(with);
  ASSERT_FALSE(file.open());
  file.add("a");
  file.flush();
  EXPECT_EQ(content(path_), "a\n");
  EXPECT_EQ(content(path_ + ".1"), "12345678\n");
}

TEST_F(LineFileTest, GivesALineThatIsLargerThanAFileMayBeAFileOfItsOwn) {
  LineFileOptions with = options();
  with.rotate_bytes = 10;
  LineFile file(with);
  ASSERT_FALSE(file.open());
  for (const char* line : {"a", "a long line, longer than ten", "b"}) file.add(line);
  EXPECT_EQ(file.flush().lines, 3u);
  EXPECT_EQ(content(path_), "b\n");
  EXPECT_EQ(content(path_ + ".1"), "a long line, longer than ten\n");
  EXPECT_EQ(content(path_ + ".2"), "a\n");
}

TEST_F(LineFileTest, KeepsTheCountOfLinesOverARotationThatFails) {
  LineFileOptions with = options();
  with.rotate_bytes = 10;
  with.number_of_files = 2;
  LineFile file(with);
  ASSERT_FALSE(file.open());
  std::filesystem::create_directories(path_ + ".1/in the way");
  for (const char* line : {"aaaa", "bbbb", "cccc"}) file.add(line);
  const auto flushed = file.flush();
  EXPECT_TRUE(flushed.error);
  EXPECT_EQ(flushed.lines, 2u);
  EXPECT_EQ(content(path_), "aaaa\nbbbb\n");
}

TEST_F(LineFileTest, HasAFileForItselfAlone) {
  LineFile file(options());
  ASSERT_FALSE(file.open());
  LineFile second(options());
  EXPECT_EQ(second.open(), std::errc::device_or_resource_busy);
  EXPECT_FALSE(second.is_open());
  file.close();
  EXPECT_FALSE(second.open());
}

}  // namespace
}  // namespace windlass::runtime
